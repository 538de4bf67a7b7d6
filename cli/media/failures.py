"""What goes wrong with a file, in words: which file, which stream, what, when, and what to try.

The only place that turns the engine's reason codes and the system's errors into advice.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.media.exits import Exit
from cli.media.units import clock

ADVICE: Mapping[str, str] = {
    "EMPTY_FILE": "the file has no bytes: copy or download it again",
    "NOT_A_VIDEO": "`file FILE` tells what it is; a text, an image or an archive is no video",
    "CORRUPT": "get a complete copy, or take the sound part with --end before the damage",
    "UNSUPPORTED_CONTAINER": "MP4, MOV, MKV, WebM, AVI, MPEG-TS, MPEG-PS, FLV, Ogg, ASF and MXF "
    "are read",
    "UNSUPPORTED_CODEC": "export it again in another codec, such as H.264; `millrace doctor` "
    "tells what this machine encodes",
    "NO_VIDEO_STREAM": "choose a file with pictures; `millrace probe FILE` lists its streams",
    "EXTERNAL_REFERENCE": "give the film itself: a file that names other files is not followed",
    "LIMIT_EXCEEDED": "the file is longer, larger or has more streams than is taken",
    "SOURCE_UNREADABLE": "check the disk or the network share, then try again",
    "SOURCE_CHANGED": "the file was replaced meanwhile: try again",
    "SOURCE_MISSING": "check the path",
    "OUTPUT_FAILED": "check the free space (`df -h`) and the permissions of the output's folder",
    "ENGINE_MISSING": "`pip install .` or ./millrace doctor, in the repository, builds it; "
    "MILLRACE_ENGINE may name one",
    "ENGINE_CRASHED": "try again; if it happens again, it is a fault of Millrace: "
    "report it with the output of -v",
    "INTERNAL": "a fault of Millrace: report it with the output of -v",
    "NO_SPACE": "free some space, or write to another disk",
    "NOT_PERMITTED": "choose another folder, or change the permissions",
    "OUTPUT_EXISTS": "--overwrite replaces it, --skip-existing leaves it",
    "OUTPUT_IS_INPUT": "choose another name; the input is never written to",
    "MISSING": "check the path",
    "USAGE": "ask for something else; --help after the command tells what there is",
}

_EXITS: Mapping[str, Exit] = {
    **dict.fromkeys(("EMPTY_FILE", "NOT_A_VIDEO", "CORRUPT"), Exit.CORRUPT),
    **dict.fromkeys(
        ("UNSUPPORTED_CONTAINER", "UNSUPPORTED_CODEC", "NO_VIDEO_STREAM", "EXTERNAL_REFERENCE"),
        Exit.UNSUPPORTED,
    ),
    **dict.fromkeys(("OUTPUT_EXISTS", "OUTPUT_IS_INPUT", "USAGE"), Exit.USAGE),
    **dict.fromkeys(("INTERNAL", "ENGINE_CRASHED"), Exit.BUG),
    "LIMIT_EXCEEDED": Exit.LIMIT,
}
"""What is not named here has to do with files and disks."""

_BLOCK_BYTES = 4096
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS)


class Failure(Exception):  # noqa: N818 - what went wrong, as a person is told it
    """A file that could not be worked on.

    Args:
        reason: a stable code; the engine's, or one of `ADVICE`.
        message: one sentence: what is wrong.
        file: the file it is about, if any.
        stream: its stream, by the container's index.
        time_s: where in the file.
        advice: what to try; the reason's usual one if None.
        log: the end of the engine's log, for -v.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        file: str | Path | None = None,
        stream: int | None = None,
        time_s: float | None = None,
        advice: str | None = None,
        log: str = "",
    ) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message
        self.file = str(file) if file is not None else None
        self.stream, self.time_s, self.log = stream, time_s, log
        self.advice = ADVICE.get(reason, "") if advice is None else advice

    @property
    def exit(self) -> Exit:
        return _EXITS.get(self.reason, Exit.IO)

    @property
    def sentence(self) -> str:
        """Everything but the advice, in one line."""
        where = [self.file] if self.file else []
        where += [f"stream {self.stream}"] if self.stream is not None else []
        where += [f"at {clock(self.time_s)}"] if self.time_s is not None else []
        return f"{', '.join(where)}: {self.message}" if where else self.message

    def to_json(self) -> dict[str, Any]:
        """As an event of `--json`."""
        return {
            "type": "error",
            "reason": self.reason,
            "exit_code": int(self.exit),
            "file": self.file,
            "stream": self.stream,
            "time_s": self.time_s,
            "message": self.message,
            "advice": self.advice,
        }


def from_os(error: OSError, file: str | Path) -> Failure:
    """A file that the system does not let us read or write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure("NO_SPACE", "There is no space left on its disk.", file=file)
    if error.errno == errno.EFBIG:
        return Failure("NO_SPACE", "Its disk takes no file as large as this.", file=file)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Failure("NOT_PERMITTED", f"{_words(error)}.", file=file)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Failure("MISSING", f"{_words(error)}.", file=file)
    return Failure("OUTPUT_FAILED", f"{_words(error)}.", file=file)


def of_output(failure: Failure, target: Path, scratch: Path | None = None) -> Failure:
    """What the system said of the file to be, where that is why the engine failed.

    Args:
        scratch: the folder of notes and samples, which may be on another disk.
    """
    # Encoders do not say why they could not note anything.
    vague = failure.reason in ("OUTPUT_FAILED", "INTERNAL")
    if vague and scratch and _full(scratch) and not _full(target.parent):
        message, advice = "There is no space left on its disk.", "set TMPDIR to another disk"
        return Failure("NO_SPACE", message, file=scratch.parent, advice=advice, log=failure.log)
    for number in _OF_DISKS:
        if failure.reason == "OUTPUT_FAILED" and os.strerror(number) in failure.message:
            return from_os(OSError(number, os.strerror(number)), target)
    return failure


def _full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < _BLOCK_BYTES


def _words(error: OSError) -> str:
    return error.strerror or str(error)
