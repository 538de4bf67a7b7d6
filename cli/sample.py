"""An HLS set without a cloud: the engine makes the segments, the domain writes the playlists."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.state import REPOSITORY
from millrace import hls, plan
from millrace.engine import Engine, Stop
from millrace.media import parse
from millrace.outputs import Collector, Track
from millrace.plan import Plan

ENGINE = REPOSITORY / "build" / "engine" / "release" / "millrace-engine"
FOLDER = REPOSITORY / "build" / "player-sample"
TIMEOUT_S = 3600.0
POSTER = "poster.png"
STORYBOARD = "storyboard.vtt"
_LINES = "lines.json"
_PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Sample:
    """What was made of one source."""

    folder: Path
    """Segments, storyboard and poster; no playlists: they follow from what is said to be done."""
    plan: Plan
    collector: Collector

    @property
    def duration_s(self) -> float:
        return self.plan.duration_s

    @property
    def chunk_count(self) -> int:
        return self.plan.chunk_count

    def playlists(self, done: int) -> Mapping[str, str]:
        """Texts by path below the folder, as they are when `done` chunks are.

        Args:
            done: 1 to `chunk_count`; with all of them the playlists are those of a whole video.
        """
        made = hls.render(
            self.plan,
            {index: self._chunk(index) for index in range(done)},
            self._whole(track.name for track in self.plan.audio),
            self._whole(track.name for track in self.plan.subtitles),
            final=done >= self.chunk_count,
        )
        assert made is not None
        return made.files

    def _chunk(self, index: int) -> Mapping[str, Track]:
        names = [rendition.name for rendition in self.plan.video.renditions]
        begin = self.plan.grid.first_segment(index)
        end = self.plan.grid.first_segment(index + 1)
        return {
            name: replace(track, first=begin, segments=track.segments[begin:end])
            for name, track in self.collector.tracks(names, 0, None).items()
        }

    def _whole(self, names: Iterable[str]) -> Mapping[int, Mapping[str, Track]]:
        return {n: self.collector.tracks([name], 0, None) for n, name in enumerate(names)}


def make(source: Path, parent: Path, on_progress: Callable[[float], None]) -> Sample:
    """Transcode `source` below `parent`, or take what is there from the last time.

    Args:
        source: a video file.
        on_progress: called with 0 to 100.

    Raises:
        PermanentError: the source is at fault; its message says how.
        RetryableError: the engine is missing or did not end well.
    """
    folder = parent / _identity(source)
    if not (folder / _LINES).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        facts = parse(_run(["probe", str(source)], _ignore))
        # Chunks of one segment: a growing video then grows by that.
        the_plan = plan.make(facts, chunk_segments=1, preset="veryfast")
        _draw(source, folder, the_plan.duration_s / 3)
        _transcode(source, folder, the_plan, on_progress)
    made = Collector()
    for line in json.loads((folder / _LINES).read_text()):
        made.add(line)
    return Sample(folder, plan.from_json(json.loads((folder / _PLAN).read_text())), made)


def _identity(source: Path) -> str:
    """A name for this content of this file."""
    facts = source.stat()
    known = f"{source.resolve()} {facts.st_size} {facts.st_mtime_ns}"
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def _run(arguments: list[str], on_line: Callable[[Mapping[str, Any]], None]) -> Mapping[str, Any]:
    return Engine(str(ENGINE)).run(arguments, timeout_s=TIMEOUT_S, stop=Stop(), on_line=on_line)


def _draw(source: Path, folder: Path, poster_s: float) -> None:
    """The storyboard and the poster."""
    times = ["--times", f"{poster_s:g}", "--width", "1280", "--height", "720"]
    arguments = ["thumbnail", str(source), *times, "--storyboard", "--output", str(folder)]
    _run(arguments, _ignore)
    (folder / "00.png").rename(folder / POSTER)


def _transcode(
    source: Path, folder: Path, the_plan: Plan, on_progress: Callable[[float], None]
) -> None:
    """Segments, plan, and last of all the list of what was made: with it, the work is whole."""
    (folder / _PLAN).write_text(json.dumps(the_plan.to_json()))
    lines: list[Mapping[str, Any]] = []

    def take(line: Mapping[str, Any]) -> None:
        if line["type"] in ("init", "segment"):
            lines.append(line)
        elif line["type"] == "progress":
            on_progress(float(line.get("percent") or 0))

    output = ["--output", str(folder)]
    _run(["transcode", str(source), "--plan", str(folder / _PLAN), *output], take)
    new = folder / "lines.new"
    new.write_text(json.dumps(lines))
    new.rename(folder / _LINES)


def _ignore(_: object) -> None:
    return
