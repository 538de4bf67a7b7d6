"""One cloud per state directory, by a lock that cannot go stale."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path

from local.server_process import CloudError


class StateInUseError(CloudError):
    """Another cloud runs on this state directory."""


class StateLock:
    """An exclusive `flock` on `state_dir/cloud.lock`.

    The kernel drops it when the last holder of the descriptor ends, however it ended, so nothing
    has to be cleaned up after kill -9. The file's text only tells people who the holder is.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def acquire(cls, state_dir: Path) -> StateLock:
        """Raises StateInUseError when somebody holds it."""
        path = state_dir / "cloud.lock"
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise StateInUseError(
                f"{state_dir} is in use by {_describe(path)}; stop that one first, or use another "
                "state directory"
            ) from None
        return cls(fd)

    def describe(self, pid: int, port: int) -> None:
        """Write down who holds the lock, for the message the next one gets."""
        note = json.dumps({"pid": pid, "port": port, "started_at": time.time()}).encode()
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, note, 0)

    def close(self) -> None:
        os.close(self.fd)


def _describe(path: Path) -> str:
    try:
        note = json.loads(path.read_text())
        return f"process {note['pid']} (LocalStack on port {note['port']})"
    except (ValueError, KeyError, TypeError):
        return "a LocalStack that is just starting"
