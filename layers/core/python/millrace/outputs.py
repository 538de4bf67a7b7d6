"""What a done transcode or audio task made: its tracks, small enough for one table item.

A track keeps the size of every segment and of its I-frame (as numbers of fixed width, in base 64)
and the durations run-length coded: the longest video in one single chunk (12 hours, four
renditions: 43,200 segments) takes about 350 KB of the 400 KB an item may have.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from typing import Any

from millrace.errors import PermanentError, Reason


@dataclass(frozen=True, slots=True)
class Segment:
    size_bytes: int
    duration_s: Fraction
    iframe_bytes: int | None = None
    """From the file's beginning to the end of its first picture, an I-frame. None for sound, and
    for what was made before the engine told."""


@dataclass(frozen=True, slots=True)
class Track:
    """A run of consecutive segments of one rendition or audio track."""

    codecs: str
    """For the CODECS attribute (RFC 6381)."""
    first: int
    """Index of the first segment in the whole video."""
    segments: tuple[Segment, ...]

    @property
    def duration_s(self) -> Fraction:
        return sum((segment.duration_s for segment in self.segments), Fraction(0))

    @property
    def end(self) -> int:
        """Index of the segment after the last one."""
        return self.first + len(self.segments)

    @property
    def has_iframes(self) -> bool:
        """Whether the I-frame of every segment can be named."""
        known = all(segment.iframe_bytes is not None for segment in self.segments)
        return known and len(self.segments) > 0

    @property
    def iframes(self) -> Track:
        """The track of its I-frames alone: each lasts until the next."""
        segments = (
            replace(segment, size_bytes=segment.iframe_bytes or 0) for segment in self.segments
        )
        return replace(self, segments=tuple(segments))

    def to_json(self) -> dict[str, Any]:
        runs = [
            [duration.numerator, duration.denominator, sum(1 for _ in run)]
            for duration, run in groupby(segment.duration_s for segment in self.segments)
        ]
        stored = {
            "codecs": self.codecs,
            "first": self.first,
            "packed_sizes": _packed([segment.size_bytes for segment in self.segments]),
            "durations": runs,
        }
        if self.has_iframes:
            stored["iframes"] = _packed([segment.iframe_bytes or 0 for segment in self.segments])
        return stored


def track_from_json(stored: Mapping[str, Any]) -> Track:
    """The track that `Track.to_json` gave, now or when it wrote hexadecimal words (`sizes`)."""
    durations = (
        Fraction(num, den) for num, den, count in stored["durations"] for _ in range(count)
    )
    sizes: Sequence[int]
    if "packed_sizes" in stored:
        sizes = _unpacked(stored["packed_sizes"])
    else:
        sizes = [int(word, 16) for word in stored["sizes"].split()]
    iframes: Iterable[int | None] = [None] * len(sizes)
    if "iframes" in stored:
        iframes = _unpacked(stored["iframes"])
    rows = zip(sizes, durations, iframes, strict=True)
    return Track(stored["codecs"], stored["first"], tuple(Segment(*row) for row in rows))


def _packed(numbers: Sequence[int]) -> str:
    """`{width}:{base 64}`: big-endian numbers of as many bytes as the largest needs."""
    width = max(1, -(-max(numbers, default=0).bit_length() // 8))
    content = b"".join(number.to_bytes(width, "big") for number in numbers)
    return f"{width}:{base64.b64encode(content).decode()}"


def _unpacked(text: str) -> list[int]:
    width, _, coded = text.partition(":")
    content, step = base64.b64decode(coded), int(width)
    return [int.from_bytes(content[at : at + step], "big") for at in range(0, len(content), step)]


def tracks_from_json(output: Mapping[str, Any]) -> dict[str, Track]:
    """The tracks in a done task's output, by name."""
    return {name: track_from_json(stored) for name, stored in output["tracks"].items()}


def told_of(output: Mapping[str, Any] | None, name: str) -> Track:
    """What a task that is perhaps not done has told of a track; no segments if nothing yet."""
    tracks = (output or {}).get("tracks", {})
    return track_from_json(tracks[name]) if name in tracks else Track("", 0, ())


class Collector:
    """Gathers the engine's `init` and `segment` lines of one task."""

    def __init__(self) -> None:
        self._codecs: dict[str, str] = {}
        self._segments: dict[str, dict[int, Segment]] = {}

    def add(self, line: Mapping[str, Any]) -> None:
        """Take note of an `init` or `segment` line. A repeated one replaces the one before."""
        name: str = line["rendition"]
        if line["type"] == "init":
            self._codecs[name] = line["codecs"]
            return
        duration = Fraction(line["duration"]["num"], line["duration"]["den"])
        segments = self._segments.setdefault(name, {})
        segments[line["index"]] = Segment(line["bytes"], duration, line.get("iframe_bytes"))

    def take(self, name: str, track: Track) -> None:
        """Begin with what was gathered of a track before."""
        self._codecs[name] = track.codecs
        self._segments[name] = dict(enumerate(track.segments, start=track.first))

    def tracks(self, names: list[str], first: int, count: int | None) -> dict[str, Track]:
        """What was gathered, checked: all tracks, each without a gap, all equally long.

        Args:
            names: the tracks that the task is to make.
            first: index of the first segment it is to make.
            count: how many, or None for "to the end of the source", which may be none at all when
                a container promises a little more than it has.

        Raises:
            PermanentError: CORRUPT, the source ends before its container says it does;
                INTERNAL, the engine did not deliver what was agreed.
        """
        tracks = {name: self._track(name, first) for name in names}
        counts = {len(track.segments) for track in tracks.values()}
        if len(counts) != 1:
            raise PermanentError(Reason.INTERNAL, "The renditions came out of unequal length.")
        (made,) = counts
        if (count is not None and made > count) or (made == 0 and first == 0):
            raise PermanentError(Reason.INTERNAL, f"{made} segments were made where {count} fit.")
        if count is not None and made < count:
            message = "The video ends earlier than its file says. Upload a complete copy."
            raise PermanentError(Reason.CORRUPT, message)
        return tracks

    def made_so_far(self, names: list[str], first: int) -> int:
        """Segments there are of all tracks, from the first one on and without a gap."""
        return min(self._run(name, first) for name in names)

    def so_far(self, names: list[str], first: int, count: int) -> dict[str, Track]:
        """The beginnings of all tracks, equally long."""
        return {
            name: Track(
                self._codecs[name],
                first,
                tuple(self._segments[name][index] for index in range(first, first + count)),
            )
            for name in names
        }

    def _run(self, name: str, first: int) -> int:
        segments, made = self._segments.get(name, {}), 0
        while name in self._codecs and first + made in segments:
            made += 1
        return made

    def _track(self, name: str, first: int) -> Track:
        segments = self._segments.get(name, {})
        if sorted(segments) != list(range(first, first + len(segments))):
            raise PermanentError(Reason.INTERNAL, f"Segments of {name} are missing.")
        if name not in self._codecs:
            raise PermanentError(Reason.INTERNAL, f"The init file of {name} is missing.")
        ordered = tuple(segments[index] for index in sorted(segments))
        return Track(self._codecs[name], first, ordered)
