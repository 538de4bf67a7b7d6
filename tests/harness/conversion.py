"""Conversions of one file by the engine, without the command line, and what ffmpeg says of them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness import media
from tests.harness.ladder import ENGINE

Job = dict[str, Any]

VIDEO: Job = {
    "stream": 0,
    "codec": "h264",
    "preset": "ultrafast",
    "rate": {"mode": "crf", "crf": 20},
}
AUDIO: Job = {"stream": 1, "codec": "aac", "bitrate_bps": 128_000, "channels": None}


def job(container: str = "mp4", video: Job | None = None, **others: Any) -> Job:
    """A job for the first video and, unless `audio` says otherwise, no sound."""
    return {"schema_version": 1, "container": container, "video": VIDEO | (video or {}), **others}


@dataclass(frozen=True)
class Conversion:
    exit_code: int
    events: Sequence[Job]
    log: str
    path: Path

    @property
    def last(self) -> Job:
        assert self.events, self.log
        return self.events[-1]

    def warnings(self, code: str) -> list[Job]:
        return [
            each for each in self.events if (each["type"], each.get("code")) == ("warning", code)
        ]

    def streams(self, kind: str = "") -> list[Job]:
        """ffprobe's opinion of the output, packets counted."""
        select = ("-select_streams", kind) if kind else ()
        found = media.ffprobe(self.path, "-show_streams", "-count_packets", *select)["streams"]
        return list(found)

    def packets(self, kind: str) -> list[Job]:
        return list(media.ffprobe(self.path, "-show_packets", "-select_streams", kind)["packets"])

    def picture_times_s(self) -> list[float]:
        entries = ("-select_streams", "v", "-show_entries", "frame=pts_time")
        return [float(each["pts_time"]) for each in media.ffprobe(self.path, *entries)["frames"]]


def command(source: Path, the_job: Mapping[str, Any], output: Path, *more: str) -> list[str]:
    """The command line, with the job in a file beside the output."""
    output.parent.mkdir(parents=True, exist_ok=True)
    file = output.parent / f"{output.name}.json"
    file.write_text(json.dumps(the_job))
    return [str(ENGINE), "convert", str(source), "--job", str(file), "--output", str(output), *more]


def run(source: Path, the_job: Mapping[str, Any], output: Path, *more: str) -> Conversion:
    done = subprocess.run(
        command(source, the_job, output, *more), check=False, capture_output=True, text=True
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return Conversion(done.returncode, events, done.stderr, output)


def convert(source: Path, the_job: Mapping[str, Any], folder: Path, *more: str) -> Conversion:
    """A conversion that has to succeed, whose pictures and sound ffmpeg has to decode without
    complaint."""
    made = run(source, the_job, folder / f"out.{the_job['container']}", *more)
    assert made.exit_code == 0, made.log + str(made.events[-1:])
    assert made.last["type"] == "result"
    assert made.last["bytes"] == made.path.stat().st_size
    if the_job["video"] or the_job.get("audio"):
        assert media.decode_errors(str(made.path)) == ""
    return made


def ssim(path: Path, reference: Path) -> float:
    """Picture by picture, whatever their times, at the reference's size."""
    graph = (
        "[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N[b];"
        "[a][b]scale2ref[c][d];[c]format=yuv420p[e];[d]format=yuv420p[f];[e][f]ssim"
    )
    arguments = ["-i", str(path), "-i", str(reference), "-lavfi", graph, "-f", "null", "-"]
    done = subprocess.run(
        ["ffmpeg", "-nostdin", *arguments], check=True, capture_output=True, text=True
    )
    found = re.search(r"SSIM.* All:(\S+)", done.stderr)
    assert found, done.stderr
    return float(found.group(1))


def cues(path: Path, index: int = 0) -> str:
    """A subtitle track as SubRip, which ffmpeg makes of it."""
    arguments = ["-i", str(path), "-map", f"0:s:{index}", "-f", "srt", "-"]
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
