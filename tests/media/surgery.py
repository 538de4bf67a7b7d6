"""Changes to media files that no encoder makes: damage, and boxes that point elsewhere."""

from __future__ import annotations

import random
import struct

_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl")
_SAMPLE_ENTRIES = {b"stsd": 8, b"hvc1": 78}
"""Boxes that have fields before their children, and how many bytes."""


def flipped(content: bytes, seed: int) -> bytes:
    """Single bits turned over, anywhere: one with the first seed, 20 with the twentieth."""
    dice = random.Random(seed)
    damaged = bytearray(content)
    for _ in range(1 + seed % 20):
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
    return bytes(damaged)


def overwritten(content: bytes, begin: int, end: int) -> bytes:
    """The bytes from `begin` to `end` replaced by noise."""
    noise = random.Random(1).randbytes(end - begin)
    return content[:begin] + noise + content[end:]


def find(content: bytes, path: str) -> tuple[int, int]:
    """Begin and end of the first box at a path such as `moov/trak`."""
    begin, end = 0, len(content)
    for name in path.encode().split(b"/"):
        at = begin
        while content[at + 4 : at + 8] != name:
            at += struct.unpack_from(">I", content, at)[0]
            assert at < end, f"there is no {path}"
        begin, end = at + 8 + _SAMPLE_ENTRIES.get(name, 0), at + _size(content, at)
    return at, end


def _size(content: bytes, at: int) -> int:
    size: int = struct.unpack_from(">I", content, at)[0]
    return size


def inserted(content: bytes, parent: str, box: bytes) -> bytes:
    """`box` as the last child of the box at `parent`; what follows must not be pointed at (the
    index lies at the end of the file)."""
    changed = bytearray(content)
    _, end = find(content, parent)
    names = parent.split("/")
    for depth in range(1, len(names) + 1):
        at, _ = find(content, "/".join(names[:depth]))
        struct.pack_into(">I", changed, at, _size(content, at) + len(box))
    changed[end:end] = box
    return bytes(changed)


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def with_dolby_vision(content: bytes) -> bytes:
    """An HEVC movie with the configuration of Dolby Vision profile 8.1 (ETSI TS 103 572)."""
    major, minor, profile, level, base_layer_is_hdr10 = 1, 0, 8, 1, 1
    fields = profile << 9 | level << 3 | 0b101  # rpu_present, no el, bl_present
    payload = struct.pack(">BBHB", major, minor, fields, base_layer_is_hdr10 << 4) + bytes(19)
    entry = "moov/trak/mdia/minf/stbl/stsd/hvc1"
    return inserted(content, entry, box(b"dvvC", payload))


def with_data_elsewhere(content: bytes, target: str) -> bytes:
    """A movie whose first track's samples lie in another file (14496-12, 8.7.2)."""
    at, end = find(content, "moov/trak/mdia/minf/dinf/dref")
    reference = box(b"url ", bytes(4) + target.encode() + b"\0")
    grown = inserted(content, "moov/trak/mdia/minf/dinf/dref", reference)
    old = end - at - 16
    assert grown[at + 16 : end][4:8] == b"url ", "one reference, to the file itself"
    swapped = bytearray(grown)
    swapped[at + 16 : end + len(reference)] = reference + grown[at + 16 : at + 16 + old]
    struct.pack_into(">I", swapped, at + 12, 2)
    return bytes(swapped)


def reference_movie(content: bytes, target: str) -> bytes:
    """A movie that is but an address (QuickTime File Format, reference movies)."""
    reference = box(b"rdrf", bytes(4) + b"url " + struct.pack(">I", len(target)) + target.encode())
    return inserted(content, "moov", box(b"rmra", box(b"rmda", reference)))


def with_embedded_playlist(avi: bytes, playlist: bytes) -> bytes:
    """An AVI with a subtitle chunk (GAB2) that is a playlist."""
    gab2 = b"GAB2\x00\x02\x00" + bytes(8) + playlist
    chunk = b"02tx" + struct.pack("<I", len(gab2)) + gab2
    return avi.replace(b"idx1", chunk + b"idx1", 1)


def without_presentation_times(ts: bytes, keep_every: int) -> bytes:
    """An MPEG-TS of one video whose PES headers tell no time, but for one in `keep_every`."""
    changed = bytearray(ts)
    seen = 0
    for packet in range(0, len(changed), 188):
        at = packet + 4
        if changed[packet + 3] & 0x20:
            at += 1 + changed[at]
        if changed[at : at + 4] != b"\0\0\1\xe0":
            continue
        seen += 1
        if seen % keep_every != 1:
            length = changed[at + 8]
            changed[at + 7] &= 0x3F
            changed[at + 9 : at + 9 + length] = b"\xff" * length
    assert seen > keep_every
    return bytes(changed)


def with_huge_index(content: bytes, samples: int) -> bytes:
    """A movie whose tables claim so many samples of one byte, in as few bytes as before."""
    changed = bytearray(content)
    table = "moov/trak/mdia/minf/stbl/"
    for name, fields in (("stsz", (1, samples)), ("stts", (1, samples)), ("stsc", (1, 1, samples))):
        at, _ = find(content, table + name)
        struct.pack_into(f">{len(fields)}I", changed, at + 12, *fields)
    return bytes(changed)
