"""Our engine beside one ffmpeg process that makes the same ladder from the same source.

Runs take turns, so that whatever else the machine does meets both; only the ratios mean something.
Each rendition's VMAF, SSIM and bit rate stand beside its time, so that speed is not bought with
quality: `python -m bench.engine --preset veryfast --rounds 3`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.clips import mixed
from bench.quality import Options, Quality, measure
from bench.tools import CACHE, ENGINE, video_of

WORK = CACHE / "engine"
SEGMENT_S = 4
AUDIO_BPS = 128_000


@dataclass(frozen=True, slots=True)
class Rung:
    """A rendition both make: an average rate, capped at 1.07 of it over 1.5 seconds."""

    name: str
    width: int
    height: int
    level: str
    bitrate_bps: int

    @property
    def maxrate_bps(self) -> int:
        return self.bitrate_bps * 107 // 100

    @property
    def bufsize_bits(self) -> int:
        return self.bitrate_bps * 3 // 2


LADDER = (
    Rung("1080p", 1920, 1080, "4.0", 5_000_000),
    Rung("720p", 1280, 720, "3.1", 2_800_000),
    Rung("480p", 854, 480, "3.1", 1_400_000),
)


@dataclass(frozen=True, slots=True)
class Cost:
    wall_s: float
    cpu_s: float
    memory_bytes: int


def cost_of(command: list[str]) -> Cost:
    """Of a command and all that it started."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def ffmpeg_command(source: Path, preset: str, folder: Path, threads: int) -> list[str]:
    """The line that people use: one decode, one scaler and one encoder each, HLS."""
    gop = str(SEGMENT_S * int(video_of(source).rate))
    split = "".join(f"[in{n}]" for n, _ in enumerate(LADDER))
    scales = [f"[in{n}]scale={r.width}:{r.height}[out{n}]" for n, r in enumerate(LADDER)]
    graph = ";".join([f"[0:v]split={len(LADDER)}{split}", *scales])
    words = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", str(threads), "-i", str(source)]
    words += ["-filter_complex", graph]
    for n, _ in enumerate(LADDER):
        words += ["-map", f"[out{n}]"]
    words += ["-map", "0:a:0", "-c:v", "libx264", "-preset", preset, "-pix_fmt", "yuv420p"]
    words += ["-g", gop, "-keyint_min", gop, "-sc_threshold", "0"]
    for n, rung in enumerate(LADDER):
        words += [f"-b:v:{n}", str(rung.bitrate_bps), f"-maxrate:v:{n}", str(rung.maxrate_bps)]
        words += [f"-bufsize:v:{n}", str(rung.bufsize_bits)]
    streams = " ".join([*(f"v:{n},agroup:sound" for n, _ in enumerate(LADDER)), "a:0,agroup:sound"])
    words += ["-c:a", "aac", "-b:a", str(AUDIO_BPS), "-ac", "2", "-var_stream_map", streams]
    words += ["-f", "hls", "-hls_time", str(SEGMENT_S), "-hls_playlist_type", "vod"]
    words += ["-hls_segment_type", "fmp4", "-master_pl_name", "master.m3u8"]
    return [*words, "-hls_segment_filename", f"{folder}/%v/%05d.m4s", f"{folder}/%v/index.m3u8"]


def plan(source: Path, preset: str) -> dict[str, Any]:
    video = video_of(source)
    renditions = [
        {
            **{"name": rung.name, "width": rung.width, "height": rung.height, "level": rung.level},
            **{"codec": "h264", "profile": "high", "rate_control": "abr"},
            **{"bitrate_bps": rung.bitrate_bps, "maxrate_bps": rung.maxrate_bps},
            "bufsize_bits": rung.bufsize_bits,
        }
        for rung in LADDER
    ]
    sound = {"name": "audio-0", "stream": 1, "channels": 2, "bitrate_bps": AUDIO_BPS}
    segment_frames = SEGMENT_S * int(video.rate)
    return {
        "version": 1,
        "frame_rate": {"num": video.rate.numerator, "den": video.rate.denominator},
        "duration_s": float(video.frames / video.rate),
        "segment_frames": segment_frames,
        "video": {"stream": 0, "preset": preset, "renditions": renditions},
        "audio": [{**sound, "sample_rate_hz": 48_000, "default": True}],
        "chunk_segments": -(-video.frames // segment_frames),
        "chunk_count": 1,
    }


def engine_command(source: Path, preset: str, folder: Path, threads: int) -> list[str]:
    path = folder / "plan.json"
    path.write_text(json.dumps(plan(source, preset)))
    words = [str(ENGINE), "transcode", str(source), "--plan", str(path), "--output", str(folder)]
    return [*words, "--threads", str(threads)]


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def rounds(source: Path, preset: str, count: int, threads: int) -> Iterator[tuple[Cost, Cost]]:
    """Ours and theirs, by turns; the other one begins every second time."""
    for number in range(count):
        ours = engine_command(source, preset, fresh(WORK / "ours"), threads)
        theirs = ffmpeg_command(source, preset, fresh(WORK / "theirs"), threads)
        if number % 2:
            their_cost = cost_of(theirs)
            yield cost_of(ours), their_cost
        else:
            yield cost_of(ours), cost_of(theirs)


def report(name: str, costs: list[tuple[Cost, Cost]]) -> None:
    for what in ("wall_s", "cpu_s", "memory_bytes"):
        ratios = [getattr(ours, what) / getattr(theirs, what) for ours, theirs in costs]
        ours = statistics.median(getattr(pair[0], what) for pair in costs)
        theirs = statistics.median(getattr(pair[1], what) for pair in costs)
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        print(
            f"{name:<10} {what:<13} ours {ours:>14,.1f}  ffmpeg {theirs:>14,.1f}  "
            f"ratio {statistics.median(ratios):.3f} ({spread})"
        )


def compare_quality(source: Path, subsample: int) -> None:
    options = Options(subsample=subsample, lenient_tail=4)
    print("rendition       VMAF ours / ffmpeg         SSIM ours / ffmpeg        kb/s ours / ffmpeg")
    for number, rung in enumerate(LADDER):
        ours = measure(source, WORK / "ours" / rung.name / "index.m3u8", options)
        theirs = measure(source, WORK / "theirs" / str(number) / "index.m3u8", options)
        print(_quality_row(rung.name, ours, theirs), flush=True)


def _quality_row(name: str, ours: Quality, theirs: Quality) -> str:
    bits = ours.bitrate_bps / theirs.bitrate_bps - 1
    return (
        f"{name:<10} {ours.vmaf:7.2f} {theirs.vmaf:7.2f} ({ours.vmaf - theirs.vmaf:+.2f})  "
        f"{ours.ssim:8.5f} {theirs.ssim:8.5f} ({ours.ssim - theirs.ssim:+.5f})  "
        f"{ours.bitrate_bps / 1000:7.0f} {theirs.bitrate_bps / 1000:7.0f} ({bits:+.1%})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Our engine beside ffmpeg, as ratios.")
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[os.cpu_count() or 1])
    parser.add_argument("--source", type=Path, help="a 1080p30 file; the mixed minute if not given")
    parser.add_argument("--subsample", type=int, default=5, help="judge every N-th picture")
    parser.add_argument("--no-quality", action="store_true", help="measure the cost only")
    given = parser.parse_args()
    source = given.source or mixed()
    for threads in given.threads:
        costs = list(rounds(source, given.preset, given.rounds, threads))
        report(f"{given.preset}/{threads}", costs)
    if not given.no_quality:
        compare_quality(source, given.subsample)


if __name__ == "__main__":
    main()
