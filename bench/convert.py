"""`millrace transcode` beside `ffmpeg` and HandBrakeCLI, each asked for the same file.

The three take turns, so that whatever else the machine does meets all; each round begins with
another one. Sound is copied by all. Beside the costs stand bit rate and VMAF, so that speed is not
bought with quality: `python -m bench.convert --rounds 2 --publish`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.clips import RATE, Section, mezzanine
from bench.engine import Cost, cost_of
from bench.markdown import put_between_marks, table
from bench.quality import Options, Quality, measure
from bench.tools import CACHE, REPOSITORY

PAGE = REPOSITORY / "docs" / "explanation" / "command-line.md"
WORK = CACHE / "convert"
SECTIONS = (
    Section("film", "sintel_trailer-720p.mp4", 300, 90),
    Section("hand-held", "cityCC0.mpg", 0, 90),
)
KEY_FRAME_PICTURES = 10 * RATE
"""At most so far apart, in all three."""
SVT_PRESET = 8
"""What `--speed fast` is of AV1."""
Command = Callable[[str, Path, Path], list[str]]


def ours(codec: str, source: Path, output: Path) -> list[str]:
    how = {"h264": ["--crf", "22", "--speed", "medium"], "av1": ["--crf", "35", "--speed", "fast"]}
    words = [sys.executable, "-m", "cli", "transcode", str(source), str(output), "-q"]
    return [*words, "--overwrite", "--codec", codec, *how[codec]]


def ffmpeg(codec: str, source: Path, output: Path) -> list[str]:
    how = {
        "h264": ["-c:v", "libx264", "-preset", "medium", "-crf", "22"],
        "av1": ["-c:v", "libsvtav1", "-preset", str(SVT_PRESET), "-crf", "35"],
    }
    words = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), *how[codec]]
    words += ["-pix_fmt", "yuv420p", "-g", str(KEY_FRAME_PICTURES), "-c:a", "copy"]
    return [*words, "-movflags", "+faststart", str(output)]


def handbrake(codec: str, source: Path, output: Path) -> list[str]:
    """Without the filters, the size and the profile of its default preset."""
    how = {
        "h264": ["-e", "x264", "--encoder-preset", "medium", "-q", "22"],
        "av1": ["-e", "svt_av1", "--encoder-preset", str(SVT_PRESET), "-q", "35"],
    }
    words = ["HandBrakeCLI", "-v", "0", "-i", str(source), "-o", str(output), *how[codec]]
    words += ["--encoder-profile", "auto", "--encoder-level", "auto", "--crop-mode", "none"]
    words += ["--no-comb-detect", "--no-deinterlace", "--no-decomb", "--vfr"]
    return [*words, "-a", "1", "-E", "copy:aac", "-O"]


TOOLS: Mapping[str, Command] = {"millrace": ours, "ffmpeg": ffmpeg, "HandBrakeCLI": handbrake}


def rounds(codec: str, source: Path, count: int) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in TOOLS}
    names = list(TOOLS)
    for number in range(count):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            target = made(codec, name)
            target.unlink(missing_ok=True)
            costs[name].append(cost_of(TOOLS[name](codec, source, target)))
    return costs


def made(codec: str, name: str) -> Path:
    return WORK / f"{codec}-{name}.mp4"


def rows(codec: str, source: Path, costs: Mapping[str, list[Cost]]) -> list[list[str]]:
    found: list[list[str]] = []
    for name, own in costs.items():
        quality = measure(source, made(codec, name), Options(subsample=3, lenient_tail=2))
        found.append([codec, name, *_costs(own, costs["ffmpeg"]), *_looks(quality)])
    return found


def _costs(own: list[Cost], others: list[Cost]) -> list[str]:
    """Medians, and how often ffmpeg's, from the least to the most of the rounds."""
    cells = []
    for what in ("wall_s", "cpu_s"):
        ratios = [getattr(a, what) / getattr(b, what) for a, b in zip(own, others, strict=True)]
        middle = statistics.median(getattr(cost, what) for cost in own)
        cells.append(f"{middle:.1f} s ({min(ratios):.2f} to {max(ratios):.2f})")
    return cells


def _looks(quality: Quality) -> list[str]:
    return [f"{quality.bitrate_bps / 1000:.0f} kb/s", f"{quality.vmaf:.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Beside ffmpeg and HandBrakeCLI.")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--codecs", nargs="+", default=["h264", "av1"], choices=["h264", "av1"])
    parser.add_argument("--publish", action="store_true", help=f"put it into {PAGE.name}")
    given = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    os.environ["PYTHONPATH"] = f"{REPOSITORY / 'layers/core/python'}:{REPOSITORY}"
    source = mezzanine("convert-1080p30", SECTIONS)
    lines: list[list[str]] = []
    for codec in given.codecs:
        lines += rows(codec, source, rounds(codec, source, given.rounds))
    head = ("", "tool", "wall (of ffmpeg's)", "processor (of ffmpeg's)", "pictures", "VMAF")
    text = table(head, lines)
    print(text)
    if given.publish:
        put_between_marks(PAGE, "bench/convert.py", text)


if __name__ == "__main__":
    main()
