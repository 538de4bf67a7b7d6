"""Levels of H.264, HEVC and AV1: what a decoder must at least be able to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Codec(StrEnum):
    """As plans name them."""

    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"


BUFFER_SECONDS = Fraction(3, 2)
"""Size of the decoder's buffer model, in seconds at the maximum rate."""


@dataclass(frozen=True, slots=True)
class _Level:
    name: str
    samples_per_s: int
    samples: int
    """Of a picture: luma samples, of H.264 in whole macroblocks."""
    bits_per_s: int
    longest_side: tuple[int, int]
    """Of width and height, samples."""
    buffer_bits: int | None = None
    """None: not a limit here."""


_MACROBLOCK = 256
_HIGH_PROFILE = Fraction(5, 4)
"""High profile may have a quarter more bits than the table says (H.264 A.3.3)."""
_H264 = (
    # level, macroblocks a second, macroblocks a frame, kbit/s of Main profile: ITU-T H.264 A-1;
    # lower ones have no room for reference frames, and their decoders have died out
    ("3.0", 40_500, 1_620, 10_000),
    ("3.1", 108_000, 3_600, 14_000),
    ("3.2", 216_000, 5_120, 20_000),
    ("4.0", 245_760, 8_192, 20_000),
    ("4.1", 245_760, 8_192, 50_000),
    ("4.2", 522_240, 8_704, 50_000),
    ("5.0", 589_824, 22_080, 135_000),
    ("5.1", 983_040, 36_864, 240_000),
    ("5.2", 2_073_600, 36_864, 240_000),
)
_HEVC = (
    # level, luma samples a second, luma samples a picture, kbit/s and kbit of buffer in the Main
    # tier: ITU-T H.265 A.8, A.9
    ("2.0", 3_686_400, 122_880, 1_500),
    ("2.1", 7_372_800, 245_760, 3_000),
    ("3.0", 16_588_800, 552_960, 6_000),
    ("3.1", 33_177_600, 983_040, 10_000),
    ("4.0", 66_846_720, 2_228_224, 12_000),
    ("4.1", 133_693_440, 2_228_224, 20_000),
    ("5.0", 267_386_880, 8_912_896, 25_000),
    ("5.1", 534_773_760, 8_912_896, 40_000),
    ("5.2", 1_069_547_520, 8_912_896, 60_000),
    ("6.0", 1_069_547_520, 35_651_584, 60_000),
    ("6.1", 2_139_095_040, 35_651_584, 120_000),
    ("6.2", 4_278_190_080, 35_651_584, 240_000),
)
_AV1 = (
    # level, luma samples shown a second, luma samples a picture, width, height, kbit/s in the Main
    # tier: AV1 A.3
    ("2.0", 4_423_680, 147_456, 2_048, 1_152, 1_500),
    ("2.1", 8_363_520, 278_784, 2_816, 1_584, 3_000),
    ("3.0", 19_975_680, 665_856, 4_352, 2_448, 6_000),
    ("3.1", 31_950_720, 1_065_024, 5_504, 3_096, 10_000),
    ("4.0", 70_778_880, 2_359_296, 6_144, 3_456, 12_000),
    ("4.1", 141_557_760, 2_359_296, 6_144, 3_456, 20_000),
    ("5.0", 267_386_880, 8_912_896, 8_192, 4_352, 30_000),
    ("5.1", 534_773_760, 8_912_896, 8_192, 4_352, 40_000),
    ("5.2", 1_069_547_520, 8_912_896, 8_192, 4_352, 60_000),
    ("6.0", 1_069_547_520, 35_651_584, 16_384, 8_704, 60_000),
    ("6.1", 2_139_095_040, 35_651_584, 16_384, 8_704, 100_000),
    ("6.2", 4_278_190_080, 35_651_584, 16_384, 8_704, 160_000),
)


def _square_root_of_eight(samples: int) -> tuple[int, int]:
    """H.264 A.3.1, H.265 A.4.1: no side is longer than the root of 8 × the picture's samples."""
    side = int((8 * samples) ** 0.5)
    return side, side


def _h264() -> Iterator[_Level]:
    for name, per_second, per_frame, kbps in _H264:
        samples = per_frame * _MACROBLOCK
        bits_per_s = int(kbps * 1000 * _HIGH_PROFILE)
        sides = _square_root_of_eight(samples)
        yield _Level(name, per_second * _MACROBLOCK, samples, bits_per_s, sides)


def _hevc() -> Iterator[_Level]:
    for name, per_second, samples, kbps in _HEVC:
        sides = _square_root_of_eight(samples)
        yield _Level(name, per_second, samples, kbps * 1000, sides, kbps * 1000)


def _av1() -> Iterator[_Level]:
    for name, per_second, samples, width, height, kbps in _AV1:
        yield _Level(name, per_second, samples, kbps * 1000, (width, height))


_LEVELS: Mapping[Codec, tuple[_Level, ...]] = {
    Codec.H264: tuple(_h264()),
    Codec.HEVC: tuple(_hevc()),
    Codec.AV1: tuple(_av1()),
}


def level(
    width: int,
    height: int,
    frame_rate: Fraction,
    maxrate_bps: int,
    codec: Codec = Codec.H264,
) -> str:
    """The lowest level that carries such pictures, of H.264 "3.0" at least; else the highest."""
    if codec is Codec.H264:  # which counts whole macroblocks
        width, height = -(-width // 16) * 16, -(-height // 16) * 16
    buffer_bits = maxrate_bps * BUFFER_SECONDS
    for each in _LEVELS[codec]:
        if (
            width * height <= each.samples
            and width * height * frame_rate <= each.samples_per_s
            and width <= each.longest_side[0]
            and height <= each.longest_side[1]
            and maxrate_bps <= each.bits_per_s
            and (each.buffer_bits is None or buffer_bits <= each.buffer_bits)
        ):
            return each.name
    return _LEVELS[codec][-1].name
