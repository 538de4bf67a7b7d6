"""What the segments of a rendition say of themselves: how long each is, and its codecs' names.

MP4 boxes by ISO/IEC 14496-12, names by RFC 6381, transport packets by ISO/IEC 13818-1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts", b"mvex"}
_ENTRY_HEADERS = {b"avc1": 78, b"hvc1": 78, b"hev1": 78, b"av01": 78, b"mp4a": 28}
"""Bytes of a sample entry before its boxes (8.5.2.2, 12.1.3, 12.2.3)."""
_PACKET, _CLOCK = 188, 90_000
_WRAP = 1 << 33


class MalformedError(ValueError):
    """Boxes that do not fit into each other."""


def boxes(
    content: bytes, start: int = 0, end: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """(type, begin of the payload, end) of every box, depth first.

    Raises:
        MalformedError: one that does not fit its parent.
    """
    end = len(content) if end is None else end
    while start < end:
        try:
            size, kind = struct.unpack_from(">I4s", content, start)
            header = 16 if size == 1 else 8
            size = struct.unpack_from(">Q", content, start + 8)[0] if size == 1 else size
        except struct.error as error:
            raise MalformedError(f"a box begins at {start} and ends nowhere") from error
        if not header <= size <= end - start:
            raise MalformedError(f"{kind!r} at {start} has {size} bytes of {end - start}")
        yield kind, start + header, start + size
        if kind in _CONTAINERS:
            yield from boxes(content, start + header, start + size)
        elif kind == b"stsd":
            yield from boxes(content, start + 16, start + size)
        elif kind in _ENTRY_HEADERS:
            yield from boxes(content, start + 8 + _ENTRY_HEADERS[kind], start + size)
        start += size


def codecs(init: bytes) -> list[str]:
    """Of the tracks of an init segment, as far as we know how they are named (RFC 6381)."""
    found = {kind: begin for kind, begin, _ in boxes(init)}
    names = []
    if b"avcC" in found:
        names.append(f"avc1.{init[found[b'avcC'] + 1 : found[b'avcC'] + 4].hex()}")
    if b"hvcC" in found:
        names.append(_hevc(init[found[b"hvcC"] :], "hvc1" if b"hvc1" in found else "hev1"))
    if b"av1C" in found:
        colour = init[found[b"colr"] :] if b"colr" in found else b""
        names.append(_av1(init[found[b"av1C"] :], colour))
    if b"esds" in found:
        names += filter(None, [_aac(init[found[b"esds"] :])])
    return names


def _hevc(record: bytes, entry: str) -> str:
    """ISO/IEC 14496-15, E.3, for a general_profile_space of zero."""
    profile, compatibility, constraints, level = struct.unpack_from(">BI6sB", record, 1)
    mirrored = int(f"{compatibility:032b}"[::-1], 2)
    tier = "H" if profile & 0x20 else "L"
    bytes_set = constraints.rstrip(b"\0")
    parts = [f"{profile & 0x1F}", f"{mirrored:X}", f"{tier}{level}", *(f"{b:X}" for b in bytes_set)]
    return ".".join([entry, *parts])


def _av1(record: bytes, colour: bytes) -> str:
    """AV1 in ISOBMFF, 5: the colours only where they are not the defaults."""
    profile, level, tier = record[1] >> 5, record[1] & 0x1F, "H" if record[2] & 0x80 else "M"
    name = f"av01.{profile}.{level:02d}{tier}.{10 if record[2] & 0x40 else 8:02d}"
    if colour[:4] != b"nclx":
        return name
    tags = struct.unpack_from(">HHH", colour, 4)
    if tags == (1, 1, 1):
        return name
    sampling = f"{record[2] >> 3 & 1}{record[2] >> 2 & 1}{record[2] & 3}"
    colours = ".".join(f"{tag:02d}" for tag in tags)
    return f"{name}.{record[2] >> 4 & 1}.{sampling}.{colours}.{colour[10] >> 7}"


def _aac(esds: bytes) -> str | None:
    """ISO/IEC 14496-1, 7.2.6: ES, decoder configuration and AudioSpecificConfig descriptors."""
    config = _aac_config(esds)
    return f"mp4a.{config[0]:02x}.{config[1] >> 3}" if config else None


def _aac_config(esds: bytes) -> tuple[int, int, int] | None:
    """Object type, and the AudioSpecificConfig's first two bytes."""
    plain = esds.replace(b"\x80\x80\x80", b"")  # lengths of four bytes, as some write them
    if len(plain) < 28 or (plain[4], plain[9], plain[24]) != (0x03, 0x04, 0x05):
        return None
    return plain[11], plain[26], plain[27]


def channels(init: bytes) -> int | None:
    """Of its AAC track; None if there is none, or the samples themselves tell."""
    found = {kind: begin for kind, begin, _ in boxes(init)}
    config = _aac_config(init[found[b"esds"] :]) if b"esds" in found else None
    number = config[2] >> 3 & 15 if config else 0
    return {7: 8}.get(number, number) or None


@dataclass(frozen=True, slots=True)
class _Track:
    number: int
    timescale: int
    default: int
    """Duration of samples that do not say theirs, ticks."""


def lengths_s(init: bytes | None, contents: Iterable[bytes]) -> list[float | None]:
    """How long each segment of a rendition is; None where it does not tell.

    Raises:
        MalformedError: an MP4 whose boxes are wrong.
    """
    if init is not None:
        track = _track(init)
        return [_fragments_s(content, track) if track else None for content in contents]
    begins = [_first_shown(content) for content in contents]
    return [
        None if begin is None or after is None else (after - begin) % _WRAP / _CLOCK
        for begin, after in zip(begins, [*begins[1:], None], strict=True)
    ]


def _track(init: bytes) -> _Track | None:
    """The pictures, or else the first."""
    tracks: dict[int, int] = {}
    number, pictures = 0, None
    defaults: dict[int, int] = {}
    for kind, at, _ in boxes(init):
        wide = 8 * init[at] if at < len(init) else 0  # version 1 has longer times
        if kind == b"tkhd":
            (number,) = struct.unpack_from(">I", init, at + 12 + wide)
        elif kind == b"mdhd":
            (tracks[number],) = struct.unpack_from(">I", init, at + 12 + wide)
        elif kind == b"hdlr" and init[at + 8 : at + 12] == b"vide":
            pictures = number
        elif kind == b"trex":
            track, _, default = struct.unpack_from(">III", init, at + 4)
            defaults[track] = default
    chosen = pictures if pictures is not None else next(iter(tracks), None)
    if chosen is None or not tracks.get(chosen):
        return None
    return _Track(chosen, tracks[chosen], defaults.get(chosen, 0))


def _fragments_s(content: bytes, track: _Track) -> float:
    """Of all samples of a track (8.8.7, 8.8.8)."""
    ticks, ours, default = 0, False, track.default
    for kind, at, _ in boxes(content):
        if kind == b"tfhd":
            flags, number = struct.unpack_from(">II", content, at)
            ours, default = number == track.number, track.default
            place = at + 8 + 8 * bool(flags & 1) + 4 * bool(flags & 2)
            if flags & 8:
                (default,) = struct.unpack_from(">I", content, place)
        elif kind == b"trun" and ours:
            ticks += _run_ticks(content, at, default)
    return ticks / track.timescale


def _run_ticks(content: bytes, at: int, default: int) -> int:
    flags, count = struct.unpack_from(">II", content, at)
    if not flags & 0x100:
        return int(count) * default
    step = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    begin = at + 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    return sum(struct.unpack_from(">I", content, begin + n * step)[0] for n in range(count))


def _first_shown(content: bytes) -> int | None:
    """The earliest presentation time in a transport stream segment, of its pictures if it has
    some, 1/90000 s (ISO/IEC 13818-1, 2.4.3.7)."""
    times: dict[bool, list[int]] = {True: [], False: []}
    for at in range(0, len(content) - _PACKET + 1, _PACKET):
        packet = content[at : at + _PACKET]
        begin = 5 + packet[4] if packet[3] & 0x20 else 4
        pes = packet[begin:]
        if packet[1] & 0x40 and pes[:3] == b"\0\0\1" and len(pes) > 13 and pes[7] & 0x80:
            times[pes[3] & 0xF0 == 0xE0].append(_time(pes[9:14]))
    found = times[True] or times[False]
    return min(found) if found else None


def _time(field: bytes) -> int:
    high = field[0] >> 1 & 7
    middle, low = field[1] << 7 | field[2] >> 1, field[3] << 7 | field[4] >> 1
    return high << 30 | middle << 15 | low
