"""The pipeline beside the bare engine, in one run: what distribution costs, and what it does not.

    python -m bench.pipeline                    # all four, about an hour on two idle cores
    python -m bench.pipeline --only overhead --rounds 3

- `overhead`: wall time of a 60 s 1080p video, from its arrival to its completion, beside the bare
  engine on the same file: at most 1.10. The engine alone has the same ladder, in one chunk: no
  seams, and nothing of what chunks cost.
- `chunks`: CPU of all the video's processes in at least 8 chunks beside one: at most 1.05.
- `playable`: time to playable of 30 minutes beside that of one: at most 1.2, and at most 5 s.
- `batch`: 120 short videos at once, beside the bare engine in a loop over the same files:
  completed videos an hour at least 0.9.

Each takes turns where it can; each prints the ratio and the target.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from bench.clips import mixed
from bench.engine import Cost, cost_of
from bench.long_sources import one_minute, thirty_minutes
from bench.own import own_pipeline
from bench.plans import fixed_plan, written
from bench.tools import CACHE, ENGINE
from millrace.plan import Plan
from tests.harness import media
from tests.harness.pipeline import Pipeline

WORK = CACHE / "pipeline"
ONE_CHUNK, EIGHT_CHUNKS = 15, 2
"""Segments of 4 s in a chunk: a minute in one, and in eight."""
TARGETS = {"overhead": 1.10, "chunks": 1.05, "playable": 1.2, "batch": 0.9}
PLAYABLE_S = 5.0
_LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """A result."""

    what: str
    ours: float
    theirs: float
    unit: str
    target: str
    met: bool

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return (
            f"{self.what:<46} {self.ours:10.2f} {self.unit:<5} beside {self.theirs:10.2f}  "
            f"ratio {self.ours / self.theirs:6.3f}  target {self.target:<7} {verdict}"
        )


def overhead(rounds: int, source: Path) -> list[Row]:
    """Interleaved; the engine runs as the worker runs it: picture, sound and stills."""
    walls: list[tuple[float, float]] = []
    with _warm(None) as pipeline:
        for turn in range(rounds):
            order: list[Callable[[], float]] = [
                lambda: _span(_completed(pipeline, source), "completed_at"),
                lambda: bare_cost(source).wall_s,
            ]
            first, second = order if turn % 2 else order[::-1]
            pair = (first(), second())
            walls.append(pair if turn % 2 else pair[::-1])
    return [_row("wall time, 60 s of 1080p", walls, "s", TARGETS["overhead"])]


def chunks(rounds: int, source: Path) -> list[Row]:
    """All processes of the pipeline but the cloud: what a bill would be made of."""
    spent: dict[int, list[float]] = {EIGHT_CHUNKS: [], ONE_CHUNK: []}
    for _ in range(rounds):
        for segments, costs in spent.items():
            with _warm(segments) as pipeline:
                before = _function_cpu_s(pipeline)
                meter = EngineMeter(pipeline)
                with meter:
                    _completed(pipeline, source)
                costs.append(_function_cpu_s(pipeline) - before + meter.cpu_s)
    pairs = list(zip(spent[EIGHT_CHUNKS], spent[ONE_CHUNK], strict=True))
    return [_row("CPU, in 8 chunks and in one", pairs, "s", TARGETS["chunks"])]


def playable(rounds: int, _source: Path) -> list[Row]:
    """From the arrival to the first playlists, with the settings of `./millrace up`."""
    sources = {30: thirty_minutes(WORK), 1: one_minute(WORK)}
    spans: dict[int, list[float]] = {30: [], 1: []}
    with _warm(None) as pipeline:
        for _ in range(rounds):
            for minutes, source in sources.items():
                video_id = pipeline.upload(source)
                spans[minutes].append(_span(_played(pipeline, video_id), "playable_at"))
                # What is left would slow the next one down.
                pipeline.api("DELETE", f"/videos/{video_id}")
                _idle(pipeline)
    pairs = list(zip(spans[30], spans[1], strict=True))
    row = _row("to playable, 30 minutes and one", pairs, "s", TARGETS["playable"])
    longest = statistics.median(spans[30])
    limit = Row("to playable, 30 minutes", longest, PLAYABLE_S, "s", "≤ 5 s", longest <= PLAYABLE_S)
    return [row, limit]


def batch(videos: int) -> list[Row]:
    """The load's mix of files; the engine has them one after the other, with all cores."""
    report = CACHE / "load" / "locust.json"
    command = [sys.executable, "-m", "tests.load", "--videos", str(videos)]
    subprocess.run(command, check=True)
    ours = completed_per_hour(json.loads(report.read_text())["jobs"])
    files = json.loads((CACHE / "load" / "sources.json").read_text())
    alone_s = sum(bare_cost(Path(file["path"])).wall_s for file in files)
    theirs = 3600 * len(files) / alone_s
    target = TARGETS["batch"]
    met = ours / theirs >= target
    return [Row(f"{videos} videos at once", ours, theirs, "/h", f"≥ {target}", met)]


def completed_per_hour(jobs: list[dict[str, Any]]) -> float:
    """Of a load; the time counts until the last of all has ended, whatever became of it."""
    wall_s: float = max(job["ended"] for job in jobs) - min(job["began"] for job in jobs)
    completed = [job for job in jobs if job["status"] == "completed"]
    return 3600 * len(completed) / wall_s


def bare_cost(source: Path) -> Cost:
    """Of everything the engine does for a video: probe, all renditions and sound, stills."""
    WORK.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=WORK))
    try:
        plan = fixed_plan(source)
        path = written(plan, folder / "plan.json")
        (folder / "video").mkdir()
        (folder / "stills").mkdir()
        encode = ["transcode", str(source), "--plan", str(path), "--output", str(folder / "video")]
        stills = _stills_of(plan, source, folder / "stills")
        costs = [
            cost_of([str(ENGINE), *arguments])
            for arguments in (["probe", str(source)], encode, *stills)
        ]
    finally:
        shutil.rmtree(folder)
    return Cost(
        sum(cost.wall_s for cost in costs),
        sum(cost.cpu_s for cost in costs),
        max(cost.memory_bytes for cost in costs),
    )


def _stills_of(plan: Plan, source: Path, folder: Path) -> list[list[str]]:
    """Arguments of the engine as of the thumbnail task: thumbnails and storyboard, the poster."""
    small, poster = plan.thumbnails, plan.poster

    def stills(times_s: list[float], width: int, height: int, option: str) -> list[str]:
        times = ",".join(f"{time_s:g}" for time_s in times_s)
        box = ["--width", str(width), "--height", str(height)]
        asked = ["--times", times, *box, "--output", str(folder), option]
        return ["thumbnail", str(source), *asked]

    return [
        stills([poster.time_s, *small.times_s], small.width, small.height, "--storyboard"),
        stills([poster.time_s], poster.width, poster.height, "--skip-black"),
    ]


class EngineMeter:
    """CPU seconds of the engines that run meanwhile: their workers' counts of ended children."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.cpu_s = 0.0

    def __enter__(self) -> EngineMeter:
        self._before = self._children()
        return self

    def __exit__(self, *_: object) -> None:
        after = self._children()
        self.cpu_s = sum(spent - self._before.get(pid, 0.0) for pid, spent in after.items())

    def _children(self) -> dict[int, float]:
        found = {}
        for process in self._pipeline.processes("awslambdaric"):
            times = process.cpu_times()
            found[process.pid] = float(times.children_user + times.children_system)
        return found


def _function_cpu_s(pipeline: Pipeline) -> float:
    """Of all functions' processes themselves; none may end meanwhile."""
    times = [process.cpu_times() for process in pipeline.processes("awslambdaric")]
    return float(sum(each.user + each.system for each in times))


@contextmanager
def _warm(chunk_segments: int | None) -> Iterator[Pipeline]:
    """A pipeline whose functions have all run once: two at once, so that there are two of each."""
    settings = {"MILLRACE_CHUNK_SEGMENTS": str(chunk_segments)} if chunk_segments else {}
    if chunk_segments == ONE_CHUNK:
        settings["MILLRACE_HEAD_SEGMENTS"] = "0"  # or it were two
    with own_pipeline("pipeline", settings) as pipeline:
        ids = [pipeline.upload(media.clip("warm.mp4", 9, "320x180")) for _ in range(2)]
        for video_id in ids:
            pipeline.wait(video_id, "completed")
        yield pipeline


def _completed(pipeline: Pipeline, source: Path) -> dict[str, Any]:
    """Looked at as often as a page looks: the cloud that answers shares the machine."""
    video_id = pipeline.upload(source)
    return pipeline.wait(
        video_id, "completed", timeout_s=1800, meanwhile=lambda: time.sleep(_LOOK_EVERY_S)
    )


def _played(pipeline: Pipeline, video_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 600
    while not (video := pipeline.video(video_id))["playable"]:
        if time.monotonic() > deadline or video["status"] == "failed":
            raise SystemExit(f"{video_id} does not become playable: {video['status']}")
        time.sleep(0.5)
    return video


def _idle(pipeline: Pipeline) -> None:
    """Until no engine runs."""
    while pipeline.processes("millrace-engine", "transcode"):
        time.sleep(0.5)
    time.sleep(2)


def _span(video: dict[str, Any], until: str) -> float:
    """Seconds since the object's arrival."""
    times = (datetime.fromisoformat(video[name]) for name in ("uploaded_at", until))
    began, ended = times
    return (ended - began).total_seconds()


def _row(what: str, pairs: list[tuple[float, float]], unit: str, target: float) -> Row:
    """Medians; the ratio's median decides."""
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours = statistics.median(pair[0] for pair in pairs)
    return Row(what, ours, ours / ratio, unit, f"≤ {target}", ratio <= target)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=list(TARGETS), action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", type=Path, help="another than the mixed minute, to try it out")
    parser.add_argument("--videos", type=int, default=120, help="in the batch")
    given = parser.parse_args()
    for name in given.only or TARGETS:
        print(f"{name} … load average {psutil.getloadavg()[0]:.2f}", flush=True)
        steps = {"overhead": overhead, "chunks": chunks, "playable": playable}
        rows = (
            steps[name](given.rounds, given.source or mixed())
            if name in steps
            else batch(given.videos)
        )
        for row in rows:
            print(row, flush=True)


if __name__ == "__main__":
    main()
