"""Service times as they were measured, kept with how (`measurements.json`)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("measurements.json")


@dataclass(frozen=True, slots=True)
class Line:
    """CPU seconds of a task as a straight line: so much each, and so much per second of source."""

    fixed_cpu_s: float
    cpu_s_per_source_s: float

    def cpu_s(self, source_s: float) -> float:
        return self.fixed_cpu_s + self.cpu_s_per_source_s * source_s


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """What each step of a video costs. CPU seconds are those of the machine that measured."""

    chunk: Line
    """One transcode task, all renditions."""
    chunk_threads_used: float
    """Cores a transcode task keeps busy when it may have two."""
    audio: Line
    stills: Line
    probe_engine_cpu_s: float
    ingest_s: float
    probe_overhead_s: float
    """Of the probe's handler beside the engine: reads, plan, tasks, messages."""
    task_overhead_s: float
    """Of a worker's handler beside the engine: lease, heart, stores, closing move."""
    publish_s: float
    init_zip_s: float
    init_image_s: float
    message_s: float
    """From sending a message to its function having it."""
    move_units: float
    """Write units that one task's start and end together put onto its video's partition."""
    beat_units: float
    """Write units of one heartbeat."""
    index_units: float
    """Write units of one move in the busiest index, all its shards together."""

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> ServiceTimes:
        lines = {name: Line(**content[name]) for name in ("chunk", "audio", "stills")}
        return cls.from_parts({**content, **lines})

    @classmethod
    def from_parts(cls, parts: dict[str, Any]) -> ServiceTimes:
        """Of all fields by their names."""
        return cls(**parts)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Run:
    """One real run of the pipeline, for the simulation to be compared with."""

    name: str
    source_s: float
    chunk_segments: int
    videos: int
    cores: int
    transcode_concurrency: int
    wall_s: float
    """From the first byte's arrival to the last video's completion."""
    playable_s: float
    """From the arrival to the first video's being playable."""


@dataclass(frozen=True, slots=True)
class Measurements:
    taken: dict[str, Any]
    """When, on what, with which commands."""
    service: ServiceTimes
    runs: tuple[Run, ...]

    @classmethod
    def read(cls, path: Path = FILE) -> Measurements:
        content = json.loads(path.read_text())
        return cls(
            content["taken"],
            ServiceTimes.from_json(content["service"]),
            tuple(Run(**run) for run in content["runs"]),
        )

    def write(self, path: Path = FILE) -> None:
        content = {
            "taken": self.taken,
            "service": self.service.to_json(),
            "runs": [asdict(run) for run in self.runs],
        }
        path.write_text(json.dumps(content, indent=2) + "\n")
