"""One file of a batch, converted by a process of its own: what takes that down takes no other."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cli.media.exits import Exit

_STOPPING_S = 15.0
"""So long may one take to clean up after it was asked to end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How it went."""

    code: int
    last: Mapping[str, Any]
    """Its `result` or `error` event; empty if it gave none."""

    @property
    def worked(self) -> bool:
        return self.code == Exit.DONE

    @property
    def may_pass(self) -> bool:
        """Trying again may help: a disk, a network share, a crash; not a file that is broken."""
        return self.code in (Exit.IO, Exit.BUG) or self.code < 0


class Worker:
    """Runs `millrace transcode`, and can be stopped from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(
        self, arguments: Sequence[str], on_progress: Callable[[Mapping[str, Any]], None]
    ) -> Ended | None:
        """None if it was stopped."""
        command = [sys.executable, "-P", "-m", "cli", "transcode", "--json", *arguments]
        with self._lock:
            if self._stopped:
                return None
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # Ctrl-C is for the batch, which stops it
            )
        last: Mapping[str, Any] = {}
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            with suppress(ValueError):
                event = json.loads(raw)
                if event["type"] == "progress":
                    on_progress(event)
                elif event["type"] in ("result", "error"):
                    last = event
        code = self._process.wait()
        self._process.stdout.close()
        return None if self._stopped else Ended(code, last)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOPPING_S)
        except subprocess.TimeoutExpired:
            process.kill()
