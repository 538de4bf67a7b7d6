"""The ffmpeg command that does about the same, for who wants to know or to compare."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from cli.media.job import COPY, Job, Video

_ENCODERS = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1", "vp9": "libvpx-vp9"}
_SVT_PRESETS = {
    "ultrafast": 12,
    "superfast": 11,
    "veryfast": 10,
    "faster": 9,
    "fast": 8,
    "medium": 7,
    "slow": 6,
    "slower": 5,
}
_VP9_SPEEDS = {
    "ultrafast": 8,
    "superfast": 7,
    "veryfast": 6,
    "faster": 5,
    "fast": 4,
    "medium": 3,
    "slow": 2,
    "slower": 1,
}
_SOUNDS = {"aac": "aac", "opus": "libopus"}
_TONEMAP = (
    "zscale=transfer=linear:npl=100,tonemap=hable,"
    "zscale=primaries=bt709:transfer=bt709:matrix=bt709"
)


def lines(
    source: Path, job: Job, target: Path, stream: Mapping[str, Any] | None = None
) -> list[str]:
    """One command, or two for two passes.

    Args:
        stream: what is known of the source's pictures.
    """
    video = job.video
    shown = [] if video is None else [*_picture_words(video, stream or {})]
    if video is None or video.stats is None:
        return [_line(source, job, target, shown)]
    first, second = ([*_pass_words(video, number)] for number in (1, 2))
    nowhere = ["-an", "-sn", "-f", "null"]
    return [
        _line(source, job, Path("/dev/null"), shown, [*first, *nowhere], pictures_only=True),
        _line(source, job, target, shown, second),
    ]


def _pass_words(video: Video, number: int) -> tuple[str, str]:
    """ffmpeg's own option does not reach libx265."""
    if video.codec == "hevc":
        return "-x265-params", f"pass={number}"
    return "-pass", str(number)


def _line(
    source: Path,
    job: Job,
    target: Path,
    shown: Sequence[str],
    more: Sequence[str] = (),
    *,
    pictures_only: bool = False,
) -> str:
    words = ["ffmpeg", *_range(job), "-i", str(source)]
    if job.video is not None:
        words += ["-map", f"0:{job.video.stream}", *shown]
    if not pictures_only:
        words += [*_track_words(job), *_extras(job)]
    return shlex.join([*words, *more, str(target)])


def _range(job: Job) -> Iterator[str]:
    if job.start_s:
        yield from ("-ss", f"{job.start_s:g}")
    if job.end_s is not None:
        yield from ("-to", f"{job.end_s:g}")


def _picture_words(video: Video, stream: Mapping[str, Any]) -> Iterator[str]:
    if video.copied:
        yield from ("-c:v", "copy")
        return
    yield from ("-c:v", _ENCODERS[video.codec])
    if video.codec == "av1":
        yield from ("-preset", str(_SVT_PRESETS[video.preset]))
    elif video.codec == "vp9":
        yield from (
            "-deadline",
            "good",
            "-cpu-used",
            str(_VP9_SPEEDS[video.preset]),
            "-row-mt",
            "1",
        )
    else:
        yield from ("-preset", video.preset)
    if video.bitrate_bps is not None:
        yield from ("-b:v", str(video.bitrate_bps))
    else:
        yield from ("-crf", f"{video.crf:g}")
        yield from (("-b:v", "0") if video.codec == "vp9" else ())
    rate = video.fps or _rate(stream)
    yield from ("-g", str(round(video.key_frame_interval_s * rate))) if rate else ()
    if filters := ",".join(_filters(video, interlaced=bool(stream.get("interlaced")))):
        yield from ("-vf", filters)
    yield from ("-pix_fmt", "yuv420p10le" if video.pixel_depth == 10 else "yuv420p")


def _rate(stream: Mapping[str, Any]) -> Fraction | None:
    """Pictures a second."""
    rate = stream.get("avg_frame_rate") or {"num": 0, "den": 0}
    return Fraction(rate["num"], rate["den"]) if rate["num"] and rate["den"] else None


def _filters(video: Video, *, interlaced: bool) -> Iterator[str]:
    if interlaced:
        yield "bwdif=mode=send_frame"
    if crop := video.crop:
        yield f"crop={crop.width}:{crop.height}:{crop.x}:{crop.y}"
    if video.width and video.height:
        yield f"scale={video.width}:{video.height},setsar=1"
    if video.fps:
        yield f"fps={video.fps}"
    if video.hdr == "tonemap":
        yield _TONEMAP


def _track_words(job: Job) -> Iterator[str]:
    for number, track in enumerate(job.audio):
        yield from ("-map", f"0:{track.stream}")
        if track.codec == COPY:
            yield from (f"-c:a:{number}", "copy")
            continue
        yield from (f"-c:a:{number}", _SOUNDS[track.codec])
        yield from (f"-b:a:{number}", str(track.bitrate_bps))
        yield from ((f"-ac:a:{number}", str(track.channels)) if track.channels else ())
    for number, text in enumerate(job.subtitles):
        yield from ("-map", f"0:{text.stream}", f"-c:s:{number}", text.codec)


def _extras(job: Job) -> Iterator[str]:
    yield from () if job.metadata else ("-map_metadata", "-1")
    yield from () if job.chapters else ("-map_chapters", "-1")
    if job.video is not None and job.container == "mp4":
        yield from ("-movflags", "+faststart")
        # Apple's players know HEVC by this name only.
        yield from ("-tag:v", "hvc1") if job.video.codec == "hevc" else ()
