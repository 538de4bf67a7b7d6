"""How the pipeline would do on more workers than this machine has: a discrete-event simulation,
driven by the service times measured here and by AWS's published quotas.

    python -m bench.scale_model                 # the tables, the plot, the errors
    python -m bench.scale_model --validate      # this machine's runs, simulated and measured
    python -m bench.scale_model --write         # into docs/explanation/scaling.md, too

The parts are in `bench/scaling`: measurements and their dates in `measurements.json`
(`python -m bench.service_times` takes them), quotas in `quotas.py`, prices in `prices.json`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from bench.chart import lines
from bench.markdown import put_between_marks, table
from bench.scaling.cost import ARCHITECTURES, cost
from bench.scaling.measured import Line, Measurements, ServiceTimes
from bench.scaling.scenarios import (
    HOUR_S,
    Day,
    Makespan,
    best_chunk,
    day,
    makespan,
    validate,
)
from bench.tools import REPOSITORY

PAGE = REPOSITORY / "docs" / "explanation" / "scaling.md"
PLOT = REPOSITORY / "docs" / "images" / "scaling.svg"
PICTURE = "![Seconds over the number of transcode functions](../images/scaling.svg)"
WORKERS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
SHOWN = (1, 10, 100, 1000)
DAYS = ((10_000, 60, 1000), (100_000, 60, 1000), (1_000_000, 60, 1000), (1_000_000, 60, 4000))
LONG_DAYS = ((10_000, 600, 1000), (100_000, 600, 1000), (100_000, 600, 4000))
CORE_SPEEDS = (0.5, 1.0, 1.5)
ARM_SPEEDS = (0.8, 1.0, 1.2)
_VIDEOS_SIMULATED = 12_000


def clock(seconds: float) -> str:
    """12.3 s, 4 min 05 s, 1 h 02 min."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def makespan_table(service: ServiceTimes) -> str:
    head = (
        *("workers", "segments a chunk", "at once", "playable", "sound done", "pictures done"),
        *("stills done", "completed", "speed-up", "x86_64", "arm64"),
    )
    alone = makespan(service, HOUR_S, 1, 8).completed_s
    return table(head, (_makespan_row(row, alone) for row in _shown(service)))


def _shown(service: ServiceTimes) -> Iterable[Makespan]:
    for workers in SHOWN:
        for chunk in sorted({8, best_chunk(HOUR_S, workers)}, reverse=True):
            yield makespan(service, HOUR_S, workers, chunk)


def _makespan_row(row: Makespan, alone_s: float) -> tuple[str, ...]:
    return (
        f"{row.workers:,}",
        *(str(row.chunk_segments), str(row.most_at_once), clock(row.playable_s)),
        *(clock(row.ended_s[kind]) for kind in ("audio", "chunk", "stills")),
        clock(row.completed_s),
        f"{alone_s / row.completed_s:.1f}",
        *(f"${cost(row.consumed, name).total:.2f}" for name in ARCHITECTURES),
    )


def speed_table(service: ServiceTimes) -> str:
    """What of it depends on how fast a Lambda vCPU is."""
    rows = []
    for speed in CORE_SPEEDS:
        made = [
            makespan(service, HOUR_S, n, best_chunk(HOUR_S, n), core_speed=speed) for n in SHOWN
        ]
        dollars = cost(made[1].consumed, "x86_64").total
        rows.append(
            (f"{speed:g}", *(clock(one.completed_s) for one in made), f"${dollars / 60:.5f}")
        )
    names = (f"{n:,}" for n in SHOWN)
    return table(("vCPU ÷ our core", *names, "a minute, 10 workers, x86_64"), rows)


def cost_table(service: ServiceTimes) -> str:
    """Dollars an output minute: a minute of video in all its renditions."""
    rows = [_cost_row("x86_64", service, 1.0)]
    rows += [_cost_row("arm64", service, speed) for speed in ARM_SPEEDS]
    head = ("architecture", "vCPU ÷ our core", "compute", "table", "objects", "rest", "together")
    return table(head, rows)


def _cost_row(architecture: str, service: ServiceTimes, speed: float) -> tuple[str, ...]:
    used = makespan(service, HOUR_S, 100, 8, core_speed=speed).consumed
    bill, minutes = cost(used, architecture), HOUR_S / 60
    parts = (bill.compute, bill.table, bill.objects, bill.requests + bill.queues, bill.total)
    return (architecture, f"{speed:g}", *(f"${part / minutes:.6f}" for part in parts))


def day_table(service: ServiceTimes) -> str:
    rows = [_day(service, *each) for each in (*DAYS, *LONG_DAYS)]
    head = (
        *("videos a day", "each", "account's limit", "at once", "wait p50", "wait p95"),
        *("playable p95", "completed p95", "unfinished"),
    )
    return table(head, (_day_row(row) for row in rows))


def _day(service: ServiceTimes, videos: int, duration_s: float, concurrency: int) -> Day:
    """An hour, or less of it if that is thousands of videos."""
    hours = min(1.0, _VIDEOS_SIMULATED / (2 * videos / 24))
    return day(service, videos, duration_s, concurrency, hours=hours)


def _day_row(row: Day) -> tuple[str, ...]:
    grows = row.unfinished > row.completed
    figures = (row.wait_p50_s, row.wait_p95_s, row.playable_p95_s, row.completed_p95_s)
    return (
        f"{row.videos_per_day:,}",
        clock(row.duration_s),
        f"{row.concurrency:,}",
        f"{row.most_at_once:,}",
        *("grows" if grows else clock(value) for value in figures),
        f"{row.unfinished / (row.completed + row.unfinished):.0%}",
    )


def validation_table(measured: Measurements) -> str:
    rows = []
    for run in measured.runs:
        found = validate(measured.service, run)
        playable = found.playable_s / run.playable_s - 1
        rows.append(
            (
                *(run.name, clock(run.wall_s), clock(found.wall_s), f"{found.error:+.1%}"),
                *(clock(run.playable_s), clock(found.playable_s), f"{playable:+.1%}"),
            )
        )
    head = ("run", "completed: measured", "simulated", "error", "playable: measured")
    return table((*head, "simulated", "error"), rows)


def taken_table(measured: Measurements) -> str:
    """What drives the simulation, and when and on what it was measured."""
    service = measured.service
    units = (service.move_units, service.beat_units, service.index_units)
    rows = [(name.replace("_", " "), str(value)) for name, value in measured.taken.items()]
    rows += [
        ("a chunk, all renditions", _line(service.chunk)),
        ("cores a chunk keeps busy of two", f"{service.chunk_threads_used:.2f}"),
        ("sound, a track", _line(service.audio)),
        ("stills and storyboard", _line(service.stills)),
        ("probe's engine", f"{service.probe_engine_cpu_s:.2f} CPU s"),
        ("handlers beside the engine: ingest, probe, a task", _times(service)),
        ("publisher, a look", f"{service.publish_s:.2f} s"),
        ("cold start: zip, image", f"{service.init_zip_s:.1f} s, {service.init_image_s:.1f} s"),
        (
            "write units: a task's moves, a heartbeat, a move in an index",
            "{}, {}, {}".format(*units),
        ),
    ]
    return table(("", ""), rows)


def _line(line: Line) -> str:
    return f"{line.fixed_cpu_s:.2f} CPU s and {line.cpu_s_per_source_s:.3f} a second of source"


def _times(service: ServiceTimes) -> str:
    times = (service.ingest_s, service.probe_overhead_s, service.task_overhead_s)
    return ", ".join(f"{seconds:.2f} s" for seconds in times)


def plot(service: ServiceTimes, path: Path) -> None:
    series = {
        "completed, chunks of 8 segments": [
            (n, makespan(service, HOUR_S, n, 8).completed_s) for n in WORKERS
        ],
        "completed, chunks to fit": [
            (n, makespan(service, HOUR_S, n, best_chunk(HOUR_S, n)).completed_s) for n in WORKERS
        ],
        "its pictures alone": [
            (n, makespan(service, HOUR_S, n, best_chunk(HOUR_S, n)).ended_s["chunk"])
            for n in WORKERS
        ],
        "playable": [(n, makespan(service, HOUR_S, n, 8).playable_s) for n in WORKERS],
    }
    lines(
        path,
        series,
        x="transcode functions at once",
        y="seconds",
        title="One hour of 1080p on a cold deployment (simulated)",
        logarithmic=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate the pipeline on many workers.")
    parser.add_argument("--validate", action="store_true", help="compare with real runs only")
    parser.add_argument("--write", action="store_true", help="put tables and plot into docs/")
    given = parser.parse_args()
    measured = Measurements.read()
    tables = {"taken": taken_table(measured), "validation": validation_table(measured)}
    if not given.validate:
        service = measured.service
        tables |= {
            "makespan": f"{makespan_table(service)}\n\n{PICTURE}",
            "speed": speed_table(service),
            "cost": cost_table(service),
            "day": day_table(service),
        }
    for name, text in tables.items():
        print(f"\n{name}\n{text}")
        if given.write:
            put_between_marks(PAGE, name, text)
    if given.write and not given.validate:
        plot(measured.service, PLOT)


if __name__ == "__main__":
    main()
