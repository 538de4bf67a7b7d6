"""Exit codes of the local commands; the engine's own, and two more."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FOUND = 1
    USAGE = 2
    CORRUPT = 3
    UNSUPPORTED = 4
    IO = 5
    LIMIT = 6
    BUG = 70
    INTERRUPTED = 130
    NOT_READ = 141
    TERMINATED = 143


MEANINGS: Mapping[Exit, str] = {
    Exit.DONE: "done",
    Exit.FOUND: "`verify` or `doctor` found something wrong; some files of a batch failed",
    Exit.USAGE: "wrong command line; output is input; output exists",
    Exit.CORRUPT: "the input cannot be read, or is damaged beyond use",
    Exit.UNSUPPORTED: "the input's format, or what was asked of it, is not supported",
    Exit.IO: "a file is missing, not readable or not writable; no space left",
    Exit.LIMIT: "a limit was reached, such as a size that no setting meets",
    Exit.BUG: "a fault of Millrace",
    Exit.INTERRUPTED: "Ctrl-C",
    Exit.NOT_READ: "who read the standard output is gone, such as `head`",
    Exit.TERMINATED: "ended by SIGTERM",
}
