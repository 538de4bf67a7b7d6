"""What the coded samples themselves say: H.264 parameter sets and pictures (ITU-T H.264), and AAC's
configuration (ISO/IEC 14496-3). Independent of the product."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tests.harness.boxes import Fragment, boxes

_IDR, _SPS = 5, 7
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_LEVEL_LIMITS = {
    **{10: (99, 1485), 11: (396, 3000), 12: (396, 6000), 13: (396, 11880), 20: (396, 11880)},
    **{21: (792, 19800), 22: (1620, 20250), 30: (1620, 40500), 31: (3600, 108000)},
    **{32: (5120, 216000), 40: (8192, 245760), 41: (8192, 245760), 42: (8704, 522240)},
    **{50: (22080, 589824), 51: (36864, 983040), 52: (36864, 2073600)},
}
"""Table A-1: macroblocks a picture and a second."""


class _Bits:
    """Reads a raw byte sequence payload (7.2)."""

    def __init__(self, payload: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in payload.replace(b"\0\0\3", b"\0\0"))
        self._at = 0

    def u(self, count: int) -> int:
        self._at += count
        return int(self._bits[self._at - count : self._at] or "0", 2)

    def ue(self) -> int:
        """9.1"""
        zeros = self._bits.index("1", self._at) - self._at
        self._at += zeros
        return self.u(zeros + 1) - 1


@dataclass(frozen=True)
class Sps:
    codecs: str
    profile: int
    level: int
    width: int
    height: int
    frames_only: bool
    square: bool
    """Sample aspect ratio 1:1, or none."""
    color: tuple[int, int, int] | None
    """Primaries, transfer, matrix."""
    full_range: bool

    @property
    def macroblocks(self) -> int:
        return -(-self.width // 16) * -(-self.height // 16)

    def fits_level(self, pictures_per_s: float) -> bool:
        size, rate = _LEVEL_LIMITS[self.level]
        return self.macroblocks <= size and self.macroblocks * pictures_per_s <= rate


def read_sps(unit: bytes) -> Sps:
    """7.3.2.1.1, for 4:2:0 without scaling lists."""
    assert unit[0] & 31 == _SPS
    bits = _Bits(unit[4:])
    bits.ue()  # seq_parameter_set_id
    if unit[1] in (100, 110, 122, 244):
        assert bits.ue() == 1, "4:2:0"
        assert (bits.ue(), bits.ue()) == (0, 0), "8 bits"
        bits.u(1)
        assert bits.u(1) == 0, "no scaling lists"
    bits.ue()  # log2_max_frame_num_minus4
    _skip_order_count(bits)
    bits.ue()  # max_num_ref_frames
    bits.u(1)
    columns, rows = bits.ue() + 1, bits.ue() + 1
    frames_only = bits.u(1) == 1
    if not frames_only:
        bits.u(1)
    bits.u(1)
    left, right, top, bottom = [bits.ue() for _ in range(4)] if bits.u(1) else (0, 0, 0, 0)
    unit_y = 2 if frames_only else 4
    square, full_range, color = _read_vui(bits) if bits.u(1) else (True, False, None)
    return Sps(
        codecs=f"avc1.{unit[1:4].hex()}",
        profile=unit[1],
        level=unit[3],
        width=16 * columns - 2 * (left + right),
        height=16 * rows * (1 if frames_only else 2) - unit_y * (top + bottom),
        frames_only=frames_only,
        square=square,
        color=color,
        full_range=full_range,
    )


def _skip_order_count(bits: _Bits) -> None:
    kind = bits.ue()
    assert kind in (0, 2)
    if kind == 0:
        bits.ue()


def _read_vui(bits: _Bits) -> tuple[bool, bool, tuple[int, int, int] | None]:
    """E.1.1, as far as the colour description."""
    square, full_range, color = True, False, None
    if bits.u(1):
        aspect = bits.u(8)
        ratio = (bits.u(16), bits.u(16)) if aspect == 255 else (1, 1)
        square = aspect in (0, 1) or (aspect == 255 and ratio[0] == ratio[1])
    if bits.u(1):
        bits.u(1)
    if bits.u(1):
        bits.u(3)
        full_range = bits.u(1) == 1
        color = (bits.u(8), bits.u(8), bits.u(8)) if bits.u(1) else None
    return square, full_range, color


def sps_of(init: bytes) -> Sps:
    """The only one in avcC (ISO/IEC 14496-15, 5.3.3.1)."""
    (begin,) = [begin for kind, begin, _ in boxes(init) if kind == b"avcC"]
    assert init[begin + 5] & 31 == 1, "one sequence parameter set"
    (size,) = struct.unpack_from(">H", init, begin + 6)
    unit = init[begin + 8 : begin + 8 + size]
    assert unit[1:4] == init[begin + 1 : begin + 4], "avcC and its SPS differ in profile or level"
    return read_sps(unit)


def units(sample: bytes) -> Iterator[bytes]:
    """NAL units with four-byte lengths."""
    at = 0
    while at < len(sample):
        (size,) = struct.unpack_from(">I", sample, at)
        assert 0 < size <= len(sample) - at - 4, "a NAL unit goes beyond its sample"
        yield sample[at + 4 : at + 4 + size]
        at += 4 + size


def samples_of(segment: bytes, fragment: Fragment) -> Iterator[bytes]:
    at = fragment.data_at
    for size in fragment.sizes:
        yield segment[at : at + size]
        at += size


def is_idr(sample: bytes) -> bool:
    """All its slices are of an IDR picture."""
    kinds = {unit[0] & 31 for unit in units(sample)} & {1, 2, 3, 4, _IDR}
    assert kinds, "a sample without a slice"
    return kinds == {_IDR}


@dataclass(frozen=True)
class AacConfig:
    object_type: int
    sample_rate_hz: int
    channels: int


def aac_config(init: bytes) -> AacConfig:
    """1.6.2.1; the descriptors before it are those of `boxes`."""
    (begin,) = [begin for kind, begin, _ in boxes(init) if kind == b"esds"]
    (value,) = struct.unpack_from(">H", init, begin + 26)
    return AacConfig(value >> 11, _AAC_RATES[value >> 7 & 15], value >> 3 & 15)
