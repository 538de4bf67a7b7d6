"""Working folders of the engine, and sweeping up those of processes that were killed: Lambda keeps
/tmp when it starts a crashed process again, so they would fill the disk one by one."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = re.compile(r"millrace-work-(\d+)-.+")


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards; its name tells whose it is."""
    with tempfile.TemporaryDirectory(prefix=f"millrace-work-{os.getpid()}-") as path:
        yield Path(path)


def sweep() -> None:
    """At cold start: remove the folders of processes that are no more. One with our own process
    id is of a predecessor, too: we have not made any yet."""
    for path in Path(tempfile.gettempdir()).glob("millrace-work-*"):
        match = _NAME.fullmatch(path.name)
        if match and (int(match[1]) == os.getpid() or not _is_alive(int(match[1]))):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # somebody else's
    return True
