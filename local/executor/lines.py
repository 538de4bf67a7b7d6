"""Bytes of a pipe into log lines."""

from __future__ import annotations

MAX_LINE_BYTES = 256 * 1024
"""CloudWatch Logs takes no longer events; a longer line is cut into several."""


class LineSplitter:
    """Keeps what has no line end yet."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines completed by `data`, without line ends."""
        *lines, self._held = (self._held + data).split(b"\n")
        while len(self._held) >= MAX_LINE_BYTES:
            lines.append(self._held[:MAX_LINE_BYTES])
            self._held = self._held[MAX_LINE_BYTES:]
        return [part for line in lines for part in _parts(line)]

    def rest(self) -> list[str]:
        """The unfinished last line, once no more data can come."""
        held, self._held = self._held, b""
        return _parts(held) if held else []


def _parts(line: bytes) -> list[str]:
    starts = range(0, max(len(line), 1), MAX_LINE_BYTES)
    return [_text(line[start : start + MAX_LINE_BYTES]) for start in starts]


def _text(line: bytes) -> str:
    # awslambdaric separates the lines of a stack trace by carriage returns, to keep it one event.
    return line.decode(errors="replace").rstrip("\r").replace("\r", "\n")
