"""What a person wants of a conversion, as the command line says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.media.effort import ALL_OF_IT, Effort
from cli.media.failures import Failure
from cli.media.job import Crop
from cli.media.params import AUDIO_RATE, BYTES, TIME, VIDEO_RATE, Read
from cli.media.presets import Quality

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])
CODECS = ("h264", "hevc", "av1", "vp9", "copy")
SPEEDS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")
_RATES = ("crf", "bitrate_bps", "size_bytes", "target_vmaf")
_OF_PICTURES = ("codec", "speed", *_RATES, "two_pass", "crop", "scale", "fps", "hdr")


@dataclass(frozen=True, slots=True)
class Scale:
    """A size to scale to: exactly one way of saying it."""

    short_side: int | None = None
    """`720p`."""
    box: tuple[int, int] | None = None
    """`1280x720`: fitted inside, aspect ratio kept; `exact`: those very pixels."""
    exact: bool = False
    part: Fraction | None = None
    """`50%`."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """Which tracks of a kind are kept: all, or those numbers (from 1) and languages."""

    all: bool = True
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wishes:
    """None and the like: not asked for."""

    quality: Quality | None = None
    codec: str | None = None
    speed: str | None = None
    crf: float | None = None
    bitrate_bps: int | None = None
    size_bytes: int | None = None
    target_vmaf: float | None = None
    two_pass: bool = False
    crop: Crop | None = None
    scale: Scale | None = None
    fps: Fraction | None = None
    start_s: float = 0.0
    end_s: float | None = None
    audio: Tracks = field(default_factory=Tracks)
    audio_codec: str | None = None
    audio_bitrate_bps: int | None = None
    channels: int | None = None
    subtitles: Tracks = field(default_factory=Tracks)
    hdr: str | None = None
    metadata: bool = True
    chapters: bool = True
    effort: Effort = ALL_OF_IT
    pictures: bool = True
    """False: sound alone, whatever else there is."""

    @property
    def of_pictures(self) -> tuple[str, ...]:
        """The options that were given and are about pictures alone."""
        given = [name for name in _OF_PICTURES if getattr(self, name)]
        given += ["subtitles"] if self.subtitles.names and not self.pictures else []
        return tuple(_flag(name) for name in given)

    @property
    def cut(self) -> bool:
        """Only a part of the time is wanted."""
        return self.start_s > 0 or self.end_s is not None

    @property
    def rated(self) -> bool:
        """The pictures' quality or rate is asked for, so that they have to be encoded."""
        asked = (self.quality, self.speed, self.crf, self.bitrate_bps, self.size_bytes)
        return any(value is not None for value in (*asked, self.target_vmaf))

    @property
    def reshaped(self) -> bool:
        return any(value is not None for value in (self.crop, self.scale, self.fps))


def read_scale(text: str) -> Scale:
    """Raises:
    ValueError: none of the ways of `Scale`.
    """
    if found := re.fullmatch(r"(\d{2,5})p", text):
        return Scale(short_side=int(found[1]))
    if found := re.fullmatch(r"(\d{2,5})[x:×](\d{2,5})(!?)", text):
        return Scale(box=(int(found[1]), int(found[2])), exact=bool(found[3]))
    if (found := re.fullmatch(r"(\d{1,3}(?:\.\d+)?)%", text)) and Fraction(found[1]) > 0:
        return Scale(part=Fraction(found[1]) / 100)
    raise ValueError(f"{text!r} is no size: write 720p, 1280x720, 1280x720! (exactly) or 50%")


def read_crop(text: str) -> Crop:
    """`WIDTH:HEIGHT:X:Y`, as ffmpeg's filter has it.

    Raises:
        ValueError: not that.
    """
    found = re.fullmatch(r"(\d+):(\d+):(\d+):(\d+)", text)
    if not found or not (int(found[1]) and int(found[2])):
        raise ValueError(f"{text!r} is no part of a picture: write WIDTH:HEIGHT:X:Y")
    width, height, x, y = map(int, found.groups())
    return Crop(x, y, width, height)


def read_fps(text: str) -> Fraction:
    """`25`, `29.97`, `30000/1001`; what is as good as a rate of NTSC is that rate.

    Raises:
        ValueError: no rate, or not of 1 to 240.
    """
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"{text!r} is no frame rate") from error
    ntsc = Fraction(round(value * Fraction(1001, 1000)) * 1000, 1001)
    if value.denominator != 1 and abs(value - ntsc) < Fraction(1, 200):
        value = ntsc
    if not 1 <= value <= 240:
        raise ValueError(f"{text!r} is not a frame rate of 1 to 240")
    return value.limit_denominator(1001)


def read_tracks(text: str) -> Tracks:
    """`all`, `none`, `1,3`, `eng,deu`.

    Raises:
        ValueError: none of these.
    """
    if text in ("all", "none"):
        return Tracks(all=text == "all")
    names = tuple(text.split(","))
    if not all(re.fullmatch(r"\d{1,3}|[a-z]{3}", name) for name in names):
        raise ValueError(f"{text!r} are no tracks: write all, none, 1,2 or eng,deu")
    return Tracks(all=False, names=names)


_TRACKS = Read("tracks", read_tracks)
_OPTIONS = (
    click.option(
        "--quality",
        type=click.Choice([it.value for it in Quality]),
        help="What the file is for; `millrace presets` explains. Default: medium.",
    ),
    click.option(
        "--codec",
        type=click.Choice(CODECS),
        help="Of the pictures. Default: copy if possible, else h264 (.webm: vp9).",
    ),
    click.option(
        "--speed",
        type=click.Choice(SPEEDS),
        help="Slower makes files smaller. Default: that of the quality.",
    ),
    click.option(
        "--crf",
        type=click.FloatRange(1, 63),
        metavar="NUMBER",
        help="Constant quality; less is better and larger.",
    ),
    click.option(
        "--bitrate", "bitrate_bps", type=VIDEO_RATE, help="Average of the pictures: 2.5M."
    ),
    click.option(
        "--size",
        "size_bytes",
        type=BYTES,
        help="Most that the file may have: 25MB. Two passes (av1: one) if it is too large.",
    ),
    click.option(
        "--target-vmaf",
        type=click.FloatRange(50, 99),
        metavar="NUMBER",
        help="Encode samples to find the CRF that reaches this VMAF.",
    ),
    click.option("--two-pass", is_flag=True, help="Two passes to meet --bitrate (av1: one)."),
    click.option(
        "--crop",
        type=Read("w:h:x:y", read_crop),
        help="Keep this part, in pixels of the upright picture.",
    ),
    click.option(
        "--scale",
        type=Read("size", read_scale),
        help="720p (short side), 1280x720 (fit inside), 1280x720! (exactly) or 50%.",
    ),
    click.option(
        "--fps",
        type=Read("rate", read_fps),
        help="Constant frame rate: 25, 30000/1001. Default: as in the source.",
    ),
    click.option(
        "--start", "start_s", type=TIME, default=0.0, help="Begin at 90, 1:30, 1:02:03.5."
    ),
    click.option("--end", "end_s", type=TIME, help="End there, in the source's time."),
    click.option(
        "--audio",
        type=_TRACKS,
        default="all",
        help="Sound tracks to keep: all, none, by number 1,2 or language eng,deu. Default: all.",
    ),
    click.option(
        "--audio-codec",
        type=click.Choice(["aac", "opus", "copy"]),
        help="Of the sound. Default: copy if possible, else aac (.webm: opus).",
    ),
    click.option(
        "--audio-bitrate", "audio_bitrate_bps", type=AUDIO_RATE, help="Of each sound track: 128k."
    ),
    click.option(
        "--channels",
        type=click.Choice(["1", "2", "6"]),
        help="Mix each sound track to mono, stereo or 5.1.",
    ),
    click.option(
        "--subtitles", type=_TRACKS, default="all", help="Subtitle tracks to keep, like --audio."
    ),
    click.option(
        "--hdr",
        type=click.Choice(["tonemap", "keep"]),
        help="Map HDR to SDR, or keep it. Default: keep (h264: tonemap).",
    ),
    click.option(
        "--metadata/--no-metadata", default=True, help="Carry titles, dates and other tags over."
    ),
    click.option("--chapters/--no-chapters", default=True, help="Carry chapters over."),
)


def options(command: _Decorated) -> _Decorated:
    """All of these on a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def of(chosen: dict[str, Any]) -> Wishes:
    """Args:
    chosen: what Click read; other members than ours are ignored.

    Raises:
        Failure: options that exclude each other.
    """
    rates = [name for name in _RATES if chosen[name] is not None]
    if len(rates) > 1:
        named = " and ".join(_flag(name) for name in rates)
        raise Failure("USAGE", f"{named} exclude each other.", advice="choose one of them")
    if chosen["two_pass"] and not (chosen["bitrate_bps"] or chosen["size_bytes"]):
        advice = "add --bitrate or --size; one pass is as good for constant quality"
        raise Failure("USAGE", "--two-pass needs a rate to meet.", advice=advice)
    end_s = chosen["end_s"]
    if end_s is not None and end_s <= chosen["start_s"]:
        raise Failure("USAGE", "--end is not after --start.", advice="both count from the begin")
    names = {name for name in Wishes.__slots__ if name in chosen} - {"effort", "channels"}
    return Wishes(
        **{name: chosen[name] for name in names},
        channels=int(chosen["channels"]) if chosen["channels"] else None,
        effort=Effort(chosen["threads"], chosen["niceness"]),
    )


def _flag(name: str) -> str:
    return "--" + name.removesuffix("_bps").removesuffix("_bytes").replace("_", "-")


_OF_SOUND = {".m4a": "mp4", ".mka": "mkv"}


def container_of(target: Path) -> str:
    """By the output's suffix.

    Raises:
        Failure: a container we do not write.
    """
    known = {".mp4": "mp4", ".m4v": "mp4", ".mkv": "mkv", ".webm": "webm", **_OF_SOUND}
    found = known.get(target.suffix.lower())
    if found is None:
        suffix = target.suffix or "no suffix"
        message = f"The output's suffix chooses the container, and {suffix} is none of ours."
        advice = "write to .mp4, .mkv or .webm; .m4a or .mka for sound alone"
        raise Failure("USAGE", message, file=target, advice=advice)
    return found


def has_pictures(target: Path) -> bool:
    """By the output's suffix: one may."""
    return target.suffix.lower() not in _OF_SOUND
