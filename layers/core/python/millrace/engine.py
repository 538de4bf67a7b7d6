"""Running the engine: a process that speaks JSON lines (docs/ENGINE.md has the contract)."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

from aws_lambda_powertools import Logger

from millrace.config import engine_environment
from millrace.errors import MillraceError, PermanentError, Reason, RetryableError, Stopped

journal = Logger(child=True)
# As its parent, which samples; a child's own level would stay as it was when it was made.
journal.setLevel(logging.NOTSET)

Line = Mapping[str, Any]
_GARBLED: Line = {"type": "garbled"}

LOG_CHARACTERS = 4096
_LEAST_PRIORITY = 19
_LONGEST_LINE = 1 << 20
_PIPE_BYTES = 4096
UNCONFINED = "millrace-engine: not confined"
"""How the engine begins to say that the kernel has one of its walls not."""
_RETRYABLE = frozenset(
    {Reason.SOURCE_UNREADABLE, Reason.OUTPUT_FAILED, Reason.ENGINE_CRASHED, Reason.INTERNAL}
)
"""What may go better on another machine or a moment later; the rest is the source's fault."""


class Stop:
    """Asks a piece of work to end, once, from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self.cause: str | None = None
        """Why; None while nobody asked."""

    def set(self, cause: str) -> None:
        with self._lock:
            if self.cause is not None:
                return
            self.cause = cause
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def check(self) -> None:
        """Raises:
        Stopped: somebody asked.
        """
        if self.cause is not None:
            raise Stopped(self.cause)

    @contextmanager
    def calls(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call back when somebody asks, at once if they did already."""
        with self._lock:
            self._callbacks.append(callback)
            asked = self.cause is not None
        if asked:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine's program."""

    path: str

    def run(
        self,
        arguments: Sequence[str],
        *,
        timeout_s: float,
        stop: Stop,
        niceness: int = 0,
        on_line: Callable[[Line], None] | None = None,
        on_start: Callable[[int | None], None] | None = None,
    ) -> Line:
        """Run it to its end.

        Args:
            arguments: sub-command and options.
            timeout_s: after this its whole process group is killed.
            stop: kills it when somebody asks.
            niceness: by how much it steps back for others that the machine runs.
            on_line: gets each line but the last (progress, init, segment, warning) as it comes.
            on_start: gets the process id, and None when it ended.

        Returns:
            The `result` line.

        Raises:
            PermanentError: the source is at fault; `engine_log` has the end of the log.
            RetryableError: the engine crashed, was killed, took too long or could not read.
            Stopped: `stop` was set.
        """
        tell = on_start or _ignore
        process = self._start(arguments)
        _step_back(process.pid, niceness)
        log = _Tail()
        reader = threading.Thread(target=log.drain, args=(process.stderr,), daemon=True)
        reader.start()
        overdue = threading.Event()
        timer = threading.Timer(timeout_s, _end_overdue, (process, overdue))
        timer.daemon = True
        timer.start()
        tell(process.pid)
        journal.debug("engine.started", extra={"arguments": [_unsigned(a) for a in arguments]})
        try:
            with stop.calls(lambda: _kill(process)):
                last = _read(process, on_line or _ignore)
                if last is _GARBLED:
                    _kill(process)
                code = _await_end(process)
        finally:
            _kill(process)
            timer.cancel()
            timer.join()
            _await_end(process)
            threading.Thread(target=_bury, args=(process,), daemon=True).start()
            reader.join(timeout=5)
            tell(None)
            for said in log.text().splitlines():
                _note(said)
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        stop.check()
        if overdue.is_set():
            message = f"The work took longer than {timeout_s:.0f} s."
            raise RetryableError(Reason.ENGINE_CRASHED, message, log.text())
        return _conclude(code, last, log.text())

    def _start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [self.path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=engine_environment(),
                # A group of its own, to kill it with everything it might start. If this process
                # dies without a word, the engine's next line finds a closed pipe and ends it.
                process_group=0,
                # Small, so that it waits when its files cannot be stored as fast as it makes
                # them, instead of filling the disk.
                pipesize=_PIPE_BYTES,
            )
        except OSError as error:
            message = f"The engine {self.path} cannot be started: {error.strerror}."
            raise RetryableError(Reason.ENGINE_CRASHED, message) from error


def _note(said: str) -> None:
    """A line of the engine's log, in ours; one that somebody should act on stands out."""
    if said.startswith(UNCONFINED):
        journal.warning("engine.unconfined", extra={"text": said})
    else:
        journal.info("engine.log", extra={"text": said})


def _unsigned(argument: str) -> str:
    """Without the query, which may be a presigned URL's signature."""
    return argument.split("?", 1)[0]


def _ignore(_: object) -> None:
    return


class _Tail:
    """Keeps the end of a stream while draining it."""

    def __init__(self) -> None:
        self._blocks: deque[bytes] = deque(maxlen=8)

    def drain(self, stream: IO[bytes]) -> None:
        while block := stream.read1(LOG_CHARACTERS):  # type: ignore[attr-defined]
            self._blocks.append(block)

    def text(self) -> str:
        return b"".join(self._blocks).decode(errors="replace")[-LOG_CHARACTERS:]


def _read(process: subprocess.Popen[bytes], on_line: Callable[[Line], None]) -> Line | None:
    """Hand on all lines but the last: the result, the error, `_GARBLED` for a line that is not
    of the contract, or None if the output just ended."""
    assert process.stdout is not None
    while raw := process.stdout.readline(_LONGEST_LINE):
        line = _parse(raw)
        if line is None:
            # Half a line at the end is no breach: the process died while it wrote.
            return _GARBLED if raw.endswith(b"\n") or len(raw) == _LONGEST_LINE else None
        if line["type"] in ("result", "error"):
            return line
        journal.debug("engine.line", extra={"line": line})
        on_line(line)
    return None


def _parse(raw: bytes) -> Line | None:
    """One line, or None for what is none."""
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("type"), str) else None


def _conclude(code: int, last: Line | None, log: str) -> Line:
    if last is _GARBLED:
        raise RetryableError(Reason.INTERNAL, "The engine's output is not as agreed.", log)
    if code < 0:
        message = f"The engine was ended by {_signal_name(-code)}."
        raise RetryableError(Reason.ENGINE_CRASHED, message, log)
    if last is not None and last["type"] == "error":
        raise _error(last, log)
    if last is None or code != 0:
        message = f"The engine ended with {code} and gave no result."
        raise RetryableError(Reason.ENGINE_CRASHED, message, log)
    return last


def _error(line: Line, log: str) -> MillraceError:
    message = str(line.get("message") or "The engine gave up without a message.")
    try:
        reason = Reason(str(line.get("code")))
    except ValueError:
        return RetryableError(Reason.INTERNAL, message, log)
    kind = RetryableError if reason in _RETRYABLE else PermanentError
    return kind(reason, message, log)


def _step_back(pid: int, niceness: int) -> None:
    with suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + niceness)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With its group, if it has not ended; its id is its own until `_bury`."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _await_end(process: subprocess.Popen[bytes]) -> int:
    """Its exit code (negative: the signal that killed it); the kernel still knows it afterwards."""
    ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _bury(process: subprocess.Popen[bytes]) -> None:
    """Let the kernel forget it, in a thread of the least priority: Linux clears /proc of what was
    read about the process, and where that is in use tries again and again, a whole processor for
    half a minute at times, which nobody is to wait for."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LEAST_PRIORITY)
    process.wait()


def _end_overdue(process: subprocess.Popen[bytes], overdue: threading.Event) -> None:
    overdue.set()
    _kill(process)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
