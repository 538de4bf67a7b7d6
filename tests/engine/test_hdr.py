"""HDR10 and HLG shown as SDR: greys, diffuse white, mid-tones and hues, against the standards' own
formulas (SMPTE ST 2084, ARIB STD-B67, ITU-R BT.2100, BT.2408)."""

from __future__ import annotations

import array
import colorsys
import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness import media
from tests.harness.ladder import engine, first_picture, pictures, transcode

pytestmark = pytest.mark.needs_engine
Rgb = tuple[float, float, float]

WIDTH, HEIGHT = 640, 360
BT709_TO_BT2020 = (
    (0.6274, 0.3293, 0.0433),
    (0.0691, 0.9195, 0.0114),
    (0.0164, 0.0880, 0.8956),
)
"""Linear light, ITU-R BT.2087."""


def pq(light: float) -> float:
    """Signal for cd/m²."""
    power = math.pow(light / 10_000, 0.1593017578125)
    return math.pow((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power), 78.84375)


def hlg(light: float) -> float:
    """Signal for a grey of cd/m² on the reference display of 1000 cd/m²."""
    scene = math.pow(light / 1000, 1 / 1.2)
    if scene <= 1 / 12:
        return math.sqrt(3 * scene)
    return 0.17883277 * math.log(12 * scene - 0.28466892) + 0.55991073


def sdr(light: float) -> float:
    """Luma (16 to 235) of BT.1886 for a share of SDR's white."""
    return 16 + 219 * math.pow(light, 1 / 2.4)


def coded(signal: Rgb) -> tuple[int, int, int]:
    """10-bit BT.2020 Y'CbCr, limited range."""
    red, green, blue = signal
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    return (
        round(64 + 876 * luma),
        round(512 + 896 * (blue - luma) / 1.8814),
        round(512 + 896 * (red - luma) / 1.4746),
    )


def source(name: str, transfer: str, columns: list[Rgb]) -> Path:
    """Two frames of vertical bars with these R'G'B' signals, lossless."""
    bar = WIDTH // len(columns)
    values = [coded(signal) for signal in columns]
    planes = array.array("H")
    for plane, (width, height) in enumerate(
        ((WIDTH, HEIGHT), (WIDTH // 2, HEIGHT // 2), (WIDTH // 2, HEIGHT // 2))
    ):
        step = bar * width // WIDTH
        line = [values[min(x // step, len(values) - 1)][plane] for x in range(width)]
        planes.extend(line * height)
    raw = media.written(f"{name}.yuv", planes.tobytes() * 2)
    return media.ffmpeg(
        f"{name}.mkv",
        *("-f", "rawvideo", "-pixel_format", "yuv420p10le", "-video_size", f"{WIDTH}x{HEIGHT}"),
        *("-framerate", "25", "-i", str(raw), "-c:v", "ffv1"),
        *("-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"),
        *("-color_range", "tv"),
    )


@dataclass(frozen=True)
class Shown:
    """The middle of every bar in the transcoded picture."""

    columns: list[tuple[int, int, int]]
    """Y', Cb, Cr."""

    def rgb(self, column: int) -> Rgb:
        luma, blue, red = self.columns[column]
        y, u, v = (luma - 16) / 219, (blue - 128) / 224, (red - 128) / 224
        r, b = y + 1.5748 * v, y + 1.8556 * u
        return (r, (y - 0.2126 * r - 0.0722 * b) / 0.7152, b)


def shown(path: Path, folder: Path, bars: int) -> Shown:
    made = transcode(path, folder).video()
    stream = media.ffprobe(made, "-show_streams")["streams"][0]
    tags = [stream[f"color_{tag}"] for tag in ("primaries", "transfer", "space", "range")]
    assert tags == ["bt709", "bt709", "bt709", "tv"]
    width, height = stream["width"], stream["height"]
    raw = first_picture(made)
    chroma = width * height // 4
    columns = []
    for bar in range(bars):
        x, y = round((bar + 0.5) * width / bars), height // 2
        at = width * height + (y // 2) * (width // 2) + x // 2
        columns.append((raw[y * width + x], raw[at], raw[at + chroma]))
    return Shown(columns)


GREYS = [0.0, 0.1, 1, 5, 10, 18, 26, 50, 90, 120, 150, 203, 300, 420, 600, 1000]


@pytest.mark.parametrize(("transfer", "signal"), [("smpte2084", pq), ("arib-std-b67", hlg)])
def test_greys_are_neutral_and_in_order_when_the_source_is_hdr(
    tmp_path: Path, transfer: str, signal: object
) -> None:
    assert callable(signal)
    bars = [(signal(light),) * 3 for light in GREYS]
    result = shown(source(f"greys-{transfer}", transfer, bars), tmp_path, len(bars))
    lumas = [column[0] for column in result.columns]
    assert all(abs(value - 128) <= 1 for column in result.columns for value in column[1:])
    assert lumas == sorted(lumas)
    assert len(set(lumas[1:])) == len(lumas[1:]), "no two greys are the same: nothing is clipped"
    by_light = dict(zip(GREYS, lumas, strict=True))
    assert by_light[0] == 16
    # Up to the knee SDR shows the same light, 203 cd/m² being white: 18 % grey (26 cd/m²) at 43 %.
    for light in (5, 10, 26, 50, 90):
        assert by_light[light] == pytest.approx(sdr(light / 203), abs=2), light
    assert 0.86 <= (by_light[203] - 16) / 219 <= 0.95, "diffuse white is bright, not clipped"
    assert by_light[1000] == pytest.approx(235, abs=1)


COLOURS: list[Rgb] = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1)]
SOFT: list[Rgb] = [(0.8, 0.45, 0.35), (0.2, 0.4, 0.1), (0.1, 0.2, 0.5)]
"""A skin, foliage, sky; linear BT.709."""


def in_bt2020(color: Rgb, light: float) -> Rgb:
    """PQ signal of a BT.709 colour whose white has `light` cd/m²."""
    linear = [sum(a * b for a, b in zip(row, color, strict=True)) for row in BT709_TO_BT2020]
    red, green, blue = (pq(light * component) for component in linear)
    return (red, green, blue)


def hue(linear: Rgb) -> float:
    """Degrees, of linear light: mixing with white leaves it as it is."""
    return colorsys.rgb_to_hsv(*linear)[0] * 360


def light_of(signal: Rgb) -> Rgb:
    """BT.1886."""
    red, green, blue = (min(1.0, max(0.0, value)) ** 2.4 for value in signal)
    return (red, green, blue)


def turned(seen: Rgb, wanted_deg: float) -> float:
    return abs((hue(seen) - wanted_deg + 180) % 360 - 180)


@pytest.mark.parametrize("light", [80, 203, 600])
def test_hues_stay_when_colours_are_tone_mapped(tmp_path: Path, light: float) -> None:
    colours = COLOURS + SOFT
    bars = [in_bt2020(color, light) for color in colours]
    result = shown(source(f"colours-{light}", "smpte2084", bars), tmp_path, len(bars))
    for number, color in enumerate(colours):
        seen = light_of(result.rgb(number))
        assert turned(seen, hue(color)) < 5, f"{color} at {light} cd/m² becomes {seen}"
        scale = max(seen) / max(color)
        for value, before in zip(seen, color, strict=True):
            assert abs(value / scale - before) < 0.05, f"{color} at {light} becomes {seen}"
        if light < 90:  # below the knee colours are as bright as they were
            assert scale == pytest.approx(light / 203, rel=0.1), color


def test_colours_beyond_bt709_keep_their_hue_when_they_are_brought_in(tmp_path: Path) -> None:
    primaries: list[Rgb] = [(pq(150), 0, 0), (0, pq(150), 0), (0, 0, pq(150))]
    result = shown(source("bt2020-primaries", "smpte2084", primaries), tmp_path, 3)
    for number, wanted_deg in enumerate((0, 120, 240)):
        seen = light_of(result.rgb(number))
        # The line to white leaves BT.709 beside its own green, which is a little more yellow.
        assert turned(seen, wanted_deg) < 20, seen
        assert min(seen) < 0.1 * max(seen), "it is still as saturated as BT.709 can show"


def test_every_picture_is_the_same_when_the_source_stands_still(tmp_path: Path) -> None:
    bars = [(pq(light),) * 3 for light in GREYS]
    made = transcode(source("greys-smpte2084", "smpte2084", bars), tmp_path).video()
    first, second = pictures(made, 32, 18)
    assert max(abs(a - b) for a, b in zip(first, second, strict=True)) <= 2


def test_stills_look_like_the_video_when_the_source_is_hdr(tmp_path: Path) -> None:
    bars = [(pq(light),) * 3 for light in GREYS]
    path = source("greys-smpte2084", "smpte2084", bars)
    size = ("--width", "320", "--height", "180")
    engine("thumbnail", path, "--times", "0", *size, "--output", tmp_path)
    still = pictures(tmp_path / "00.png", len(bars), 1, "rgb24")[0]
    levels = [tuple(still[3 * n : 3 * n + 3]) for n in range(len(bars))]
    assert all(max(level) - min(level) <= 2 for level in levels), "greys are grey"
    assert levels[GREYS.index(203)][0] == pytest.approx(0.905 * 255, abs=8)
    assert levels[GREYS.index(26)][0] == pytest.approx(0.425 * 255, abs=6)
