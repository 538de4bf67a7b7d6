"""Chunks made alone, joined, are the single pass: every decoded picture and every sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import media
from tests.harness.ladder import hashes, plan_for, transcode, transcode_in_parts

pytestmark = pytest.mark.needs_engine

_PICTURE = "testsrc2=s=320x180:r=25:d=4"
_SOUND = "sine=frequency=440:sample_rate=48000:duration=4"
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", "1")
INTERLACED = ("-vf", "tinterlace=4", *X264, "-flags", "+ilme+ildct", "-x264-params")


def source(name: str, *codec: str) -> Path:
    return media.ffmpeg(
        name,
        *("-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _SOUND, *codec),
        *("-c:a", "aac", "-ac", "2"),
    )


SOURCES = {
    "transport.ts": (*X264, "-g", "30"),
    "open-gop.mkv": (*X264, "-x264-params", "keyint=33:min-keyint=33:open-gop=1:bframes=3"),
    "one-key-frame.mp4": (*X264, "-g", "1000", "-bf", "3"),
    "fields.mp4": (*INTERLACED, "tff=1:keyint=20"),
    "uneven.mkv": ("-vf", "select='lt(mod(n,7),4)'", "-vsync", "vfr", *X264, "-g", "40"),
    "hevc-open-gop.mp4": (
        *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params"),
        "log-level=none:keyint=35:min-keyint=35:open-gop=1:bframes=3:pools=1",
    ),
}


def check(path: Path, folder: Path) -> None:
    planned = plan_for(path)
    rate = planned["frame_rate"]["num"] / planned["frame_rate"]["den"]
    planned |= {"segment_frames": round(rate), "chunk_segments": 1, "head_segments": 1}
    planned |= {"chunk_count": -(-round(planned["duration_s"] * rate) // round(rate))}
    assert planned["chunk_count"] >= 3
    whole = transcode(path, folder / "whole", planned)
    parts = transcode_in_parts(path, folder / "parts", planned)
    assert len(hashes(whole.video())) >= 2.5 * rate
    for track in (planned["video"]["renditions"][0]["name"], "audio-0"):
        assert hashes(whole.joined(track)) == hashes(parts.joined(track)), track
        inits = [(made.folder / track / "init.mp4").read_bytes() for made in (whole, parts)]
        assert inits[0] == inits[1], track


EVERY_TIME = ("transport.ts", "one-key-frame.mp4", "fields.mp4")


@pytest.mark.parametrize("name", EVERY_TIME)
def test_parts_are_the_whole_when_joined(tmp_path: Path, name: str) -> None:
    check(source(name, *SOURCES[name]), tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [name for name in SOURCES if name not in EVERY_TIME])
def test_parts_are_the_whole_when_the_source_is_another_one(tmp_path: Path, name: str) -> None:
    check(source(name, *SOURCES[name]), tmp_path)


def test_parts_are_the_whole_when_an_edit_list_hides_the_beginning(tmp_path: Path) -> None:
    whole = source("one-second-keys.mp4", *X264, "-g", "25", "-bf", "2")
    cut = media.ffmpeg("edited.mp4", "-ss", "0.5", "-i", str(whole), "-c", "copy")
    check(cut, tmp_path)
