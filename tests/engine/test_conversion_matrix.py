"""Every kind of file that users have, converted: the output beside the source, picture by picture.

Each case names the container and the codecs of the output, which take turns, and the least peak
signal-to-noise ratio of any picture. That and the whole file's SSIM are measured by ffmpeg, after
it made the source's pictures upright and scaled them to the output's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.harness.comparison import Comparison, Facts, compare, facts, streams
from tests.harness.conversion import AUDIO, Conversion, Job, job, run
from tests.media import conversions

pytestmark = pytest.mark.needs_engine

_CRF: dict[str | None, int] = {"h264": 12, "hevc": 12, "av1": 20, "vp9": 12}
_TICK_S = 0.0011
"""Matroska's times are whole milliseconds."""
_SOUND_S = 0.012
"""How much later or earlier, beside the picture, sound may begin or end: cycles of the tone."""
_RGB = "scale=out_color_matrix=bt709,format=yuv420p"
"""RGB becomes what its output is tagged as; ffmpeg would take BT.601."""

_SOUND_PACKET_S = 0.022
"""A copy can be cut only between two packets."""
_CHROMA_DB = 33
"""Where chroma was finer than 4:2:0, or lay elsewhere, and each scaler has its own way with it."""


@dataclass(frozen=True)
class Case:
    """What is made of a source, and how near to it that must be."""

    container: str
    video: str | None = "h264"
    audio: str | None = None
    least_db: float = 40
    least_ssim: float = 0.985
    job: tuple[tuple[str, Any], ...] = ()
    """What else the job says of the video."""
    change: str = "null"
    """ffmpeg's filters for what the engine does to every such source."""


CASES: dict[str, Case] = {
    # Containers and codecs.
    "h264-aac.mp4": Case("mkv", "h264", "aac"),
    "h264-aac.ts": Case("mp4", "h264", "aac"),
    "h264-aac.flv": Case("mp4", "h264", "aac"),
    "h264-aac.mkv": Case("webm", "vp9", "opus"),
    "fragmented.mp4": Case("mp4", "copy", "copy"),
    "index-last.mov": Case("mp4", "copy", "aac"),
    "video-only.mp4": Case("mkv", "h264"),
    "mpeg2-mp2.mpg": Case("mp4", "h264", "aac"),
    "mpeg4-mp3.avi": Case("mp4", "h264", "aac"),
    "vp8-vorbis.webm": Case("mp4", "h264", "aac"),
    "vp9-opus.webm": Case("webm", "copy", "copy"),
    "prores-pcm.mov": Case("mp4", "hevc", "aac"),
    "h263-aac.3gp": Case("mp4", "h264", "aac"),
    "theora-vorbis.ogv": Case("mp4", "h264", "aac"),
    "wmv2-wma.wmv": Case("mkv", "h264", "opus"),
    "mpeg2-pcm.mxf": Case("mp4", "h264", "aac"),
    "vp8.ivf": Case("webm", "vp9"),
    "animation.gif": Case("webm", "vp9", change=_RGB, least_db=_CHROMA_DB),
    "hevc-aac.mov": Case("mp4", "copy", "copy"),
    "hevc-eac3.mkv": Case("mkv", "hevc", "aac", job=(("pixel_depth", 10),)),
    "hevc-ac3.ts": Case("mkv", "copy", "copy"),
    "av1-opus.mp4": Case("webm", "copy", "copy"),
    "av1-opus.webm": Case("mp4", "h264", "copy"),
    "vp9-flac.mkv": Case("mp4", "h264", "aac"),
    "mpeg2-ac3.ts": Case("mp4", "copy", "copy"),
    "mpeg2-mp2.mkv": Case("mp4", "h264", "aac"),
    "mpeg4-aac.mp4": Case("mkv", "h264", "copy"),
    "mpeg4-mp3.mkv": Case("mp4", "copy", "copy"),
    "mjpeg-pcm.avi": Case("mp4", "h264", "aac", least_db=_CHROMA_DB),
    "mjpeg-pcm.mov": Case("mp4", "h264", "aac", least_db=_CHROMA_DB),
    "h264-mp3.avi": Case("mp4", "copy", "copy"),
    "h264-mp3.flv": Case("mkv", "copy", "copy"),
    "flv1-mp3.flv": Case("mp4", "h264", "aac"),
    "prores-422-hq.mov": Case(
        "mkv", "av1", "opus", job=(("pixel_depth", 10),), least_db=36, least_ssim=0.975
    ),
    "ffv1-pcm.avi": Case("mkv", "copy", "copy"),
    # Pictures.
    "odd-size.mp4": Case("mp4", least_db=_CHROMA_DB),
    "odd-size-nv12.mkv": Case("mp4", least_db=_CHROMA_DB),
    "odd-size-yuyv422.mkv": Case("mkv", least_db=_CHROMA_DB),
    "odd-size-yuva420p.mkv": Case("mp4", least_db=_CHROMA_DB),
    "10-bit.mkv": Case("mp4", "hevc", job=(("pixel_depth", 10),)),
    "12-bit.mkv": Case("mp4"),
    "422.mp4": Case("mkv"),
    "444.mp4": Case("mp4", least_db=_CHROMA_DB),
    "alpha.mov": Case("mp4", change=_RGB, least_db=_CHROMA_DB),
    "alpha-yuv.mov": Case("mkv", least_db=_CHROMA_DB),
    "palette.mov": Case("mp4", change=_RGB, least_db=_CHROMA_DB),
    "gray.mkv": Case("mp4"),
    "rotated-90.mp4": Case("mp4"),
    "rotated-180.mp4": Case("mkv"),
    "rotated-270.mp4": Case("webm", "vp9"),
    "interlaced-tff.mpg": Case("mp4", change="bwdif=mode=send_frame"),
    "interlaced-bff.mpg": Case("mp4", change="bwdif=mode=send_frame"),
    "anamorphic.mp4": Case("mkv", "h264", "aac"),
    "anamorphic.mpg": Case("mp4", "h264", "aac"),
    "hdr10.mp4": Case("mp4", "hevc", job=(("hdr", "keep"), ("pixel_depth", 10))),
    "hlg.mp4": Case(
        "mkv", "av1", job=(("hdr", "keep"), ("pixel_depth", 10)), least_db=36, least_ssim=0.975
    ),
    "dolby-vision-8.mp4": Case("mp4", "copy"),
    # Times.
    "one-frame.mp4": Case("mp4"),
    "fifth-of-a-second.mp4": Case("mkv", "h264", "aac"),
    "eleven-hours.mp4": Case("mkv"),
    "1-to-240-fps.mp4": Case("mp4"),
    "240-fps.mp4": Case("mkv", job=(("preset", "veryfast"),)),
    "h264-without-pts.avi": Case("mp4"),
    "every-pts.ts": Case("mp4", "h264"),
    "few-pts.ts": Case("mkv", "copy"),
    "pts-wrap.ts": Case("mp4", "copy", "copy"),
    "edit-list.mp4": Case("mp4", "copy", "copy"),
    "edit-list.mov": Case("mkv", "h264", "aac"),
    "late.ts": Case("mp4", "h264", "aac"),
    "below-zero.mkv": Case("webm", "vp9", "copy"),
    # Sounds.
    "9-audio-tracks.mp4": Case("mp4", "copy", "copy"),
    "three-sounds.mp4": Case("mkv", "h264", "aac"),
    "96-khz.mkv": Case("mp4", "h264", "aac"),
    "8-bit-mono.avi": Case("mp4", "h264", "aac"),
    "24-channels.mov": Case("mp4", "h264", "aac"),
    "surround.mkv": Case("mp4", "h264", "aac"),
    "cover-and-film.mp4": Case("mp4", "h264", "copy"),
    "audio-only.m4a": Case("mp4", None, "copy"),
    # Damage.
    "almost-whole.mkv": Case("mkv"),
    "almost-whole.mp4": Case("mp4"),
    "almost-whole.flv": Case("mp4", "copy", "copy"),
    # Real films, made smaller.
    "bunny.mp4": Case("mp4", "h264", "aac", job=(("height", 180),)),
    "sintel.mkv": Case("mp4", "hevc", "aac", job=(("height", 180),)),
    "sintel.ts": Case("mkv", "copy", "copy"),
    "sintel.mov": Case(
        "webm", "av1", "opus", job=(("height", 180),), least_db=36, least_ssim=0.975
    ),
    "cars.mp4": Case("webm", "vp9", job=(("height", 144),)),
    "city.mpg": Case("mp4", "h264", job=(("height", 180),)),
}


@pytest.mark.parametrize("name", CASES)
def test_output_is_what_the_source_was_when_that_is(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    source = conversions.path(name)
    before = facts(source)
    made = run(source, job_for(case, before), tmp_path / f"out.{case.container}")
    assert made.exit_code == 0, made.log + str(made.events[-1:])
    after = facts(made.path)
    check_tracks(case, before, after)
    beside = compare([(source, before), (made.path, after)], tmp_path, case.change)
    check_pictures(case, beside)
    check_sound(case, beside)
    check_length(made, after, beside)


def job_for(case: Case, source: Facts) -> Job:
    """The first video and the first sound."""
    the_job = job(case.container, dict(case.job))
    if case.video is None:
        the_job["video"] = None
    else:
        the_job["video"] |= {"stream": streams(source, "video")[0]["index"], "codec": case.video}
    if case.video in _CRF:
        the_job["video"] |= {"rate": {"mode": "crf", "crf": _CRF[case.video]}}
    if case.audio is not None:
        stream = streams(source, "audio")[0]["index"]
        the_job["audio"] = [AUDIO | {"stream": stream, "codec": case.audio}]
    return the_job


def check_tracks(case: Case, before: Facts, after: Facts) -> None:
    """Those that were asked for, upright and of the same shape."""
    for kind, codec in (("video", case.video), ("audio", case.audio)):
        expected = streams(before, kind)[0]["codec_name"] if codec == "copy" else codec
        assert [each["codec_name"] for each in streams(after, kind)] == (
            [expected] if codec else []
        )
    if case.video is not None:
        (film,) = streams(after, "video")
        assert shape(film) == pytest.approx(shape(streams(before, "video")[0]), rel=0.02)
        if case.video != "copy":
            assert not turned(film)


def turned(film: Facts) -> bool:
    """By a quarter, as a player turns it."""
    sides = film.get("side_data_list", [])
    return any(abs(side.get("rotation", 0)) in (90, 270) for side in sides)


def shape(film: Facts) -> float:
    """Width by height, as it is shown."""
    across, _, up = film.get("sample_aspect_ratio", "1:1").partition(":")
    wide: float = film["width"] * int(across) / (film["height"] * int(up))
    return 1 / wide if turned(film) else wide


def check_pictures(case: Case, beside: Comparison) -> None:
    """All that are in the source, at their times, and nothing between."""
    expected = beside.source.times_s
    assert len(beside.made.times_s) == len(expected)
    assert bool(expected) == (case.video is not None)
    for shown, time in zip(beside.made.times_s, expected, strict=True):
        assert shown == pytest.approx(time, abs=_TICK_S)
    least_db = float("inf") if case.video == "copy" else case.least_db
    assert beside.least_psnr_db >= least_db
    assert beside.ssim >= case.least_ssim


def check_sound(case: Case, beside: Comparison) -> None:
    """It begins and ends where it did beside the picture; what comes before that is left out."""
    if case.audio is None:
        assert beside.made.sound_s is None
        return
    assert beside.source.sound_s is not None
    assert beside.made.sound_s is not None
    (source_start_s, source_end_s), (start_s, end_s) = beside.source.sound_s, beside.made.sound_s
    assert end_s == pytest.approx(source_end_s, abs=_SOUND_S)
    cut = source_start_s < -_TICK_S and case.audio == "copy"
    assert start_s == pytest.approx(
        max(source_start_s, 0), abs=_SOUND_S + (_SOUND_PACKET_S if cut else 0)
    )


def check_length(made: Conversion, after: Facts, beside: Comparison) -> None:
    """What the container says and what the engine says is what is there."""
    told_s = float(after["format"]["duration"])
    assert made.last["duration_s"] == pytest.approx(told_s, abs=0.06)
    ends_s = [*beside.made.times_s[-1:], *(beside.made.sound_s or ())[1:]]
    assert told_s >= max(ends_s) - 0.03
