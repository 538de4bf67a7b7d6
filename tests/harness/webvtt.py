"""A strict reader of WebVTT as HLS carries it (RFC 8216 § 3.5, W3C WebVTT 1), independent of the
product's writer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_TIMES = re.compile(r"(\d{2,}:\d\d:\d\d\.\d{3}) --> (\d{2,}:\d\d:\d\d\.\d{3})( line:0)?")
_MAP = "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:"
_TAG = re.compile(r"<(/?)([^>]*)>")
_ENTITY = re.compile(r"&(?!(amp|lt|gt);)")


@dataclass(frozen=True)
class Cue:
    begin_s: Fraction
    end_s: Fraction
    text: str
    """As written: escaped, with tags."""


@dataclass(frozen=True)
class Text:
    mpegts: int | None
    """The time (1/90000 s) of the media that is zero here; None for a file by itself."""
    cues: tuple[Cue, ...]


def read(content: bytes) -> Text:
    """A whole file or segment."""
    head, *blocks = content.decode().removesuffix("\n").split("\n\n")
    first, *more = head.split("\n")
    assert first == "WEBVTT"
    mpegts = None
    if more:
        (line,) = more
        assert line.startswith(_MAP), line
        mpegts = int(line.removeprefix(_MAP))
    return Text(mpegts, tuple(_cue(block) for block in blocks if block))


def _cue(block: str) -> Cue:
    times, *lines = block.split("\n")
    match = _TIMES.fullmatch(times)
    assert match, times
    begin_s, end_s = _seconds(match[1]), _seconds(match[2])
    assert begin_s < end_s, times
    text = "\n".join(lines)
    assert lines, times
    assert all(lines), "a blank line ends a cue"
    _check_markup(text)
    return Cue(begin_s, end_s, text)


def _seconds(clock: str) -> Fraction:
    hours, minutes, seconds = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)


def _check_markup(text: str) -> None:
    """Nothing but <b>, <i> and <u>, properly nested, and no bare special character."""
    open_tags: list[str] = []
    for closing, name in _TAG.findall(text):
        assert name in ("b", "i", "u"), text
        if closing:
            assert open_tags.pop() == name, text
        else:
            open_tags.append(name)
    assert not open_tags, text
    bare = _TAG.sub("", text)
    assert "<" not in bare, text
    assert ">" not in bare, text
    assert not _ENTITY.search(bare), text
