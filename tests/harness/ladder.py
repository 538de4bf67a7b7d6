"""Ladders made by the engine itself, without a pipeline, and what a decoder sees in them."""

from __future__ import annotations

import array
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace import plan
from millrace.ladder import Rung
from millrace.media import parse
from tests.harness import media

ENGINE = media.REPOSITORY / "build" / "engine" / "release" / "millrace-engine"
SMALL = (Rung("180p", 180, 2_000_000, 16),)


@dataclass(frozen=True)
class Ladder:
    folder: Path
    plan: Mapping[str, Any]

    def joined(self, track: str) -> Path:
        """Init and media segments of a track as one file."""
        path = self.folder / f"{track}.mp4"
        segments = sorted((self.folder / track).glob("*.m4s"))
        parts = [self.folder / track / "init.mp4", *segments]
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        return path

    def video(self) -> Path:
        """The highest rendition."""
        return self.joined(self.plan["video"]["renditions"][0]["name"])


def engine(*arguments: str | Path) -> list[dict[str, Any]]:
    """The JSON lines of a successful run."""
    command = [str(argument) for argument in (ENGINE, *arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def plan_for(
    source: Path, rungs: Sequence[Rung] = SMALL, chunk_segments: int = 8
) -> dict[str, Any]:
    facts = parse(engine("probe", source)[-1])
    made = plan.make(facts, chunk_segments=chunk_segments, preset="veryfast", rungs=rungs)
    return made.to_json()


def transcode(source: Path, folder: Path, the_plan: Mapping[str, Any] | None = None) -> Ladder:
    """The whole source at once."""
    return _transcode(source, folder, the_plan or plan_for(source), [])


def transcode_in_parts(source: Path, folder: Path, the_plan: Mapping[str, Any]) -> Ladder:
    """Every chunk and every audio track in a run of its own, last one first."""
    for chunk in reversed(range(the_plan["chunk_count"])):
        _transcode(source, folder, the_plan, ["--chunk", str(chunk)])
    for index in range(len(the_plan["audio"])):
        _transcode(source, folder, the_plan, ["--audio", str(index)])
    return Ladder(folder, the_plan)


def _transcode(
    source: Path, folder: Path, the_plan: Mapping[str, Any], part: Sequence[str]
) -> Ladder:
    folder.mkdir(exist_ok=True)
    plan_file = folder / "plan.json"
    plan_file.write_text(json.dumps(the_plan))
    engine("transcode", source, "--plan", plan_file, "--output", folder, *part)
    return Ladder(folder, the_plan)


def _decoded(path: Path, *arguments: str) -> bytes:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *arguments, "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def pictures(path: Path, width: int, height: int, pixels: str = "gray") -> list[bytes]:
    """Every decoded picture, averaged down to `width` × `height`."""
    scale = f"scale={width}:{height}:flags=area,format={pixels}"
    raw = _decoded(path, "-vsync", "passthrough", "-vf", scale, "-f", "rawvideo")
    size = width * height * {"gray": 1, "yuv444p": 3, "rgb24": 3}[pixels]
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def first_picture(path: Path) -> bytes:
    """Planes Y, Cb and Cr of the first picture as it was coded (4:2:0)."""
    return _decoded(path, "-frames:v", "1", "-pix_fmt", "yuv420p", "-f", "rawvideo")


def samples(path: Path) -> array.array[float]:
    """The first channel, floats."""
    raw = _decoded(path, "-af", "pan=mono|c0=c0", "-ar", "48000", "-f", "f32le")
    return array.array("f", raw)


def hashes(path: Path) -> list[str]:
    """One a decoded picture or block of sound, with its time."""
    lines = _decoded(path, "-vsync", "passthrough", "-f", "framemd5").decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def video_stream(path: Path) -> dict[str, Any]:
    stream: dict[str, Any] = media.ffprobe(path, "-show_streams", "-select_streams", "v")[
        "streams"
    ][0]
    return stream
