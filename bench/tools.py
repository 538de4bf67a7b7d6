"""The commands the measurements use, and what ffprobe says of a file."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg

REPOSITORY = Path(__file__).resolve().parent.parent
CLIPS = REPOSITORY / "tests" / "media" / "clips"
_BUILT = REPOSITORY / "build" / "engine" / "release" / "millrace-engine"
CACHE = REPOSITORY / "build" / "bench"
ENGINE = Path(os.environ.get("MILLRACE_ENGINE") or _BUILT)


def judge_ffmpeg() -> str:
    """An ffmpeg with libvmaf: Debian's has none, so a pinned wheel brings it."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run(*command: str | Path) -> str:
    """Standard output; on failure an error that shows what the command complained about."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}\n{done.stderr[-3000:]}")
    return done.stdout


def made_once(path: Path, *command: str | Path) -> Path:
    """`path`, made by `COMMAND… temporary` unless it is there already."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".part-{path.name}")
        run(*command, temporary)
        temporary.replace(path)
    return path


@dataclass(frozen=True, slots=True)
class Video:
    width: int
    height: int
    rate: Fraction
    frames: int
    bytes: int

    @property
    def bitrate_bps(self) -> float:
        """Of the pictures alone, without container or sound."""
        return float(self.bytes * 8 * self.rate / self.frames) if self.frames else 0.0


def video_of(source: Path | str) -> Video:
    """The facts of the first video stream, by counting its packets."""
    entries = "stream=width,height,avg_frame_rate,r_frame_rate:packet=size"
    probe = ("ffprobe", "-v", "error", "-of", "json", "-select_streams", "v:0")
    answer: dict[str, Any] = json.loads(run(*probe, "-show_entries", entries, str(source)))
    stream = answer["streams"][0]
    sizes = [int(packet["size"]) for packet in answer["packets"]]
    rate = Fraction(stream["r_frame_rate"])
    return Video(stream["width"], stream["height"], rate, len(sizes), sum(sizes))
