"""What a done transcode or audio task made: its tracks, small enough for one table item.

A track keeps the size of every segment (as hexadecimal words) and the durations run-length coded:
the longest video in one single chunk (12 hours, four renditions: 43,200 segments) takes about
300 KB of the 400 KB an item may have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

from millrace.errors import PermanentError, Reason


@dataclass(frozen=True, slots=True)
class Segment:
    size_bytes: int
    duration_s: Fraction


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

    def to_json(self) -> dict[str, Any]:
        runs = [
            [duration.numerator, duration.denominator, sum(1 for _ in run)]
            for duration, run in groupby(segment.duration_s for segment in self.segments)
        ]
        sizes = " ".join(f"{segment.size_bytes:x}" for segment in self.segments)
        return {"codecs": self.codecs, "first": self.first, "sizes": sizes, "durations": runs}


def track_from_json(stored: Mapping[str, Any]) -> Track:
    """The track that `Track.to_json` gave."""
    durations = (
        Fraction(num, den) for num, den, count in stored["durations"] for _ in range(count)
    )
    sizes = (int(word, 16) for word in stored["sizes"].split())
    segments = tuple(
        Segment(size, duration) for size, duration in zip(sizes, durations, strict=True)
    )
    return Track(stored["codecs"], stored["first"], segments)


def tracks_from_json(output: Mapping[str, Any]) -> dict[str, Track]:
    """The tracks in a done task's output, by name."""
    return {name: track_from_json(stored) for name, stored in output["tracks"].items()}


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
        segments[line["index"]] = Segment(line["bytes"], duration)

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

    def _track(self, name: str, first: int) -> Track:
        segments = self._segments.get(name, {})
        if sorted(segments) != list(range(first, first + len(segments))):
            raise PermanentError(Reason.INTERNAL, f"Segments of {name} are missing.")
        if name not in self._codecs:
            raise PermanentError(Reason.INTERNAL, f"The init file of {name} is missing.")
        ordered = tuple(segments[index] for index in sorted(segments))
        return Track(self._codecs[name], first, ordered)
