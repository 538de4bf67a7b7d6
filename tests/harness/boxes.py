"""A reader of the MP4 boxes that the conformance checks look at (ISO/IEC 14496-12), independent of
the product's writer; the boxes themselves are read as `millrace verify` reads them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cli.media import segments
from cli.media.segments import boxes

__all__ = ["Fragment", "Init", "boxes", "read_fragment", "read_init"]


@dataclass(frozen=True)
class Init:
    """What an init segment says of its only track."""

    codecs: str
    """RFC 6381, derived from avcC, hvcC, av1C or esds."""
    timescale: int
    begin: int
    """Composition time (ticks) shown at time zero: the edit list's."""
    width: int
    height: int
    sample_rate_hz: int
    channels: int


@dataclass(frozen=True)
class Fragment:
    """What a media segment says of its samples."""

    decode_time: int
    durations: tuple[int, ...]
    sizes: tuple[int, ...]
    sync: tuple[bool, ...]
    offsets: tuple[int, ...]
    """Composition minus decode time, ticks."""
    data_at: int
    """Offset of the first sample in the file."""

    @property
    def first_shown(self) -> int:
        """The earliest composition time."""
        decoded, shown = self.decode_time, []
        for duration, offset in zip(self.durations, self.offsets, strict=True):
            shown.append(decoded + offset)
            decoded += duration
        return min(shown)


def read_init(content: bytes) -> Init:
    found = {kind: begin for kind, begin, _ in boxes(content)}
    (timescale,) = struct.unpack_from(">I", content, found[b"mdhd"] + 12)
    begin = 0
    if b"elst" in found:
        (begin,) = struct.unpack_from(">i", content, found[b"elst"] + 12)
    width = height = rate = channels = 0
    picture = next((kind for kind in (b"avc1", b"hvc1", b"av01") if kind in found), None)
    if picture is not None:
        width, height = struct.unpack_from(">HH", content, found[picture] + 24)
    else:
        channels, _, _, rate = struct.unpack_from(">HHII", content, found[b"mp4a"] + 16)
    (codecs,) = segments.codecs(content)
    return Init(codecs, timescale, begin, width, height, rate >> 16, channels)


def read_fragment(content: bytes) -> Fragment:
    """The one fragment of a media segment."""
    found = {kind: begin for kind, begin, _ in boxes(content)}
    kinds = [kind for kind, _, _ in boxes(content)]
    assert kinds.count(b"moof") == kinds.count(b"trun") == kinds.count(b"mdat") == 1
    assert content[found[b"tfdt"]] == 1
    (decode_time,) = struct.unpack_from(">Q", content, found[b"tfdt"] + 4)
    at = found[b"trun"]
    flags, count, offset = struct.unpack_from(">III", content, at)
    fields = "III" + ("i" if flags & 0x800 else "")
    assert flags & 0xF01 in (0x701, 0xF01), "durations, sizes and flags of every sample"
    step = struct.calcsize(">" + fields)
    rows = [struct.unpack_from(">" + fields, content, at + 12 + n * step) for n in range(count)]
    assert found[b"moof"] - 8 + offset == found[b"mdat"], "the samples begin where mdat does"
    return Fragment(
        decode_time=decode_time,
        durations=tuple(row[0] for row in rows),
        sizes=tuple(row[1] for row in rows),
        sync=tuple(not row[2] & 0x10000 for row in rows),
        offsets=tuple(row[3] if len(row) > 3 else 0 for row in rows),
        data_at=found[b"mdat"],
    )
