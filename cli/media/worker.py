"""One file of a batch, converted by a process of its own: what takes that down takes no other."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cli.media.exits import Exit
from cli.media.failures import Failure

Event = Mapping[str, Any]
_STOPPING_S = 15.0
"""So long may one take to clean up after it was asked to end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How it went."""

    code: int
    last: Event
    """Its `result` or `error` event; empty if it gave none."""
    log: str = ""
    """What it said on standard error: with --json only what kept it from giving an event."""

    @property
    def worked(self) -> bool:
        return self.code == Exit.DONE

    @property
    def may_pass(self) -> bool:
        """Trying again may help: a disk, a network share, a crash; not a file that is broken."""
        return self.code in (Exit.IO, Exit.BUG) or self.code < 0

    @property
    def failure(self) -> Failure | None:
        """Why it did not work, with file, stream, time and advice as it told them."""
        if self.worked:
            return None
        if self.last:
            return Failure(
                self.last["reason"],
                self.last["message"],
                file=self.last["file"],
                stream=self.last["stream"],
                time_s=self.last["time_s"],
                advice=self.last["advice"],
            )
        if self.code < 0:
            return Failure("ENGINE_CRASHED", f"It was ended by {signal.Signals(-self.code).name}.")
        said = self.log.strip().splitlines()[-1:]
        return Failure("INTERNAL", ": ".join([f"It ended with {self.code}", *said]))


class Worker:
    """Runs `millrace transcode`, and can be stopped from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(self, arguments: Sequence[str], on_event: Callable[[Event], None]) -> Ended | None:
        """Args:
            on_event: gets each event but the last as it comes.

        Returns:
            None if it was stopped.
        """
        command = [sys.executable, "-P", "-m", "cli", "transcode", "--json", *arguments]
        with tempfile.TemporaryFile("w+", errors="replace") as log:
            with self._lock:
                if self._stopped:
                    return None
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    start_new_session=True,  # Ctrl-C is for the batch, which stops it
                )
            last = _read(self._process, on_event)
            code = self._process.wait()
            log.seek(0)
            return None if self._stopped else Ended(code, last, log.read())

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


def _read(process: subprocess.Popen[str], on_event: Callable[[Event], None]) -> Event:
    """Hand on all events but the result or the error, which is returned."""
    last: Event = {}
    assert process.stdout is not None
    with process.stdout as lines:
        for raw in lines:
            with suppress(ValueError):  # half a line: it died while it wrote
                event = json.loads(raw)
                if event["type"] in ("result", "error"):
                    last = event
                else:
                    on_event(event)
    return last
