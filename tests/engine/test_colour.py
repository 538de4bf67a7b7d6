"""Colours come out as they went in, and the output says how to read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import media
from tests.harness.ladder import pictures, transcode, video_stream

pytestmark = pytest.mark.needs_engine

BARS = [(235, 20, 20), (20, 200, 30), (30, 40, 220), (200, 190, 40), (128, 128, 128), (250,) * 3]
SD_525 = ("smpte170m", "smpte170m", "smpte170m")
SD_625 = ("bt470bg", "smpte170m", "bt470bg")
HD = ("bt709", "bt709", "bt709")


def bars(name: str, size: tuple[int, int], matrix: str, *arguments: str, pc: bool = False) -> Path:
    """Vertical bars of `BARS`, converted from RGB with the given matrix and range."""
    width, height = size
    line = b"".join(bytes(color) * (width // len(BARS)) for color in BARS)
    raw = media.written(f"{name}.rgb", line.ljust(width * 3, b"\x80") * height * 3)
    convert = f"scale=out_color_matrix={matrix}:out_range={'pc' if pc else 'tv'}:flags=accurate_rnd"
    return media.ffmpeg(
        f"{name}.mkv",
        *("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{width}x{height}"),
        *("-framerate", "25", "-i", str(raw), "-vf", f"{convert},format=yuv420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-qp", "4", *arguments),
    )


def tagged(tags: tuple[str, str, str], color_range: str) -> tuple[str, ...]:
    primaries, transfer, matrix = tags
    return (
        *("-color_primaries", primaries, "-color_trc", transfer, "-colorspace", matrix),
        *("-color_range", color_range),
    )


def check(source: Path, folder: Path, tags: tuple[str, str, str]) -> None:
    made = transcode(source, folder).video()
    stream = video_stream(made)
    found = tuple(stream[f"color_{tag}"] for tag in ("primaries", "transfer", "space"))
    assert found == tags
    assert stream["color_range"] == "tv"
    # swscale reads the picture as its tags say.
    picture = pictures(made, stream["width"], 2, "rgb24")[0]
    for number, wanted in enumerate(BARS):
        x = round((number + 0.5) * (stream["width"] // len(BARS)))
        seen = tuple(picture[3 * x : 3 * x + 3])
        assert all(abs(a - b) <= 5 for a, b in zip(seen, wanted, strict=True)), (seen, wanted)


@pytest.mark.parametrize(
    ("name", "size", "matrix", "tags"),
    [
        ("525", (720, 480), "smpte170m", SD_525),
        ("625", (720, 576), "bt470bg", SD_625),
        ("709", (1280, 720), "bt709", HD),
    ],
)
def test_tags_and_colours_stay_when_the_source_is_tagged(
    tmp_path: Path, name: str, size: tuple[int, int], matrix: str, tags: tuple[str, str, str]
) -> None:
    check(bars(f"tagged-{name}", size, matrix, *tagged(tags, "tv")), tmp_path, tags)


@pytest.mark.parametrize(
    ("size", "matrix", "tags"),
    [
        ((720, 480), "smpte170m", SD_525),
        ((720, 576), "smpte170m", ("bt470bg", "smpte170m", "smpte170m")),
        ((1280, 720), "bt709", HD),
    ],
)
def test_the_convention_for_the_height_is_told_when_the_source_tells_nothing(
    tmp_path: Path, size: tuple[int, int], matrix: str, tags: tuple[str, str, str]
) -> None:
    check(bars(f"untagged-{size[1]}", size, matrix), tmp_path, tags)


def test_levels_are_converted_when_the_source_uses_all_of_them(tmp_path: Path) -> None:
    source = bars("full-range", (1280, 720), "bt709", *tagged(HD, "pc"), pc=True)
    check(source, tmp_path, HD)
