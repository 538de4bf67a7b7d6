"""Helpers of the tests that run processes."""

from __future__ import annotations

import os
import select
import uuid
from pathlib import Path
from typing import Any

from local.runtime_api.messages import Event


def event(payload: bytes = b"{}", timeout_s: float = 10.0, **fields: Any) -> Event:
    """An event with a fresh request id."""
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    return Event(str(uuid.uuid4()), payload, arn, timeout_s, **fields)


def alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(pid: int, timeout_s: float = 5.0) -> bool:
    """Waits for the end of a process that need not be our child."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    ended = bool(poll.poll(timeout_s * 1000))
    os.close(pidfd)
    return ended
