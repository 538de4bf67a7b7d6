"""Little HLS samples, made by ffmpeg in the shape Millrace publishes: CMAF, audio apart."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

SECONDS = 12


def make_sample(folder: Path) -> None:
    """Write a VOD of two renditions (360p, 180p) and one audio track to `folder`.

    The picture changes in every frame, so that a test can see it move.
    """
    _make_hls(folder, SECONDS, "640x360", ("-b:v:0", "800k", "-b:v:1", "200k"))
    frame = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x360"]
    subprocess.run([*frame, "-frames:v", "1", str(folder / "poster.jpg")], check=True)
    _make_storyboard(folder)


LONG_SECONDS = 180


def make_long_sample(folder: Path) -> None:
    """Write a VOD of much more than a player loads at once: 180p at 1.5 Mb/s, 90p at 400 kb/s."""
    rates = []
    for index, kilobits in enumerate((1500, 400)):
        rates += [f"-b:v:{index}", f"{kilobits}k", f"-minrate:v:{index}", f"{kilobits}k"]
        rates += [f"-maxrate:v:{index}", f"{kilobits}k", f"-bufsize:v:{index}", f"{kilobits}k"]
        rates += [f"-x264-params:v:{index}", "nal-hrd=cbr"]
    _make_hls(folder, LONG_SECONDS, "320x180", rates, rate=15)


def _make_hls(folder: Path, seconds: int, size: str, rates: Sequence[str], rate: int = 25) -> None:
    """`rates`: options of the two encoders; the second makes pictures half as wide."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["ffmpeg", "-v", "error", "-y"]
    command += ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]
    command += ["-f", "lavfi", "-i", f"sine=frequency=330:duration={seconds}"]
    command += ["-filter_complex", "[0:v]split[a][b];[b]scale=iw/2:ih/2[c]"]
    command += ["-map", "[a]", "-map", "[c]", "-map", "1:a"]
    command += [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-g",
        f"{2 * rate}",
        "-sc_threshold",
        "0",
    ]
    command += [*rates, "-c:a", "aac", "-b:a", "64k"]
    command += ["-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod"]
    command += ["-hls_segment_type", "fmp4", "-hls_flags", "independent_segments"]
    command += ["-var_stream_map", "v:0,agroup:audio v:1,agroup:audio a:0,agroup:audio,default:yes"]
    command += ["-master_pl_name", "master.m3u8", "-hls_segment_filename", "%v/%05d.m4s"]
    subprocess.run([*command, "%v/index.m3u8"], cwd=folder, check=True)


def _make_storyboard(folder: Path) -> None:
    """A tile for each second, in one image of 4 × 3."""
    (folder / "storyboard").mkdir(exist_ok=True)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi"]
    command += ["-i", f"testsrc2=size=160x90:rate=1:duration={SECONDS}"]
    command += ["-vf", "tile=4x3", "-frames:v", "1"]
    subprocess.run([*command, str(folder / "storyboard" / "00.jpg")], check=True)
    cues = (
        f"00:{second:02d}.000 --> 00:{second + 1:02d}.000\n"
        f"storyboard/00.jpg#xywh={second % 4 * 160},{second // 4 * 90},160,90\n"
        for second in range(SECONDS)
    )
    (folder / "storyboard.vtt").write_text("\n".join(["WEBVTT\n", *cues]))
