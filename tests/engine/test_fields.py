"""Interlaced sources: no combs, the right field first, and the same in chunks."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from millrace.ladder import Rung
from tests.harness import media
from tests.harness.ladder import engine, pictures, plan_for, transcode, video_stream

pytestmark = pytest.mark.needs_engine

SIZE = (320, 240)
FULL = (Rung("240p", 240, 8_000_000, 10),)
_MOVING = (
    "color=#606060:s=320x240:r=50:d=1[back];color=white:s=60x120:r=50:d=1[box];"
    "[back][box]overlay=x='20+200*t':y=60"
)
"""A box that moves four pixels a field."""


def moving(name: str, first: str, *codec: str) -> Path:
    """`first`: the field shown first, tff or bff."""
    return media.ffmpeg(
        name,
        *("-f", "lavfi", "-i", f"{_MOVING},interlace=scan={first}:lowpass=off"),
        *("-pix_fmt", "yuv420p", *codec),
    )


def progressive() -> Path:
    """What a perfect deinterlacer shows: every second picture of the scene."""
    return media.ffmpeg(
        "moving.mkv", "-f", "lavfi", "-i", f"{_MOVING},select='not(mod(n,2))'",
        *("-vsync", "vfr", "-pix_fmt", "yuv420p", "-c:v", "ffv1"),
    )  # fmt: skip


FIELDS = ("-flags", "+ilme+ildct")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", *FIELDS)
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", *FIELDS)
SOURCES = {
    "tff.mp4": ("tff", *X264, "-top", "1"),
    "bff.mp4": ("bff", *X264, "-top", "0"),
    "tff.mpg": ("tff", *MPEG2, "-top", "1"),
    "bff.ts": ("bff", *MPEG2, "-top", "0"),
    "tff.mkv": ("tff", "-c:v", "ffv1", "-field_order", "tt"),
    "bff-mpeg4.avi": ("bff", "-c:v", "mpeg4", "-q:v", "2", *FIELDS, "-top", "0"),
}


def combs(path: Path) -> int:
    """Pixels that differ from both neighbours above and below by much and to the same side."""
    width, height = SIZE
    count = 0
    for picture in pictures(path, width, height):
        for x in range(0, width, 2):
            column = picture[x::width]
            for above, here, below in zip(column, column[1:], column[2:], strict=False):
                count += (here - above > 30 and here - below > 30) or (
                    above - here > 30 and below - here > 30
                )
    return count


def still(source: Path, folder: Path) -> Path:
    """The still of half a second, at the source's size."""
    width, height = SIZE
    folder.mkdir()
    size = ("--width", str(width), "--height", str(height))
    made = engine("thumbnail", source, "--times", "0.5", "--output", folder, *size)[-1]
    return folder / str(made["images"][0]["path"])


def psnr(path: Path, reference: Path) -> float:
    command = ["ffmpeg", "-i", str(path), "-i", str(reference), "-lavfi", "psnr", "-f", "null", "-"]
    log = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    found = re.search(r"average:(\S+)", log)
    assert found, log
    return float(found.group(1))


@pytest.mark.parametrize("name", SOURCES)
def test_no_combs_are_left_when_the_source_is_interlaced(tmp_path: Path, name: str) -> None:
    source = moving(name, *SOURCES[name])
    assert combs(source) > 5000, "the source itself is full of them"
    made = transcode(source, tmp_path, plan_for(source, FULL)).video()
    stream = video_stream(made)
    assert (stream["width"], stream["height"]) == SIZE
    assert stream["avg_frame_rate"] == "25/1"
    assert combs(made) < 100
    # With the wrong field first the box would be elsewhere half of the time.
    assert psnr(made, progressive()) > 30


@pytest.mark.parametrize("name", ["tff.mp4", "bff-mpeg4.avi"])
def test_stills_have_no_combs_when_the_source_is_interlaced(tmp_path: Path, name: str) -> None:
    made = still(moving(name, *SOURCES[name]), tmp_path / "stills")
    assert combs(made) < 10
    shown = still(progressive(), tmp_path / "progressive")
    assert psnr(made, shown) > 26
