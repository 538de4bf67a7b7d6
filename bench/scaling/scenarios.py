"""What is asked of the simulation: one long video, a day's videos, and a run that was measured."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import quantiles

import simpy

from bench.scaling.clouds import MEMORY_MB, Deployment, aws, machine
from bench.scaling.measured import Run, ServiceTimes
from bench.scaling.quotas import Quotas
from bench.scaling.servers import Steps
from bench.scaling.video import SEGMENT_S, Cloud, Source, Video

HOUR_S = 3600.0
DAY_S = 86_400.0
_DEFAULTS = Quotas()


@dataclass(frozen=True, slots=True)
class Consumed:
    """What AWS counts, for a bill."""

    gb_s: float
    invocations: int
    table_units: float
    s3_writes: float
    s3_reads: float

    @classmethod
    def of(cls, cloud: Cloud) -> Consumed:
        usages = {name: function.usage for name, function in cloud.functions.items()}
        gb_s = sum(use.billed_s * MEMORY_MB[name] / 1024 for name, use in usages.items())
        invocations = sum(use.invocations for use in usages.values())
        # Both listing indexes hold a copy of the video's item; the busiest was counted.
        units = cloud.table_units + 2 * cloud.index.units
        return cls(gb_s, invocations, units, cloud.writes.units, cloud.reads.units)


@dataclass(frozen=True, slots=True)
class Makespan:
    workers: int
    chunk_segments: int
    playable_s: float
    completed_s: float
    ended_s: dict[str, float]
    """When the last task of each kind was done: `chunk`, `audio`, `stills`."""
    most_at_once: int
    table_waited_s: float
    consumed: Consumed


def makespan(
    service: ServiceTimes,
    duration_s: float,
    workers: int,
    chunk_segments: int,
    *,
    quotas: Quotas | None = None,
    core_speed: float = 1.0,
) -> Makespan:
    """One video, alone on a cold deployment that lets `workers` transcode at once."""
    env = simpy.Environment()
    deployment = Deployment(workers, core_speed=core_speed)
    cloud = aws(env, service, quotas or Quotas(), deployment)
    video = Video(cloud, Source(duration_s, chunk_segments))
    env.run(until=video.start())
    transcode = cloud.functions["transcode"].usage
    return Makespan(
        workers,
        chunk_segments,
        video.playable_s or 0.0,
        video.completed_s or 0.0,
        video.ended_s,
        transcode.most_at_once,
        video.items.waited_s,
        Consumed.of(cloud),
    )


@dataclass(frozen=True, slots=True)
class Day:
    videos_per_day: int
    duration_s: float
    concurrency: int
    completed: int = 0
    unfinished: int = 0
    wait_p50_s: float = 0.0
    wait_p95_s: float = 0.0
    """Of a transcode task in its queue."""
    playable_p95_s: float = 0.0
    completed_p95_s: float = 0.0
    most_at_once: int = 0


def day(
    service: ServiceTimes,
    videos_per_day: int,
    duration_s: float,
    concurrency: int,
    *,
    peak: float = 2.0,
    hours: float = 1.0,
    seed: int = 1,
) -> Day:
    """The busy hour: arrivals at random (Poisson), `peak` times the day's mean rate.

    The first quarter of the time is left out of the figures.
    """
    env = simpy.Environment()
    quotas = quotas_for(concurrency)
    deployment = Deployment(transcode_concurrency=concurrency, others_concurrency=concurrency)
    cloud = aws(env, service, quotas, deployment)
    videos: list[Video] = []
    env.process(_arrivals(env, cloud, duration_s, videos_per_day * peak / DAY_S, videos, seed))
    env.run(until=hours * HOUR_S)
    counted = [video for video in videos if video.arrived_s > hours * HOUR_S / 4]
    return _summed(Day(videos_per_day, duration_s, concurrency), cloud, counted)


def _summed(day: Day, cloud: Cloud, counted: list[Video]) -> Day:
    done = [video for video in counted if video.completed_s is not None]
    transcode = cloud.functions["transcode"].usage
    waits = transcode.waits_s[len(transcode.waits_s) // 4 :]
    return replace(
        day,
        completed=len(done),
        unfinished=len(counted) - len(done),
        wait_p50_s=percentile(waits, 50),
        wait_p95_s=percentile(waits, 95),
        playable_p95_s=percentile([video.playable_s or 0.0 for video in done], 95),
        completed_p95_s=percentile([video.completed_s or 0.0 for video in done], 95),
        most_at_once=transcode.most_at_once,
    )


def quotas_for(concurrency: int) -> Quotas:
    """A raised account limit, and as many queues as it takes: one mapping handles 1,000 at most."""
    queues = -(-concurrency // _DEFAULTS.pollers_at_most)
    return Quotas(
        concurrency=concurrency,
        pollers_at_first=_DEFAULTS.pollers_at_first * queues,
        pollers_per_minute=_DEFAULTS.pollers_per_minute * queues,
        pollers_at_most=_DEFAULTS.pollers_at_most * queues,
    )


def _arrivals(
    env: simpy.Environment,
    cloud: Cloud,
    duration_s: float,
    rate: float,
    videos: list[Video],
    seed: int,
) -> Steps:
    chance = random.Random(seed)
    while True:
        yield env.timeout(chance.expovariate(rate))
        video = Video(cloud, Source(duration_s))
        videos.append(video)
        video.start()


@dataclass(frozen=True, slots=True)
class Validation:
    run: Run
    wall_s: float
    playable_s: float

    @property
    def error(self) -> float:
        """Of the simulated wall time, relative to the measured one."""
        return self.wall_s / self.run.wall_s - 1


def validate(service: ServiceTimes, run: Run) -> Validation:
    """A run of this machine, simulated."""
    env = simpy.Environment()
    cloud = machine(env, service, run.cores, run.transcode_concurrency)
    videos = [Video(cloud, Source(run.source_s, run.chunk_segments)) for _ in range(run.videos)]
    env.run(until=env.all_of([video.start() for video in videos]))
    wall_s = max(video.completed_s or 0.0 for video in videos)
    return Validation(run, wall_s, min(video.playable_s or 0.0 for video in videos))


def best_chunk(duration_s: float, workers: int) -> int:
    """Segments in a chunk so that every worker has at least one, 8 at most."""
    segments = -int(-duration_s // SEGMENT_S)
    return max(1, min(8, segments // workers))


def percentile(values: Sequence[float], percent: int) -> float:
    """0 of nothing."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[percent - 1]
