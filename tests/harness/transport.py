"""A reader of the MPEG-TS segments of one track (ISO/IEC 13818-1), independent of the product's
writer; what it finds has the shape of what `boxes` finds in MP4."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness import media
from tests.harness.boxes import Fragment, Init

ZERO = 900_000
"""What time zero of the presentation is, 1/90000 s."""
_PACKET = 188
_CLOCK = 90_000
_ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)


@dataclass(frozen=True)
class _Unit:
    """A PES packet."""

    shown: int
    decoded: int
    data: bytes
    size: int
    """Of its transport packets."""


def read_track(contents: Sequence[bytes], scratch: Path) -> tuple[Init, tuple[Fragment, ...]]:
    """All segments of a track, in order: their packets form one unbroken transport stream."""
    counters: dict[int, int] = {}
    segments = [_units(content, counters) for content in contents]
    is_video = segments[0][0].data[:4] == b"\0\0\0\1"
    init = _video_init(contents, segments[0][0], scratch) if is_video else _audio_init(segments[0])
    read = _video_fragment if is_video else _audio_fragment
    return init, tuple(read(units) for units in segments)


def _units(content: bytes, counters: dict[int, int]) -> list[_Unit]:
    assert len(content) % _PACKET == 0
    packets = [content[at : at + _PACKET] for at in range(0, len(content), _PACKET)]
    assert all(packet[0] == 0x47 for packet in packets), "the packets' raster breaks"
    assert _pid(packets[0]) == 0, "a segment begins with PAT"
    (program_map,) = struct.unpack(">H", packets[0][15:17])
    assert _pid(packets[1]) == program_map & 0x1FFF, "and PMT"
    gathered: list[tuple[bytearray, int]] = []
    for packet in packets:
        _check_counter(packet, counters)
        if packet in packets[:2]:
            continue
        if packet[1] & 0x40:
            gathered.append((bytearray(), 0))
        data, count = gathered[-1]
        gathered[-1] = (data + _payload(packet), count + 1)
    assert len({_pid(packet) for packet in packets}) == 3, "PAT, PMT and one track"
    return [_unit(bytes(data), count * _PACKET) for data, count in gathered]


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def _check_counter(packet: bytes, counters: dict[int, int]) -> None:
    """2.4.3.3; RFC 8216 § 3: they go on from segment to segment."""
    assert packet[3] & 0x10, "every packet has a payload here"
    pid, counter = _pid(packet), packet[3] & 0x0F
    expected = (counters.get(pid, counter - 1) + 1) % 16
    assert counter == expected, f"PID {pid}: continuity counter {counter}, not {expected}"
    counters[pid] = counter


def _payload(packet: bytes) -> bytes:
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


def _unit(pes: bytes, size: int) -> _Unit:
    """2.4.3.7"""
    assert pes[:3] == b"\0\0\1"
    shown = _time(pes[9:14])
    decoded = _time(pes[14:19]) if pes[7] & 0x40 else shown
    return _Unit(shown, decoded, pes[9 + pes[8] :], size)


def _time(field: bytes) -> int:
    high, middle, low = (
        field[0] >> 1 & 7,
        field[1] << 7 | field[2] >> 1,
        field[3] << 7 | field[4] >> 1,
    )
    return high << 30 | middle << 15 | low


def _nal_types(data: bytes) -> list[int]:
    return [unit[0] & 0x1F for unit in data.split(b"\0\0\1")[1:]]


def _video_fragment(units: Sequence[_Unit]) -> Fragment:
    for unit in units:
        types = _nal_types(unit.data)
        assert types[0] == 9, "an access unit delimiter comes first"
        assert (5 in types) == (7 in types) == (8 in types), "an IDR has its parameter sets"
    steps = [after.decoded - unit.decoded for unit, after in itertools.pairwise(units)]
    return Fragment(
        decode_time=units[0].decoded,
        durations=(*steps, steps[-1]),
        sizes=tuple(unit.size for unit in units),
        sync=tuple(5 in _nal_types(unit.data) for unit in units),
        offsets=tuple(unit.shown - unit.decoded for unit in units),
        data_at=2 * _PACKET,
    )


def _video_init(contents: Sequence[bytes], first: _Unit, scratch: Path) -> Init:
    (sps,) = (unit for unit in first.data.split(b"\0\0\1")[1:] if unit[0] & 0x1F == 7)
    file = scratch / "video.ts"
    file.write_bytes(contents[0])
    (stream,) = media.ffprobe(file, "-show_streams")["streams"]
    size = (stream["width"], stream["height"])
    return Init(f"avc1.{sps[1:4].hex()}", _CLOCK, ZERO, *size, 0, 0)


def _frames(data: bytes) -> Iterator[bytes]:
    """ADTS frames (ISO/IEC 14496-3, 1.A.3)."""
    at = 0
    while at < len(data):
        assert data[at] == 0xFF
        assert data[at + 1] & 0xF6 == 0xF0
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        yield data[at : at + length]
        at += length
    assert at == len(data)


def _rate(frame: bytes) -> int:
    return _ADTS_RATES[frame[2] >> 2 & 15]


def _audio_init(units: Sequence[_Unit]) -> Init:
    frame = next(_frames(units[0].data))
    channels = (frame[2] & 1) << 2 | frame[3] >> 6
    return Init(f"mp4a.40.{(frame[2] >> 6) + 1}", _CLOCK, ZERO, 0, 0, _rate(frame), channels)


def _audio_fragment(units: Sequence[_Unit]) -> Fragment:
    """A PES packet holds several frames; no time is rounded at 48 kHz."""
    frames = [list(_frames(unit.data)) for unit in units]
    return Fragment(
        decode_time=units[0].decoded,
        durations=tuple(len(each) * 1024 * _CLOCK // _rate(each[0]) for each in frames),
        sizes=tuple(unit.size for unit in units),
        sync=(True,) * len(units),
        offsets=(0,) * len(units),
        data_at=2 * _PACKET,
    )
