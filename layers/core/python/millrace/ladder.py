"""The named ladders: which renditions a video may get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Rung:
    """One rendition of a ladder, before it meets a source."""

    name: str
    short_side: int
    """Height of a landscape picture, width of a portrait one."""
    maxrate_bps: int
    crf: int = 23


LADDERS: Mapping[str, tuple[Rung, ...]] = {
    "default": (
        Rung("1080p", 1080, 5_000_000),
        Rung("720p", 720, 2_800_000),
        Rung("480p", 480, 1_400_000),
        Rung("360p", 360, 800_000),
    ),
}
"""Highest first. The last rung's rate is also the cap of a source smaller than it."""

PER_TITLE: frozenset[str] = frozenset()
"""Names of the ladders that are fitted to each video before it is planned; none unless chosen."""

TARGET_VMAF = 93
"""What the best rendition of a fitted ladder is to reach: few see a difference above it."""

BUFFER_SECONDS = Fraction(3, 2)
"""Size of the decoder's buffer model, in seconds at the maximum rate."""

_LEVELS = (
    # level, macroblocks a second, macroblocks a frame, kbit/s of Main profile: ITU-T H.264 A-1
    ("1", 1_485, 99, 64),
    ("1.1", 3_000, 396, 192),
    ("1.2", 6_000, 396, 384),
    ("1.3", 11_880, 396, 768),
    ("2", 11_880, 396, 2_000),
    ("2.1", 19_800, 792, 4_000),
    ("2.2", 20_250, 1_620, 4_000),
    ("3", 40_500, 1_620, 10_000),
    ("3.1", 108_000, 3_600, 14_000),
    ("3.2", 216_000, 5_120, 20_000),
    ("4", 245_760, 8_192, 20_000),
    ("4.1", 245_760, 8_192, 50_000),
    ("4.2", 522_240, 8_704, 50_000),
    ("5", 589_824, 22_080, 135_000),
    ("5.1", 983_040, 36_864, 240_000),
    ("5.2", 2_073_600, 36_864, 240_000),
)
_HIGH_PROFILE = Fraction(5, 4)
"""High profile may have a quarter more bits than the table says (H.264 A.3.3)."""
_LOWEST = "3"
"""Decoders of lower levels have died out, and a low level leaves no room for reference frames."""


def level(width: int, height: int, frame_rate: Fraction, maxrate_bps: int) -> str:
    """The lowest H.264 level that carries such pictures, "3" at least, as the encoder names it."""
    columns, rows = -(-width // 16), -(-height // 16)
    blocks = columns * rows
    fits = False
    for name, per_second, per_frame, kbps in _LEVELS:
        fits = fits or name == _LOWEST
        # A.3.1: neither side may be longer than the square root of 8 × the frame size.
        sides = max(columns, rows) ** 2 <= 8 * per_frame
        rate = maxrate_bps <= kbps * 1000 * _HIGH_PROFILE
        if fits and blocks <= per_frame and sides and blocks * frame_rate <= per_second and rate:
            return name if "." in name else f"{name}.0"
    return "5.2"
