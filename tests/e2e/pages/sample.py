"""Little HLS samples, made by ffmpeg in the shape Millrace publishes: CMAF, audio apart."""

from __future__ import annotations

import subprocess
from pathlib import Path

SECONDS = 12


def make_sample(folder: Path) -> None:
    """Write a VOD of two renditions (360p, 180p) and one audio track to `folder`.

    The picture changes in every frame, so that a test can see it move.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = ["ffmpeg", "-v", "error", "-y"]
    command += ["-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=25:duration={SECONDS}"]
    command += ["-f", "lavfi", "-i", f"sine=frequency=330:duration={SECONDS}"]
    command += ["-filter_complex", "[0:v]split[a][b];[b]scale=320:180[c]"]
    command += ["-map", "[a]", "-map", "[c]", "-map", "1:a"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-sc_threshold", "0"]
    command += ["-b:v:0", "800k", "-b:v:1", "200k", "-c:a", "aac", "-b:a", "64k"]
    command += ["-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod"]
    command += ["-hls_segment_type", "fmp4", "-hls_flags", "independent_segments"]
    command += ["-var_stream_map", "v:0,agroup:audio v:1,agroup:audio a:0,agroup:audio,default:yes"]
    command += ["-master_pl_name", "master.m3u8", "-hls_segment_filename", "%v/%05d.m4s"]
    subprocess.run([*command, "%v/index.m3u8"], cwd=folder, check=True)
    frame = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x360"]
    subprocess.run([*frame, "-frames:v", "1", str(folder / "poster.jpg")], check=True)
