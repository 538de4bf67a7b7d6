"""One file in, one file out: what a decoder finds in the output is what the source showed."""

from __future__ import annotations

import array
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine import test_sync as awkward
from tests.harness import media
from tests.harness.conversion import AUDIO, Conversion, Job, convert, job, run, ssim
from tests.harness.ladder import pictures
from tests.media.matrix import CLIPS

pytestmark = pytest.mark.needs_engine

COMBINATIONS: dict[str, tuple[str, str, str]] = {
    "mp4-h264-aac": ("mp4", "h264", "aac"),
    "mp4-hevc-copy": ("mp4", "hevc", "copy"),
    "mp4-av1-opus": ("mp4", "av1", "opus"),
    "mp4-copy-aac": ("mp4", "copy", "aac"),
    "mkv-h264-aac": ("mkv", "h264", "aac"),
    "mkv-copy-copy": ("mkv", "copy", "copy"),
    "mkv-vp9-opus": ("mkv", "vp9", "opus"),
    "webm-av1-opus": ("webm", "av1", "opus"),
    "webm-vp9-opus": ("webm", "vp9", "opus"),
}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_pictures_and_sound_are_the_source_s_when_container_and_codecs_are(
    name: str, tmp_path: Path
) -> None:
    container, video, audio = COMBINATIONS[name]
    source = CLIPS["h264-aac.mp4"].path
    video_job: Job = {"codec": video}
    if video == "copy":
        video_job |= {"rate": {"mode": "crf", "crf": 20}}
    made = convert(source, job(container, video_job, audio=[AUDIO | {"codec": audio}]), tmp_path)
    picture, sound = made.streams()
    assert picture["codec_name"] == ("h264" if video == "copy" else video)
    assert sound["codec_name"] == ("aac" if audio == "copy" else audio)
    assert (picture["width"], picture["height"], picture["pix_fmt"]) == (160, 90, "yuv420p")
    assert picture["nb_read_packets"] == "25"
    if made.last["video"]:
        assert made.last["video"]["frames"] == 25
    assert made.last["copied"] == [n for n, codec in enumerate((video, audio)) if codec == "copy"]
    assert made.last["duration_s"] == pytest.approx(1, abs=0.03)
    assert float(media.ffprobe(made.path, "-show_format")["format"]["duration"]) == pytest.approx(
        1, abs=0.06
    )
    assert ssim(made.path, source) > 0.93


SYNC: dict[str, tuple[Callable[[], Path], str, float, float | None]] = {
    "mp4": (awkward.flash, "mp4", 0, None),
    "mkv": (awkward.flash, "mkv", 0, None),
    "webm": (awkward.flash, "webm", 0, None),
    "trimmed": (awkward.flash, "mp4", 0.5, 1.5),
    "trimmed-between-pictures": (awkward.flash, "mkv", 0.51, 1.71),
    "edit-list": (awkward.cut_in_a_group, "mp4", 0, None),
    "late-sound": (awkward.sound_comes_late, "mp4", 0, None),
    "late-picture": (awkward.picture_comes_late, "mkv", 0, None),
    "clock-wraps": (awkward.clock_wraps, "mp4", 0, None),
    "hour-late": (awkward.hour_late, "mp4", 0.4, None),
    "negative": (awkward.sound_begins_below_zero, "mp4", 0, None),
}


def flash_s(made: Conversion) -> float:
    lumas = [picture[0] for picture in pictures(made.path, 1, 1)]
    return next(
        time for time, luma in zip(made.picture_times_s(), lumas, strict=True) if luma > 120
    )


def beep_s(path: Path) -> float:
    """Since the file's zero, as a player counts."""
    arguments = ["-i", str(path), "-af", "aresample=48000:first_pts=0,pan=mono|c0=c0"]
    raw = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", *arguments, "-f", "f32le", "-"],
        check=True,
        capture_output=True,
    ).stdout
    heard = array.array("f", raw)
    return next(n for n, value in enumerate(heard) if abs(value) > 0.2) / 48_000


@pytest.mark.parametrize("name", SYNC)
def test_flash_and_beep_come_together_when_times_are_awkward(name: str, tmp_path: Path) -> None:
    source, container, start_s, end_s = SYNC[name]
    codecs = ("vp9", "opus") if container == "webm" else ("h264", "aac")
    the_job = job(
        container,
        {"codec": codecs[0]},
        audio=[AUDIO | {"codec": codecs[1]}],
        start_s=start_s,
        end_s=end_s,
    )
    made = convert(source(), the_job, tmp_path)
    seen, heard = flash_s(made), beep_s(made.path)
    expected = awkward.SOURCES[source][0] - start_s
    assert seen == pytest.approx(expected, abs=0.002)
    assert abs(heard - seen) < 0.02, (seen, heard)
    assert made.picture_times_s()[0] < 0.002
    if end_s is not None:
        assert made.streams("v")[0]["nb_read_packets"] == str(round((end_s - start_s) * 25))
        assert made.last["duration_s"] == pytest.approx(end_s - start_s, abs=0.03)


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_pictures_keep_their_times_when_the_rate_varies(container: str, tmp_path: Path) -> None:
    made = convert(awkward.marked(), job(container), tmp_path)
    before = awkward.times_s(awkward.marked())
    after = made.picture_times_s()
    assert len(after) == len(before)
    shift = before[0] - after[0]
    assert max(abs(a + shift - b) for a, b in zip(after, before, strict=True)) <= 0.0011


def test_pictures_come_evenly_when_a_rate_is_asked_for(tmp_path: Path) -> None:
    made = convert(awkward.marked(), job(video={"fps": [30_000, 1001]}, end_s=2.0), tmp_path)
    times = made.picture_times_s()
    assert len(times) == 60
    assert max(abs(time - n * 1001 / 30_000) for n, time in enumerate(times)) < 0.0001
    assert made.streams("v")[0]["avg_frame_rate"] == "30000/1001"


SHAPES: dict[str, tuple[str, Job, tuple[int, int], str]] = {
    "turned": ("rotated-90.mp4", {}, (90, 160), "1:1"),
    "turned-and-smaller": ("rotated-270.mp4", {"width": 44}, (44, 78), "1:1"),
    "odd": ("odd-size.mp4", {}, (160, 90), "1:1"),
    "one-side": ("h264-aac.mp4", {"height": 45}, (78, 44), "1:1"),
    "stretched": ("h264-aac.mp4", {"width": 80, "height": 90}, (80, 90), "2:1"),
    "cropped": (
        "h264-aac.mp4",
        {"crop": {"x": 40, "y": 10, "width": 80, "height": 64}},
        (80, 64),
        "1:1",
    ),
    "ten-bit": ("422.mp4", {"pixel_depth": 10}, (160, 90), "1:1"),
    "rgb": ("alpha.mov", {}, (160, 90), "1:1"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shape_is_the_expected_one_when_the_picture_is(name: str, tmp_path: Path) -> None:
    source, video, size, aspect = SHAPES[name]
    made = convert(CLIPS[source].path, job(video=video), tmp_path)
    (stream,) = made.streams("v")
    assert (stream["width"], stream["height"]) == size
    assert stream.get("sample_aspect_ratio", "1:1") == aspect
    assert stream["pix_fmt"] == ("yuv420p10le" if "pixel_depth" in video else "yuv420p")
    assert not [side for side in stream.get("side_data_list", []) if "rotation" in side]
    assert stream["nb_read_packets"] == "25"


def test_the_chosen_part_is_shown_when_a_crop_is_asked_for(tmp_path: Path) -> None:
    """Quarters of four lumas, turned by 90°: the crop counts in the upright picture."""
    levels = (30, 90, 150, 210)
    colours = [f"color=#{level:02x}{level:02x}{level:02x}:s=80x48:d=0.12" for level in levels]
    inputs = [word for colour in colours for word in ("-f", "lavfi", "-i", colour)]
    stack = "[0][1]hstack[a];[2][3]hstack[b];[a][b]vstack,format=yuv420p"
    flat = media.ffmpeg("quarters.mkv", *inputs, "-filter_complex", stack, "-c:v", "libx264")
    turned = media.ffmpeg(
        "quarters-turned.mp4", "-i", str(flat), "-c", "copy", "-metadata:s:v", "rotate=270"
    )
    # Clockwise by 90°: below left is now above left.
    crop = {"x": 0, "y": 0, "width": 48, "height": 80}
    made = convert(turned, job(video={"crop": crop, "rate": {"mode": "crf", "crf": 5}}), tmp_path)
    (stream,) = made.streams("v")
    assert (stream["width"], stream["height"]) == (48, 80)
    assert all(abs(value - 150) < 6 for value in pictures(made.path, 2, 2)[0])


def test_pixels_keep_their_shape_when_they_are_not_square(tmp_path: Path) -> None:
    source = media.ffmpeg(
        "pal.mkv",
        *("-f", "lavfi", "-i", "testsrc2=s=720x576:r=25:d=0.12"),
        *("-vf", "format=yuv420p,setsar=64/45", "-c:v", "ffv1"),
    )
    (kept,) = convert(source, job(), tmp_path / "kept").streams("v")
    assert (kept["width"], kept["sample_aspect_ratio"]) == (720, "64:45")
    square = job(video={"width": 1024, "height": 576})
    (made,) = convert(source, square, tmp_path / "square").streams("v")
    assert (made["width"], made.get("sample_aspect_ratio", "1:1")) == (1024, "1:1")


@pytest.mark.parametrize(
    ("container", "codec"), [("mp4", "hevc"), ("mkv", "hevc"), ("mkv", "av1"), ("webm", "vp9")]
)
def test_hdr_is_kept_whole_when_it_is_asked_for(container: str, codec: str, tmp_path: Path) -> None:
    video = {"codec": codec, "hdr": "keep", "pixel_depth": 10}
    made = convert(CLIPS["hdr10.mp4"].path, job(container, video), tmp_path)
    (stream,) = made.streams("v")
    assert stream["pix_fmt"] == "yuv420p10le"
    tags = [stream[f"color_{tag}"] for tag in ("primaries", "transfer", "space", "range")]
    assert tags == ["bt2020", "smpte2084", "bt2020nc", "tv"]
    frames = media.ffprobe(made.path, "-show_frames", "-read_intervals", "%+#1")["frames"]
    described = [*stream.get("side_data_list", []), *frames[0].get("side_data_list", [])]
    mastering = next(side for side in described if "red_x" in side)
    assert _value(mastering["max_luminance"]) == pytest.approx(1000, rel=0.01)
    assert _value(mastering["red_x"]) == pytest.approx(0.68, abs=0.001)
    light = next(side for side in described if "max_content" in side)
    assert (light["max_content"], light["max_average"]) == (1000, 400)


def _value(fraction: str) -> float:
    numerator, denominator = fraction.split("/")
    return int(numerator) / int(denominator)


def test_hdr_is_shown_as_sdr_when_it_is_not_kept(tmp_path: Path) -> None:
    (stream,) = convert(CLIPS["hdr10.mp4"].path, job(), tmp_path).streams("v")
    assert stream["pix_fmt"] == "yuv420p"
    assert [stream[f"color_{tag}"] for tag in ("primaries", "transfer", "space")] == ["bt709"] * 3
    assert not stream.get("side_data_list")


def test_fields_become_whole_pictures_when_the_source_is_interlaced(tmp_path: Path) -> None:
    made = convert(CLIPS["interlaced-tff.mpg"].path, job(), tmp_path)
    (stream,) = made.streams("v")
    assert stream["field_order"] == "progressive"
    assert stream["nb_read_packets"] == "25"


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9"])
def test_size_is_the_wanted_one_when_there_are_two_passes(codec: str, tmp_path: Path) -> None:
    # Two thirds of it are still: without the first pass's knowledge bits would go to waste there.
    source = media.ffmpeg(
        "uneven.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=4"),
        *("-vf", "loop=loop=25:size=1:start=10,noise=alls=20:allf=t,format=yuv420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-frames:v", "100"),
    )
    bitrate_bps = 400_000
    for number in (1, 2):
        video = {
            "codec": codec,
            "preset": "veryfast",
            "rate": {"mode": "abr", "bitrate_bps": bitrate_bps},
            "pass": {"number": number, "stats": str(tmp_path / "stats")},
        }
        made = run(source, job("mkv", video), tmp_path / f"{number}.mkv")
        assert made.exit_code == 0, made.log
        assert made.path.exists() == (number == 2)
    assert made.last["bytes"] * 8 / made.last["duration_s"] == pytest.approx(bitrate_bps, rel=0.1)
