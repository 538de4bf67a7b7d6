"""The way of a video through the pipeline, as the simulation goes it: docs/ARCHITECTURE.md."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, Protocol

import simpy

from bench.scaling.measured import ServiceTimes
from bench.scaling.servers import Function, Rate, Steps
from millrace import grid
from millrace.grid import Grid

SEGMENT_S = float(grid.SEGMENT_S)
_RATE = Fraction(25)
_MIB = 1 << 20


@cache
def _cut(duration_s: float, chunk_segments: int) -> Grid:
    return grid.cut(_RATE, duration_s, grid.SEGMENT_S, chunk_segments, grid.HEAD_SEGMENTS)


@dataclass(frozen=True, slots=True)
class Source:
    """A video to be made."""

    duration_s: float
    chunk_segments: int = 8
    bitrate_bps: int = 8_000_000
    renditions: int = 4

    @property
    def grid(self) -> Grid:
        return _cut(self.duration_s, self.chunk_segments)

    @property
    def chunks(self) -> int:
        return self.grid.chunk_count

    def chunk_s(self, index: int) -> float:
        """Seconds of source in a chunk."""
        return self._begin_s(index + 1) - self._begin_s(index)

    def _begin_s(self, index: int) -> float:
        return min(self.duration_s, self.grid.first_segment(index) * SEGMENT_S)

    @property
    def tasks(self) -> int:
        """Chunks, sound, stills."""
        return self.chunks + 2


class Compute(Protocol):
    """What handlers run on."""

    def engine(self, function: str, cpu_s: float, cores: float) -> simpy.Event:
        """The end of an engine's work that can use up to `cores`."""
        ...

    def handler(self, function: str, wall_s: float) -> simpy.Event:
        """The end of what a handler does beside the engine."""
        ...


@dataclass
class Cloud:
    """One deployment."""

    env: simpy.Environment
    service: ServiceTimes
    compute: Compute
    functions: dict[str, Function]
    index: Rate
    """Write units of the busiest index, all shards together."""
    writes: Rate
    """S3."""
    reads: Rate
    partition: Callable[[], Rate]
    """A new partition of the table, for a video's items."""
    table_units: float = 0.0


@dataclass
class Video:
    """One under way. `playable` and `completed` are events."""

    cloud: Cloud
    source: Source
    arrived_s: float = 0.0
    playable_s: float | None = None
    completed_s: float | None = None
    done: set[str] = field(default_factory=set)
    ended_s: dict[str, float] = field(default_factory=dict)
    """When the last task of each kind was done: `chunk`, `audio`, `stills`."""
    _looking: bool = False
    _look_again: bool = False

    def __post_init__(self) -> None:
        self.items = self.cloud.partition()
        self._end = self.cloud.env.event()

    def start(self) -> simpy.Event:
        """The object has arrived. Returns an event at the completion."""
        self.arrived_s = self.cloud.env.now
        self.cloud.functions["ingest"].send(self._ingest)
        return self._end

    def _ingest(self) -> Steps:
        yield self.cloud.compute.handler("ingest", self.cloud.service.ingest_s)
        yield from self._move()
        self.cloud.functions["probe"].send(self._probe)

    def _probe(self) -> Steps:
        cloud, service = self.cloud, self.cloud.service
        yield cloud.compute.engine("probe", service.probe_engine_cpu_s, 1)
        yield cloud.compute.handler("probe", service.probe_overhead_s)
        yield from self._move()
        for kind, index in self._order():
            function = "thumbnail" if kind == "stills" else "transcode"
            cloud.functions[function].send(self._task(function, kind, index))

    def _order(self) -> list[tuple[str, int]]:
        """The head first, then what playing needs, then the rest."""
        rest = [("chunk", index) for index in range(1, self.source.chunks)]
        return [("chunk", 0), ("audio", 0), ("stills", 0), *rest]

    def _task(self, function: str, kind: str, index: int) -> Callable[[], Steps]:
        def work() -> Steps:
            cloud, service = self.cloud, self.cloud.service
            yield from self._move()
            cpu_s, cores, seconds = self._cost(kind, index)
            yield cloud.reads.take(seconds * self.source.bitrate_bps / 8 / _MIB)
            began = cloud.env.now
            if kind == "audio":
                cpu_s -= yield from self._sound_to_the_head(cpu_s)
            yield cloud.compute.engine(function, cpu_s, cores)
            beats = (cloud.env.now - began) / max(2.0, min(20.0, self.source.tasks / 25))
            yield from self._units(beats * service.beat_units)
            if kind == "chunk":
                files = -(-seconds // SEGMENT_S) * self.source.renditions
                yield cloud.writes.take(files)
            yield cloud.compute.handler(function, service.task_overhead_s)
            yield from self._move()
            self.done.add(f"{kind}-{index}")
            self.ended_s[kind] = cloud.env.now - self.arrived_s
            self._look()

        return work

    def _sound_to_the_head(self, cpu_s: float) -> Generator[simpy.Event, Any, float]:
        """It is told of as soon as it is made. Returns its part of the task's CPU seconds."""
        head_s = cpu_s * self.source.chunk_s(0) / self.source.duration_s
        yield self.cloud.compute.engine("transcode", head_s, 1.0)
        yield from self._units(self.cloud.service.beat_units)
        self.done.add("audio-head")
        self._look()
        return head_s

    def _cost(self, kind: str, index: int) -> tuple[float, float, float]:
        """CPU seconds, cores used, seconds of source read."""
        service = self.cloud.service
        if kind == "chunk":
            seconds = self.source.chunk_s(index)
            return service.chunk.cpu_s(seconds), service.chunk_threads_used, seconds
        line = service.audio if kind == "audio" else service.stills
        cores = service.chunk_threads_used if kind == "audio" else 1.0
        return line.cpu_s(self.source.duration_s), cores, self.source.duration_s / 10

    def _look(self) -> None:
        """Have the publisher look, one at a time for a video; looks that wait are one look."""
        if self._looking:
            self._look_again = True
            return
        self._looking = True
        self.cloud.functions["publish"].send(self._publish)

    def _publish(self) -> Steps:
        seen = set(self.done)
        yield self.cloud.compute.handler("publish", self.cloud.service.publish_s)
        yield from self._units(self.cloud.service.beat_units)
        yield self.cloud.writes.take(self.source.renditions + 2)
        if {"chunk-0", "audio-head"} <= seen and self.playable_s is None:
            self.playable_s = self.cloud.env.now - self.arrived_s
        if len(seen - {"audio-head"}) == self.source.tasks:
            self.completed_s = self.cloud.env.now - self.arrived_s
            self._end.succeed()
            return
        self._looking = False
        if self._look_again:
            self._look_again = False
            self._look()

    def _move(self) -> Steps:
        """Half of a task's moves: its start, or its end."""
        yield from self._units(self.cloud.service.move_units / 2)
        yield self.cloud.index.take(self.cloud.service.index_units)

    def _units(self, units: float) -> Steps:
        self.cloud.table_units += units
        yield self.items.take(units)
