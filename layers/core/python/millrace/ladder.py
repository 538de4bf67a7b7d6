"""The ladders: which renditions a video may get."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from millrace.levels import Codec


@dataclass(frozen=True, slots=True)
class Rung:
    """One rendition of a ladder, before it meets a source."""

    name: str
    short_side: int
    """Height of a landscape picture, width of a portrait one."""
    maxrate_bps: int
    crf: int = 23
    codec: Codec = Codec.H264
    bitrate_bps: int | None = None
    """What average or constant rate control aims at; None: what follows from the cap."""


USUAL_CRF: Mapping[Codec, int] = {Codec.H264: 23, Codec.HEVC: 26, Codec.AV1: 35}
"""About the same quality with each."""
HIGHEST_CRF: Mapping[Codec, int] = {Codec.H264: 51, Codec.HEVC: 51, Codec.AV1: 63}
LEAST_SIDE: Mapping[Codec, int] = {Codec.H264: 2, Codec.HEVC: 64, Codec.AV1: 64}
"""Pixels: smaller pictures their encoders do not take."""

_RATES_BPS = {
    # short side: H.264, HEVC, AV1
    2160: (16_000_000, 10_000_000, 8_000_000),
    1440: (9_000_000, 5_600_000, 4_600_000),
    1080: (5_000_000, 3_200_000, 2_600_000),
    720: (2_800_000, 1_800_000, 1_500_000),
    480: (1_400_000, 900_000, 750_000),
    360: (800_000, 500_000, 420_000),
}


def _rungs(codec: Codec, suffix: str = "") -> tuple[Rung, ...]:
    column = list(Codec).index(codec)
    return tuple(
        Rung(f"{side}p{suffix}", side, rates[column], USUAL_CRF[codec], codec)
        for side, rates in _RATES_BPS.items()
    )


LADDERS: Mapping[str, tuple[Rung, ...]] = {
    "default": _rungs(Codec.H264),
    "hevc": _rungs(Codec.HEVC),
    "av1": _rungs(Codec.AV1),
    "multi": (
        *_rungs(Codec.H264),
        *_rungs(Codec.HEVC, "-hevc"),
        *_rungs(Codec.AV1, "-av1"),
    ),
}
"""Codec by codec, each highest first. The rate of the first codec's last rung is also the cap of a
source smaller than every rung."""

PER_TITLE: frozenset[str] = frozenset()
"""Names of the ladders that are fitted to each video before it is planned; none unless chosen."""

TARGET_VMAF = 93
"""What the best rendition of a fitted ladder is to reach: few see a difference above it."""


class LadderError(ValueError):
    """A ladder that cannot be used; `field` is where, such as "rungs[2].crf"."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


MOST_RUNGS = 24
SHORT_SIDES = range(16, 2160 + 1)
RATES_BPS = range(50_000, 100_000_000 + 1)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_RESERVED = re.compile(r"audio-\d+|stills|subtitles.*|thumbnails.*", re.IGNORECASE)
_FIELDS = {"name", "short_side", "maxrate_bps", "crf", "codec", "bitrate_bps"}


def from_json(document: Any) -> tuple[Rung, ...]:
    """A ladder of one's own; docs/reference/ladders.md describes the document.

    Raises:
        LadderError: naming the first field that is wrong.
    """
    if not isinstance(document, dict) or set(document) != {"rungs"}:
        raise LadderError("ladder", 'must be an object with the one member "rungs"')
    listed = document["rungs"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_RUNGS:
        raise LadderError("rungs", f"must be a list of 1 to {MOST_RUNGS} rungs")
    rungs: list[Rung] = []
    for index, item in enumerate(listed):
        rung = _rung(f"rungs[{index}]", item)
        _check_place(f"rungs[{index}]", rung, rungs)
        rungs.append(rung)
    return tuple(rungs)


def to_json(rungs: Sequence[Rung]) -> dict[str, Any]:
    """The document that `from_json` reads, with every default written out."""
    listed = [asdict(rung) for rung in rungs]
    for item in listed:
        if item["bitrate_bps"] is None:
            del item["bitrate_bps"]
    return {"rungs": listed}


def _rung(where: str, item: Any) -> Rung:
    if not isinstance(item, dict):
        raise LadderError(where, "must be an object")
    for name in item:
        if name not in _FIELDS:
            raise LadderError(f"{where}.{name}", "is not known")
    codec = _codec(f"{where}.codec", item.get("codec", Codec.H264.value))
    short_side = _number(where, item, "short_side", SHORT_SIDES)
    least = LEAST_SIDE[codec]
    if short_side % 2 or short_side < least:
        raise LadderError(f"{where}.short_side", f"must be even, {least} at least with {codec}")
    crfs = range(1, HIGHEST_CRF[codec] + 1)
    maxrate_bps = _number(where, item, "maxrate_bps", RATES_BPS)
    averages = range(RATES_BPS.start, maxrate_bps + 1)
    return Rung(
        name=_name(f"{where}.name", item.get("name")),
        short_side=short_side,
        maxrate_bps=maxrate_bps,
        crf=_number(where, item, "crf", crfs) if "crf" in item else USUAL_CRF[codec],
        codec=codec,
        bitrate_bps=(
            _number(where, item, "bitrate_bps", averages) if "bitrate_bps" in item else None
        ),
    )


def _codec(field: str, value: Any) -> Codec:
    if value not in list(Codec):
        raise LadderError(field, f"must be one of {', '.join(Codec)}")
    return Codec(value)


def _number(where: str, item: Mapping[str, Any], name: str, allowed: range) -> int:
    value = item.get(name)
    if type(value) is not int or value not in allowed:
        bounds = f"{allowed[0]} to {allowed[-1]}"
        raise LadderError(f"{where}.{name}", f"must be a whole number, {bounds}")
    return value


def _name(field: str, value: Any) -> str:
    """It becomes a folder beside those of the sound."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise LadderError(field, "must be 1 to 32 letters, digits, - and _, no sign first")
    if _RESERVED.fullmatch(value):
        raise LadderError(field, "is the name of something else")
    return value


def _check_place(where: str, rung: Rung, before: Sequence[Rung]) -> None:
    if rung.name in {other.name for other in before}:
        raise LadderError(f"{where}.name", "is there twice")
    above = [other for other in before if other.codec is rung.codec]
    if above and above[-1].short_side <= rung.short_side:
        problem = "must be below the one before: each codec's rungs come highest first"
        raise LadderError(f"{where}.short_side", problem)
