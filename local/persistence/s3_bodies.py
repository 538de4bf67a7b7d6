"""Bodies of objects and parts: one file each, written once, never changed.

An overwritten object gets a new file, so the old one stays whole until the new one is committed,
and who is reading the old one reads it to its end.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from pathlib import Path

GRACE_S = 10.0
"""A reader may have looked an object up just before it was replaced, and open its file after."""


class Bodies:
    """The folder of the files. Names are random; which are in use only the journal knows."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._discarded: deque[tuple[float, str]] = deque()
        self._wake = threading.Event()
        for number in range(256):
            (root / f"{number:02x}").mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._remove, name="s3-bodies", daemon=True).start()

    @staticmethod
    def new_name() -> str:
        return secrets.token_hex(16)

    def path(self, name: str) -> Path:
        return self.root / name[:2] / name

    def discard(self, name: str | None) -> None:
        """Remove a file that is no longer needed, after a while."""
        if name is not None:
            self._discarded.append((time.monotonic() + GRACE_S, name))
            self._wake.set()

    def _remove(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._discarded:
                due, name = self._discarded.popleft()
                time.sleep(max(0.0, due - time.monotonic()))
                self.path(name).unlink(missing_ok=True)

    def collect(self, used: set[str]) -> int:
        """Remove every file that is not in use: uploads that never ended, deletions cut short."""
        removed = 0
        for folder in self.root.iterdir():
            for file in folder.iterdir():
                if file.name not in used:
                    file.unlink()
                    removed += 1
        return removed
