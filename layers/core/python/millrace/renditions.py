"""Which renditions a source gets from a ladder: never enlarged, the display's aspect kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from millrace import ladder, levels
from millrace.ladder import Rung
from millrace.levels import Codec
from millrace.media import VideoStream

LONGEST_SIDE = 4096
"""Pixels: the widest picture that common decoders take."""
_USUAL_AVERAGE = Fraction(2, 3)
"""Average ÷ cap where the average rate is asked for and the rung names none: with a buffer of a
second and a half, room for a scene to take half as much again."""


class RateControl(StrEnum):
    """How many bits pictures get, as plans name it; docs/ENGINE.md, "Encoding"."""

    CRF = "crf"
    """Constant quality, capped."""
    ABR = "abr"
    """A given average, capped."""
    CBR = "cbr"
    """The same rate all the time."""


@dataclass(frozen=True, slots=True)
class Rendition:
    name: str
    width: int
    height: int
    codec: str
    profile: str
    level: str
    crf: int
    maxrate_bps: int
    bufsize_bits: int
    rate_control: RateControl = RateControl.CRF
    bitrate_bps: int | None = None
    """None with `RateControl.CRF`."""


def of(
    source: VideoStream, rate: Fraction, rungs: Sequence[Rung], control: RateControl
) -> Iterator[Rendition]:
    """The renditions of a source, in the order of the ladder.

    Args:
        rate: frames a second of all renditions.
        rungs: each codec's rungs highest first.
    """
    short = min(source.display_width, source.display_height)
    fitting = [rung for rung in rungs if rung.short_side <= short]
    if not fitting:
        side = max(2, short - short % 2)
        last = [rung for rung in rungs if rung.codec is rungs[0].codec][-1]
        fitting = [replace(last, name=f"{side}p", short_side=side)]
    made: set[tuple[str, int, int]] = set()
    for rung in fitting:
        rendition = _rendition(rung, *_size(source, rung.short_side), rate, control)
        kind = (rendition.codec, rendition.width, rendition.height)
        if kind in made:
            continue  # a very long picture: `LONGEST_SIDE` made two rungs the same
        made.add(kind)
        yield rendition


def _rendition(
    rung: Rung, width: int, height: int, rate: Fraction, control: RateControl
) -> Rendition:
    """HEVC and AV1 do without pictures that their encoders do not take: those become H.264."""
    codec, crf = rung.codec, rung.crf
    if min(width, height) < ladder.LEAST_SIDE[codec]:
        codec, crf = Codec.H264, ladder.USUAL_CRF[Codec.H264]
    bitrate_bps = _bitrate_bps(rung, control)
    # A constant rate is its own cap.
    cap_bps = bitrate_bps if bitrate_bps and control is RateControl.CBR else rung.maxrate_bps
    return Rendition(
        name=rung.name,
        width=width,
        height=height,
        codec=codec.value,
        profile="high" if codec is Codec.H264 else "main",
        level=levels.level(width, height, rate, cap_bps, codec),
        crf=crf,
        maxrate_bps=cap_bps,
        bufsize_bits=int(cap_bps * levels.BUFFER_SECONDS),
        rate_control=control,
        bitrate_bps=bitrate_bps,
    )


def _bitrate_bps(rung: Rung, control: RateControl) -> int | None:
    if control is RateControl.CRF:
        return None
    usual = rung.maxrate_bps
    if control is RateControl.ABR:
        usual = int(rung.maxrate_bps * _USUAL_AVERAGE)
    return rung.bitrate_bps or usual


def _size(source: VideoStream, short_side: int) -> tuple[int, int]:
    """Even dimensions with the display aspect; a very long picture is made smaller as a whole."""
    short = min(source.display_width, source.display_height)
    ratio = Fraction(max(source.display_width, source.display_height), short)
    side = Fraction(short_side)
    if side * ratio > LONGEST_SIDE:
        side = LONGEST_SIDE / ratio
    pair = (_even(side * ratio), _even(side))
    return pair if source.display_width >= source.display_height else (pair[1], pair[0])


def _even(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))
