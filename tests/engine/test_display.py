"""Pictures stand upright in their true shape, at no more than their own size."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from millrace.ladder import Rung
from tests.harness import media
from tests.harness.ladder import pictures, plan_for, transcode, video_stream

pytestmark = pytest.mark.needs_engine

QUADRANTS = {(-1, -1): 30, (1, -1): 90, (-1, 1): 150, (1, 1): 210}
"""Luma by direction from the centre: top left, top right, bottom left, bottom right."""
Turn = tuple[int, int, int, int]
"""a, b, c, d: the point (x, y) of the coded picture is shown at (ax + cy, bx + dy)."""
TURNS: dict[str, Turn] = {
    "upright": (1, 0, 0, 1),
    "90": (0, 1, -1, 0),
    "180": (-1, 0, 0, -1),
    "270": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside-down": (1, 0, 0, -1),
    "mirrored-90": (0, 1, 1, 0),
    "mirrored-270": (0, -1, -1, 0),
}


def quadrants() -> Path:
    """640 × 360, a quarter of the picture for each of `QUADRANTS`."""
    lumas = [QUADRANTS[x, y] for y in (-1, 1) for x in (-1, 1)]
    parts = [f"color=#{luma:02x}{luma:02x}{luma:02x}:s=320x180:r=25:d=0.2" for luma in lumas]
    inputs = [argument for part in parts for argument in ("-f", "lavfi", "-i", part)]
    stack = "[0][1]hstack[a];[2][3]hstack[b];[a][b]vstack,format=yuv420p"
    return media.ffmpeg("quadrants.mp4", *inputs, "-filter_complex", stack, "-c:v", "libx264")


def turned(name: str, turn: Turn) -> Path:
    """The clip with another matrix in its track header (ISO/IEC 14496-12, 8.3.2)."""
    content = bytearray(quadrants().read_bytes())
    matrix_at = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in turn)
    struct.pack_into(">9i", content, matrix_at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return media.written(f"turned-{name}.mp4", bytes(content))


@pytest.mark.parametrize("name", TURNS)
def test_picture_stands_upright_when_the_track_is_turned(tmp_path: Path, name: str) -> None:
    a, b, c, d = TURNS[name]
    made = transcode(turned(name, TURNS[name]), tmp_path).video()
    stream = video_stream(made)
    assert (stream["width"], stream["height"]) == ((320, 180) if a else (180, 320))
    shown = pictures(made, 2, 2)[0]
    for (x, y), luma in QUADRANTS.items():
        right, down = a * x + c * y > 0, b * x + d * y > 0
        assert abs(shown[right + 2 * down] - luma) < 25, f"{name}: {(x, y)} of {list(shown)}"


@pytest.mark.parametrize(
    ("size", "aspect", "display"),
    [
        ((720, 576), "64/45", (1024, 576)),
        ((720, 480), "8/9", (720, 540)),
        ((720, 480), "32/27", (854, 480)),
        ((1440, 1080), "4/3", (1920, 1080)),
        ((721, 405), "1/1", (721, 405)),
    ],
)
def test_a_square_is_a_square_when_pixels_are_not(
    tmp_path: Path, size: tuple[int, int], aspect: str, display: tuple[int, int]
) -> None:
    """A white box half as wide and half as high as the shown picture stays just that."""
    width, height = size
    box = f"drawbox=x=iw/4:y=ih/4:w=iw/2:h=ih/2:color=white:t=fill,setsar={aspect}"
    source = media.ffmpeg(
        f"aspect-{width}x{height}-{aspect.replace('/', '-')}.mkv",
        *("-f", "lavfi", "-i", f"color=black:s={width}x{height}:r=25:d=0.12"),
        *("-vf", f"format=yuv444p,{box}", "-c:v", "ffv1"),
    )
    made = transcode(source, tmp_path).video()
    stream = video_stream(made)
    assert stream["sample_aspect_ratio"] == "1:1"
    assert stream["height"] == 180
    assert abs(stream["width"] - 180 * display[0] / display[1]) <= 1.01
    columns = list(pictures(made, stream["width"], 9)[0][4 * stream["width"] :][: stream["width"]])
    white = [x for x, value in enumerate(columns) if value > 125]
    assert abs(white[0] - stream["width"] / 4) <= 1
    assert abs(white[-1] + 1 - stream["width"] * 3 / 4) <= 1


def test_nothing_is_enlarged_when_the_source_is_smaller_than_the_ladder(tmp_path: Path) -> None:
    rungs = (Rung("1080p", 1080, 5_000_000, 23), Rung("360p", 360, 800_000, 23))
    planned = plan_for(media.silent_clip("seconds.mp4", seconds=1), rungs)
    sizes = [(each["width"], each["height"]) for each in planned["video"]["renditions"]]
    assert sizes == [(640, 360)]
    small = media.ffmpeg(
        "small.mp4", "-f", "lavfi", "-i", "testsrc2=s=150x94:r=25:d=0.2", "-pix_fmt", "yuv420p"
    )
    assert video_stream(transcode(small, tmp_path, plan_for(small, rungs)).video())["width"] == 150
