"""Running the engine for a person who waits: it ends with us, and cleans up when it is stopped.

`millrace.engine` does the same for workers of the cloud, whose leases, limits and logs it knows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from cli.media.failures import Failure

Line = Mapping[str, Any]
NAME = "millrace-engine"
_HERE = Path(__file__).resolve().parent.parent
_PLACES = (
    _HERE / "bin" / NAME,
    _HERE.parent / "build" / "engine" / "release" / NAME,
    Path(sys.executable).parent / NAME,
)
"""Where `pip install .` and where ./millrace put it."""
_UPLOAD = re.compile(r" Upload it again[^.]*\.| Convert the video to .* and upload that\.")
"""What users of the cloud are told to do."""
_LOG_BLOCKS, _BLOCK_BYTES = 8, 4096
_STOPPING_S = 5.0
"""So long may the engine take to remove its unfinished files when it is asked to end."""
_KINDS = {
    2: "USAGE",
    3: "CORRUPT",
    4: "UNSUPPORTED_CODEC",
    5: "OUTPUT_FAILED",
    6: "LIMIT_EXCEEDED",
}
"""By exit code, where the engine gave no reason."""


def path() -> str:
    """The engine's program.

    Raises:
        Failure: ENGINE_MISSING.
    """
    if chosen := os.environ.get("MILLRACE_ENGINE"):
        return chosen
    for place in _PLACES:
        if place.exists():
            return str(place)
    if found := shutil.which(NAME):
        return found
    raise Failure("ENGINE_MISSING", f"The engine ({NAME}) is not here.")


def run(
    arguments: Sequence[str | Path],
    *,
    file: str | Path,
    on_line: Callable[[Line], None] | None = None,
    niceness: int = 0,
) -> Line:
    """Run it to its end.

    Args:
        arguments: sub-command and options.
        file: what a failure is said to be about.
        on_line: gets each line but the last as it comes.
        niceness: by how much it steps back for other programs.

    Returns:
        The `result` line.

    Raises:
        Failure: with the engine's reason.
    """
    process = _start([path(), *map(str, arguments)], niceness)
    log = _Tail(process.stderr)
    try:
        last = _read(process.stdout, on_line)
        code = process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        log.close()
        if process.stdout is not None:
            process.stdout.close()
    if code == 0 and last is not None and last["type"] == "result":
        return last
    raise _failure(code, last, log.text, file)


def _start(command: Sequence[str], niceness: int) -> subprocess.Popen[bytes]:
    """In a group of its own: Ctrl-C at the terminal is for us, who then ask it to end."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
    except OSError as error:
        message = f"The engine {command[0]} cannot be started: {error.strerror}."
        raise Failure("ENGINE_MISSING", message) from error
    if niceness:
        with suppress(ProcessLookupError):
            mine = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, process.pid, mine + niceness)
    return process


def _read(stream: IO[bytes] | None, on_line: Callable[[Line], None] | None) -> Line | None:
    """Hand on all lines but the result or the error, which is returned."""
    assert stream is not None
    last: Line | None = None
    for raw in stream:
        try:
            line = json.loads(raw)
        except ValueError:
            continue  # half a line: it died while it wrote, and its exit code tells so
        if line["type"] in ("result", "error"):
            last = line
        elif on_line is not None:
            on_line(line)
    return last


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOPPING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Tail:
    """Keeps the end of what a stream says."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._blocks: deque[bytes] = deque(maxlen=_LOG_BLOCKS)
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while block := os.read(self._stream.fileno(), _BLOCK_BYTES):
            self._blocks.append(block)

    def close(self) -> None:
        self._thread.join()
        self._stream.close()

    @property
    def text(self) -> str:
        return b"".join(self._blocks).decode(errors="replace")


def _failure(code: int, last: Line | None, log: str, file: str | Path) -> Failure:
    if last is not None and last["type"] == "error":
        time_s = last.get("time_s", last.get("position_s"))
        return Failure(
            str(last.get("reason") or last.get("code") or "INTERNAL"),
            _UPLOAD.sub("", str(last.get("message") or "The engine gave no message.")),
            file=file,
            stream=last.get("stream"),
            time_s=None if time_s is None else float(time_s),
            log=log,
        )
    if code < 0:
        message = f"The engine was ended by {signal.Signals(-code).name}."
        return Failure("ENGINE_CRASHED", message, file=file, log=log)
    said = [line for line in log.splitlines() if line.startswith(f"{NAME}: ")]
    message = f"The engine ended with {code} and gave no reason."
    if said:
        message = f"{said[-1].removeprefix(f'{NAME}: ').removeprefix('job: ')}."
    return Failure(_KINDS.get(code, "INTERNAL"), message, file=file, log=log)
