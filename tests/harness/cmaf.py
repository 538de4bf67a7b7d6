"""Rules of init and media segments: ISO/IEC 14496-12 (boxes), ISO/IEC 23000-19 (CMAF), and that the
samples are what the boxes say."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction

from tests.harness.bitstream import aac_config, is_idr, samples_of, sps_of
from tests.harness.boxes import Fragment, boxes, read_init

_UNITY = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def check_samples(
    path: str,
    init: bytes,
    segments: Sequence[bytes],
    fragments: Sequence[Fragment],
    sample_rate: Fraction,
) -> None:
    """An init segment with its media segments; `sample_rate`: samples a second."""
    check_init(path, init)
    for number, (segment, fragment) in enumerate(zip(segments, fragments, strict=True)):
        check_fragment(f"{path}, segment {number}", segment, fragment, number)
    kinds = {kind for kind, _, _ in boxes(init)}
    if b"avc1" in kinds:
        _check_h264(path, init, sample_rate)
        for number, (segment, fragment) in enumerate(zip(segments, fragments, strict=True)):
            _check_pictures(f"{path}, segment {number}", segment, fragment)
    if b"mp4a" in kinds:
        _check_aac(path, init, fragments)


def check_init(path: str, init: bytes) -> None:
    top = [kind for kind, _, _ in _top_level(init)]
    assert top == [b"ftyp", b"moov"], f"{path}: an init segment of {top} (RFC 8216, § 3.3)"
    found = {kind: begin for kind, begin, _ in boxes(init)}
    kinds = [kind for kind, _, _ in boxes(init)]
    assert kinds.count(b"trak") == kinds.count(b"trex") == 1, f"{path}: one track (23000-19, 7.3)"
    assert kinds.count(b"elst") <= 1, f"{path}: two edit lists"
    for table in (b"stts", b"stsc", b"stco"):
        (entries,) = struct.unpack_from(">I", init, found[table] + 4)
        assert entries == 0, f"{path}: {table!r} has samples (RFC 8216, § 3.3)"
    movie_scale, movie_length = struct.unpack_from(">II", init, found[b"mvhd"] + 12)
    scale, length = struct.unpack_from(">II", init, found[b"mdhd"] + 12)
    assert movie_scale > 0, f"{path}: mvhd's timescale (8.2.2)"
    assert scale > 0, f"{path}: mdhd's timescale (8.4.2)"
    assert (movie_length, length) == (0, 0), f"{path}: a duration where fragments follow"
    (track,) = struct.unpack_from(">I", init, found[b"tkhd"] + 12)
    (extended,) = struct.unpack_from(">I", init, found[b"trex"] + 4)
    assert track == extended == 1, f"{path}: tkhd has track {track}, trex {extended}"
    matrix = init[found[b"tkhd"] + 40 : found[b"tkhd"] + 76]
    assert matrix == _UNITY, f"{path}: the track is turned (8.3.2)"
    if b"elst" in found:
        _check_edits(path, init[found[b"elst"] :], scale)


def _check_edits(path: str, edits: bytes, timescale: int) -> None:
    """8.6.6: one edit that only takes back what decoding runs ahead."""
    version, count, length, begin, rate = struct.unpack_from(">IIIiI", edits)
    assert (version, count, length) == (0, 1, 0), f"{path}: elst, {count} edits of {length}"
    assert 0 <= begin <= timescale, f"{path}: elst begins at {begin}"
    assert rate == 1 << 16, f"{path}: elst's rate"


def _top_level(content: bytes) -> list[tuple[bytes, int, int]]:
    found, at = [], 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        assert size >= 8, f"{kind!r} has {size} bytes"
        found.append((kind, at, at + size))
        at += size
    assert at == len(content), "bytes beyond the last box"
    return found


def check_fragment(where: str, segment: bytes, fragment: Fragment, number: int) -> None:
    kinds = [kind for kind, _, _ in _top_level(segment)]
    assert kinds == [b"styp", b"moof", b"mdat"], f"{where}: {kinds} (23000-19, 7.3.2)"
    found = {kind: begin for kind, begin, _ in boxes(segment)}
    (flags, track) = struct.unpack_from(">II", segment, found[b"tfhd"])
    assert flags & 0x020000, f"{where}: offsets are not from moof (8.8.7; 23000-19, 7.5.15)"
    assert track == 1, f"{where}: track {track}"
    (sequence,) = struct.unpack_from(">I", segment, found[b"mfhd"] + 4)
    assert sequence == number + 1, f"{where}: sequence number {sequence} (8.8.5)"
    assert min(fragment.durations) > 0, f"{where}: a sample without duration"
    assert min(fragment.sizes) > 0, f"{where}: an empty sample"


def _check_h264(path: str, init: bytes, rate: Fraction) -> None:
    """The sample description agrees with the parameter set."""
    sps, facts = sps_of(init), read_init(init)
    assert facts.codecs == sps.codecs, f"{path}: CODECS {facts.codecs}, SPS {sps.codecs}"
    assert (facts.width, facts.height) == (sps.width, sps.height), f"{path}: SPS {sps}"
    assert sps.frames_only, f"{path}: interlaced coding"
    assert sps.profile in (66, 77, 100), f"{path}: profile {sps.profile} (Apple, 1.3)"
    assert sps.fits_level(float(rate)), f"{path}: level {sps.level} is too low (H.264, A.3)"
    assert sps.square, f"{path}: pixels are not square"
    assert not sps.full_range, f"{path}: full range"
    found = {kind: (begin, end) for kind, begin, end in boxes(init)}
    assert b"colr" in found, f"{path}: no colr"
    begin = found[b"colr"][0]
    color = struct.unpack_from(">4sHHHB", init, begin)
    assert color == (b"nclx", *(sps.color or (2, 2, 2)), 0), (
        f"{path}: colr {color}, SPS {sps.color}"
    )
    aspect = struct.unpack_from(">II", init, found[b"pasp"][0]) if b"pasp" in found else (1, 1)
    assert aspect[0] == aspect[1], f"{path}: pasp {aspect}"


def _check_pictures(where: str, segment: bytes, fragment: Fragment) -> None:
    """An IDR picture first (Apple, "Media Segments"); nothing is shown before it, so that groups of
    pictures are closed; and sync samples are IDR pictures, no others (23000-19, 9.2)."""
    idr = [is_idr(sample) for sample in samples_of(segment, fragment)]
    assert idr[0], f"{where} begins with no IDR picture"
    assert tuple(idr) == fragment.sync, f"{where}: sync samples are not the IDR pictures"
    shown = fragment.decode_time + fragment.offsets[0]
    assert shown == fragment.first_shown, f"{where}: a picture is shown before its IDR picture"
    times, decoded = [], fragment.decode_time
    for duration, offset in zip(fragment.durations, fragment.offsets, strict=True):
        times.append(decoded + offset)
        decoded += duration
    assert len(set(times)) == len(times), f"{where}: two pictures at one time"
    last = max(times) - shown + fragment.durations[-1]
    assert last == sum(fragment.durations), f"{where}: a picture is shown outside its segment"


def _check_aac(path: str, init: bytes, fragments: Sequence[Fragment]) -> None:
    config, facts = aac_config(init), read_init(init)
    assert config.sample_rate_hz == facts.sample_rate_hz == facts.timescale, f"{path}: {config}"
    assert config.channels == facts.channels, f"{path}: {config}, mp4a {facts.channels}"
    assert facts.codecs == f"mp4a.40.{config.object_type}", f"{path}: {facts.codecs}"
    lengths = {each for fragment in fragments for each in fragment.durations}
    assert lengths == {1024}, f"{path}: AAC frames of {lengths} samples"
