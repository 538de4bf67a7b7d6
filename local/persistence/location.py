"""Where the state lies."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "MILLRACE_STATE_DIR"


class StateDirError(RuntimeError):
    """The process was started without a place for its state."""


def state_dir() -> Path:
    """The state directory the launcher gave this process. Raises StateDirError without one."""
    path = os.environ.get(VARIABLE)
    if not path:
        raise StateDirError(f"{VARIABLE} is not set: start the cloud through local.server")
    return Path(path)
