"""Measures what `bench.scale_model` is driven by, and writes `bench/scaling/measurements.json`:

    python -m bench.service_times            # about five minutes on an idle machine

CPU seconds are of the bare engine on the mixed minute (1080p30, the default ladder). Everything
else is of a pipeline of its own: durations from its functions' REPORT lines, sizes from its table.
"""

from __future__ import annotations

import argparse
import math
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil

from bench.clips import mixed
from bench.engine import Cost, cost_of
from bench.long_sources import one_minute, thirty_minutes
from bench.own import own_pipeline
from bench.plans import fixed_plan, written
from bench.scaling.measured import Line, Measurements, Run, ServiceTimes
from bench.tools import CACHE, ENGINE
from millrace.plan import Plan
from tests.harness import media
from tests.harness.pipeline import Pipeline

WORK = CACHE / "service-times"
SHORT, LONG = 1, 8
"""Segments in the two sizes of chunk that the line is drawn through."""
_REPORT = re.compile(r"Duration: ([\d.]+) ms\tBilled Duration.*?(?:Init Duration: ([\d.]+) ms)?$")
_TRANSACTIONAL = 2


def engine_times(source: Path) -> dict[str, Any]:
    """Lines of CPU seconds for chunks, sound and stills; cores used with two threads."""
    short, long = (_chunk_cost(source, segments) for segments in (SHORT, LONG))
    chunk = _line(4.0 * SHORT, short.cpu_s, 4.0 * LONG, long.cpu_s)
    plan = _plan(source, LONG)
    audio = cost_of(_transcode(source, plan, "--audio"))
    # A storyboard has so many pictures at most, so the stills of an hour are not sixty times these.
    stills = [cost_of(_stills(each)).cpu_s for each in (one_minute(WORK), thirty_minutes(WORK))]
    probe = cost_of([str(ENGINE), "probe", str(source)])
    seconds = plan.duration_s
    return {
        "chunk": chunk,
        "chunk_threads_used": long.cpu_s / long.wall_s,
        "audio": Line(0.0, audio.cpu_s / seconds),
        "stills": _line(60.0, stills[0], 1800.0, stills[1]),
        "probe_engine_cpu_s": probe.cpu_s,
    }


def _line(short_s: float, short_cpu_s: float, long_s: float, long_cpu_s: float) -> Line:
    """Through two measurements."""
    slope = (long_cpu_s - short_cpu_s) / (long_s - short_s)
    return Line(max(0.0, short_cpu_s - short_s * slope), slope)


def _plan(source: Path, chunk_segments: int) -> Plan:
    made = fixed_plan(source)
    count = -(-math.ceil(Fraction(made.duration_s) / made.segment_s) // chunk_segments)
    return replace(
        made, chunk_segments=chunk_segments, head_segments=chunk_segments, chunk_count=count
    )


def _chunk_cost(source: Path, segments: int) -> Cost:
    """The mean of the source's whole chunks of that size, the first and the last left out."""
    plan = _plan(source, segments)
    whole = int(plan.duration_s // (4 * segments))
    indexes = [0] if whole < 2 else [1] if whole < 4 else [1, whole // 2, whole - 2]
    costs = [cost_of(_transcode(source, plan, "--chunk", index)) for index in indexes]
    return Cost(
        statistics.fmean(cost.wall_s for cost in costs),
        statistics.fmean(cost.cpu_s for cost in costs),
        max(cost.memory_bytes for cost in costs),
    )


def _transcode(source: Path, plan: Plan, selection: str, index: int = 0) -> list[str]:
    folder = Path(tempfile.mkdtemp(dir=WORK))
    path = written(plan, folder / "plan.json")
    words = [str(ENGINE), "transcode", str(source), "--plan", str(path), "--output", str(folder)]
    return [*words, selection, str(index), "--threads", "2"]


def _stills(source: Path) -> list[str]:
    folder = tempfile.mkdtemp(dir=WORK)
    words = [str(ENGINE), "thumbnail", str(source), "--times", "10,30,50", "--storyboard"]
    return [*words, "--output", folder]


def durations_s(pipeline: Pipeline, function: str) -> tuple[list[float], list[float]]:
    """Of a function's invocations so far, and of the starts of its processes."""
    path = pipeline.state_dir / "logs" / "functions" / f"millrace-{function}.log"
    found = [match for line in _lines(path) if (match := _REPORT.search(line))]
    took = [float(match[1]) / 1000 for match in found]
    inits = [float(match[2]) / 1000 for match in found if match[2]]
    return took, inits


def _lines(path: Path) -> Iterator[str]:
    return (line for line in path.read_text().splitlines() if "REPORT" in line)


def handler_times(pipeline: Pipeline) -> dict[str, float]:
    """Of a tiny video's handlers on warm functions, less what the engine alone takes for it."""
    tiny = media.clip("service-times.mp4", 2, "320x180")
    for _ in range(2):  # the first warms up
        pipeline.wait(pipeline.upload(tiny), "completed")
    before = {name: len(durations_s(pipeline, name)[0]) for name in _FUNCTIONS}
    for _ in range(3):
        pipeline.wait(pipeline.upload(tiny), "completed")
    warm = {name: durations_s(pipeline, name)[0][before[name] :] for name in _FUNCTIONS}
    plan = fixed_plan(tiny)
    encode = cost_of(_transcode(tiny, plan, "--chunk")).wall_s
    probe = cost_of([str(ENGINE), "probe", str(tiny)]).wall_s
    return {
        "ingest_s": statistics.median(warm["ingest"]),
        "probe_overhead_s": max(0.0, statistics.median(warm["probe"]) - probe),
        "task_overhead_s": max(0.0, statistics.median(warm["transcode"]) - encode),
        "publish_s": statistics.median(warm["publish"]),
        "init_zip_s": statistics.median(durations_s(pipeline, "publish")[1]),
        "init_image_s": statistics.median(durations_s(pipeline, "transcode")[1]),
        "message_s": 0.03,  # docs/explanation/one-machine.md
    }


_FUNCTIONS = ("ingest", "probe", "transcode", "publish")


def table_units(pipeline: Pipeline, video_id: str) -> dict[str, float]:
    """From the sizes of a finished video's items: a write unit is a KB, twice in a transaction."""
    client = pipeline.client("dynamodb")
    pages = client.get_paginator("query").paginate(
        TableName="millrace",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"VIDEO#{video_id}"}},
    )
    sizes: dict[str, list[int]] = {"video": [], "task": [], "transaction": []}
    for page in pages:
        for item in page["Items"]:
            if (kind := item["kind"]["S"]) in sizes:
                sizes[kind].append(_size_bytes(item))
    video, task, line = (math.ceil(statistics.fmean(sizes[kind]) / 1024) for kind in sizes)
    start, end = task + line, task + line + video
    return {
        "move_units": _TRANSACTIONAL * (start + end),
        "beat_units": _TRANSACTIONAL * (task + video),
        # Of two moves one changes the video, whose copy is in the index; the task itself is listed
        # there while it waits: one write as it comes, one as it goes.
        "index_units": video / 2 + task,
    }


def _size_bytes(item: dict[str, Any]) -> int:
    """As DynamoDB counts, but for a few bytes of each map: names and values, as UTF-8."""
    return sum(len(name) + len(str(next(iter(value.values())))) for name, value in item.items())


def timed_run(pipeline: Pipeline, name: str, source: Path, videos: int, segments: int) -> Run:
    """Uploads together; from the first arrival to the last completion, as the API tells them."""
    ids = [pipeline.upload(source) for _ in range(videos)]
    made = [pipeline.wait(video_id, "completed", timeout_s=1800) for video_id in ids]
    begun = min(_time(video["uploaded_at"]) for video in made)
    return Run(
        name=name,
        source_s=float(made[0]["duration_s"]),
        chunk_segments=segments,
        videos=videos,
        cores=psutil.cpu_count() or 1,
        transcode_concurrency=2,
        wall_s=max(_time(video["completed_at"]) for video in made) - begun,
        playable_s=min(_time(video["playable_at"]) for video in made) - begun,
    )


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def measure() -> Measurements:
    WORK.mkdir(parents=True, exist_ok=True)
    source = mixed()
    load = psutil.getloadavg()[0]
    engine = engine_times(source)
    with own_pipeline("service-times", {"MILLRACE_CHUNK_SEGMENTS": str(LONG)}) as pipeline:
        handlers = handler_times(pipeline)
        one = timed_run(pipeline, "60 s, 3 chunks", source, 1, LONG)
        three = timed_run(pipeline, "3 × 60 s at once, 3 chunks each", source, 3, LONG)
        newest = pipeline.api("GET", "/videos?limit=1").json()["videos"][0]["id"]
        units = table_units(pipeline, newest)
    with own_pipeline("service-times", {"MILLRACE_CHUNK_SEGMENTS": "2"}) as pipeline:
        pipeline.wait(pipeline.upload(media.clip("service-times.mp4", 2, "320x180")), "completed")
        many = timed_run(pipeline, "60 s, 8 chunks", source, 1, 2)
    service = ServiceTimes.from_parts({**engine, **handlers, **units})
    return Measurements(_taken(load, source), service, (one, many, three))


def _taken(load: float, source: Path) -> dict[str, Any]:
    return {
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "with": "python -m bench.service_times",
        "source": f"{source.name}: 60 s of 1080p30, default ladder, preset veryfast",
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "load_average_before": round(load, 2),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the simulation's service times.")
    parser.add_argument("--output", type=Path, help="another file than measurements.json")
    parser.add_argument("--anyway", action="store_true", help="even if the machine is busy")
    given = parser.parse_args()
    output = given.output
    load, cores = psutil.getloadavg()[0], psutil.cpu_count() or 1
    if load > cores / 4 and not given.anyway:
        raise SystemExit(f"The machine is busy (load average {load:.2f}): times would be too long.")
    began = time.monotonic()
    measured = measure()
    measured.write(output) if output else measured.write()
    print(f"{time.monotonic() - began:.0f} s: {measured.service}\n{measured.runs}")


if __name__ == "__main__":
    main()
