"""A reader of the MP4 boxes that the conformance checks look at (ISO/IEC 14496-12), independent of
the product's writer."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts", b"mvex"}
_ENTRY_HEADERS = {b"avc1": 78, b"hvc1": 78, b"av01": 78, b"mp4a": 28}
"""Bytes of a sample entry before its boxes (8.5.2.2, 12.1.3, 12.2.3)."""


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


def boxes(
    content: bytes, start: int = 0, end: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """(type, begin of the payload, end) of every box, depth first; each must fit its parent."""
    end = len(content) if end is None else end
    while start < end:
        size, kind = struct.unpack_from(">I4s", content, start)
        assert 8 <= size <= end - start, f"{kind!r} at {start} has {size} bytes of {end - start}"
        yield kind, start + 8, start + size
        if kind in _CONTAINERS:
            yield from boxes(content, start + 8, start + size)
        elif kind == b"stsd":
            yield from boxes(content, start + 16, start + size)
        elif kind in _ENTRY_HEADERS:
            yield from boxes(content, start + 8 + _ENTRY_HEADERS[kind], start + size)
        start += size


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
        codecs = _video_codecs(content, found)
    else:
        channels, _, _, rate = struct.unpack_from(">HHII", content, found[b"mp4a"] + 16)
        codecs = _audio_codecs(content[found[b"esds"] :])
    return Init(codecs, timescale, begin, width, height, rate >> 16, channels)


def _video_codecs(content: bytes, found: dict[bytes, int]) -> str:
    if b"avc1" in found:
        return f"avc1.{content[found[b'avcC'] + 1 : found[b'avcC'] + 4].hex()}"
    if b"hvc1" in found:
        return _hevc_codecs(content[found[b"hvcC"] :])
    return _av1_codecs(content[found[b"av1C"] :], content[found[b"colr"] :])


def _hevc_codecs(record: bytes) -> str:
    """ISO/IEC 14496-15, E.3, for a general_profile_space of zero."""
    profile, compatibility, constraints, level = struct.unpack_from(">BI6sB", record, 1)
    mirrored = int(f"{compatibility:032b}"[::-1], 2)
    tier = "H" if profile & 0x20 else "L"
    bytes_set = constraints.rstrip(b"\0")
    parts = [f"{profile & 0x1F}", f"{mirrored:X}", f"{tier}{level}", *(f"{b:X}" for b in bytes_set)]
    return ".".join(["hvc1", *parts])


def _av1_codecs(record: bytes, colour: bytes) -> str:
    """AV1 in ISOBMFF, 5: the colours only where they are not the defaults."""
    profile, level, tier = record[1] >> 5, record[1] & 0x1F, "H" if record[2] & 0x80 else "M"
    codecs = f"av01.{profile}.{level:02d}{tier}.{10 if record[2] & 0x40 else 8:02d}"
    assert colour[:4] == b"nclx"
    tags = struct.unpack_from(">HHH", colour, 4)
    if tags == (1, 1, 1):
        return codecs
    sampling = f"{record[2] >> 3 & 1}{record[2] >> 2 & 1}{record[2] & 3}"
    colours = ".".join(f"{tag:02d}" for tag in tags)
    return f"{codecs}.{record[2] >> 4 & 1}.{sampling}.{colours}.{colour[10] >> 7}"


def _audio_codecs(esds: bytes) -> str:
    """ISO/IEC 14496-1, 7.2.6: ES, decoder configuration and AudioSpecificConfig descriptors, all
    shorter than 128 bytes here."""
    assert (esds[4], esds[9]) == (0x03, 0x04)
    assert esds[24] == 0x05
    return f"mp4a.{esds[11]:02x}.{esds[26] >> 3}"


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
