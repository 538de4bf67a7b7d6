"""What the engine's `convert` is asked for (docs/ENGINE.md)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from cli.media import engine
from cli.media.effort import ALL_OF_IT, Effort
from cli.media.engine import Line
from cli.media.failures import Failure, from_os

COPY = "copy"


@dataclass(frozen=True, slots=True)
class Crop:
    """In upright source pixels, before scaling."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Video:
    stream: int
    codec: str
    """`COPY`, or what to encode with."""
    preset: str = "medium"
    crf: float | None = None
    """None with `bitrate_bps`."""
    bitrate_bps: int | None = None
    stats: str | None = None
    """Path prefix of what the first of two passes notes; None: one pass."""
    crop: Crop | None = None
    width: int | None = None
    """None: the source's, upright."""
    height: int | None = None
    fps: Fraction | None = None
    """None: the source's timestamps."""
    hdr: str = "tonemap"
    pixel_depth: int = 8
    key_frame_interval_s: int = 10

    @property
    def copied(self) -> bool:
        return self.codec == COPY

    def to_json(self, number: int | None) -> dict[str, Any]:
        """Args:
        number: 1 or 2, which of two passes; None: the only one.
        """
        if self.copied:
            return {"stream": self.stream, "codec": COPY}
        rate: dict[str, Any] = {"mode": "crf", "crf": self.crf}
        if self.bitrate_bps is not None:
            rate = {"mode": "abr", "bitrate_bps": self.bitrate_bps}
        return {
            "stream": self.stream,
            "codec": self.codec,
            "preset": self.preset,
            "rate": rate,
            "pass": None if number is None else {"number": number, "stats": self.stats},
            "crop": self.crop and asdict(self.crop),
            "width": self.width,
            "height": self.height,
            "fps": self.fps and [self.fps.numerator, self.fps.denominator],
            "hdr": self.hdr,
            "profile": None,
            "pixel_depth": self.pixel_depth,
            "key_frame_interval_s": self.key_frame_interval_s,
        }


@dataclass(frozen=True, slots=True)
class Audio:
    stream: int
    codec: str
    bitrate_bps: int = 128_000
    """Of a copied one, what it is likely to take."""
    channels: int | None = None
    """None: the source's."""

    def to_json(self) -> dict[str, Any]:
        if self.codec == COPY:
            return {"stream": self.stream, "codec": COPY}
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Subtitles:
    stream: int
    codec: str


@dataclass(frozen=True, slots=True)
class Job:
    container: str
    video: Video | None
    audio: tuple[Audio, ...] = ()
    subtitles: tuple[Subtitles, ...] = ()
    start_s: float = 0.0
    end_s: float | None = None
    metadata: bool = True
    chapters: bool = True

    @property
    def cuts_copies(self) -> bool:
        """What is copied is to begin or end somewhere."""
        copied = any(track.codec == COPY for track in self.audio)
        copied |= self.video is not None and self.video.copied
        return copied and (self.start_s > 0 or self.end_s is not None)

    def to_json(self, number: int | None = None) -> dict[str, Any]:
        """Args:
        number: see `Video.to_json`.
        """
        return {
            "schema_version": 1,
            "container": self.container,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "video": self.video and self.video.to_json(number),
            "audio": [track.to_json() for track in self.audio],
            "subtitles": [asdict(track) for track in self.subtitles],
            "metadata": self.metadata,
            "chapters": self.chapters,
        }


def convert(
    source: Path,
    job: Job,
    output: Path,
    *,
    scratch: Path,
    effort: Effort = ALL_OF_IT,
    number: int | None = None,
    on_line: Callable[[Line], None] | None = None,
    name: Path | None = None,
) -> Line:
    """Have the engine do it.

    Args:
        name: what the source is called in failures, if not by its path.
        scratch: a folder for the job's file.
        number: which of two passes; the first writes no output.

    Returns:
        The engine's `result` line.

    Raises:
        Failure: with the engine's reason.
    """
    file = scratch / f"job-{number or 0}.json"
    try:
        file.write_text(json.dumps(job.to_json(number)))
    except OSError as error:
        raise from_os(error, file) from error
    arguments: list[str | Path] = [
        "convert",
        source,
        "--job",
        file,
        "--output",
        output,
        *effort.arguments,
    ]
    try:
        return engine.run(arguments, file=name or source, on_line=on_line, niceness=effort.niceness)
    except Failure as failure:
        if failure.reason == "USAGE" and job.cuts_copies:
            failure.advice = "choose a longer part, or encode it: a copy cannot be cut anywhere"
        raise
