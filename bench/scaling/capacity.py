"""What one instance of each function does, from the measured service times:
`python -m bench.scaling.capacity` writes the table of docs/how-to/scale.md; a test compares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import simpy

from bench.markdown import put_between_marks, table
from bench.scaling.clouds import AT_MOST, MEMORY_MB, LambdaCompute
from bench.scaling.measured import Measurements, ServiceTimes
from bench.scaling.quotas import Quotas
from bench.scaling.video import SEGMENT_S
from bench.tools import REPOSITORY
from cdk.functions import API, FUNCTIONS
from millrace.posting import LIMIT_S

PAGE = REPOSITORY / "docs" / "how-to" / "scale.md"
MARK = "capacity"
_HOUR_S, _FILM_S = 3600, 600
_SEGMENTS = 8
NOT_COMPUTED = {
    "notify": ("event for one webhook", f"as long as its endpoint, {LIMIT_S:.0f} s at most"),
    "monitor": ("look at what is due", "one run a minute, whatever the load"),
    "signal": ("message of a call", "not measured alone"),
    "api": ("request", "not measured alone"),
}
"""Function → one unit of its work, and why there are no figures."""


@dataclass(frozen=True, slots=True)
class Work:
    """One unit of a function's work."""

    function: str
    unit: str
    seconds: float

    @property
    def hourly(self) -> float:
        return _HOUR_S / self.seconds


def work(service: ServiceTimes) -> Iterator[Work]:
    """On AWS, warm, with a vCPU as fast as a core of the machine that measured."""

    def engine_s(function: str, cpu_s: float, cores: float = 1.0) -> float:
        env = simpy.Environment()
        env.run(LambdaCompute(env, Quotas(), 1.0).engine(function, cpu_s, cores))
        return float(env.now)

    own, cores = service.task_overhead_s, service.chunk_threads_used
    probe_s = engine_s("probe", service.probe_engine_cpu_s) + service.probe_overhead_s
    chunk_s = engine_s("transcode", service.chunk.cpu_s(_SEGMENTS * SEGMENT_S), cores) + own
    sound_s = engine_s("transcode", service.audio.cpu_s(_FILM_S), cores) + own
    stills_s = engine_s("thumbnail", service.stills.cpu_s(_FILM_S)) + own
    yield Work("ingest", "upload", service.ingest_s)
    yield Work("probe", "video", probe_s)
    yield Work("transcode", f"chunk: {_SEGMENTS * SEGMENT_S:.0f} s of 1080p, ladder", chunk_s)
    yield Work("transcode", "sound of ten minutes", sound_s)
    yield Work("thumbnail", "stills of ten minutes", stills_s)
    yield Work("publish", "look at a video", service.publish_s)


def text() -> str:
    """The table."""
    head = ("function", "vCPU", "one", "takes", "an hour", "at once", "an hour, all of them")
    rows = [*map(_row, work(Measurements.read().service)), *map(_blank, NOT_COMPUTED)]
    return table(head, rows)


def _row(one: Work) -> tuple[str, ...]:
    at_once = AT_MOST[one.function]
    return (
        *(f"`{one.function}`", _vcpus(MEMORY_MB[one.function])),
        *(one.unit, f"{one.seconds:.2f} s", f"{one.hourly:,.0f}"),
        *(str(at_once), f"{at_once * one.hourly:,.0f}"),
    )


def _blank(function: str) -> tuple[str, ...]:
    (spec,) = (spec for spec in (*FUNCTIONS, API) if spec.name == function)
    at_once = str(spec.queue.max_concurrency) if spec.queue else "–"
    return (f"`{function}`", _vcpus(spec.memory_mb), *NOT_COMPUTED[function], "–", at_once, "–")


def _vcpus(memory_mb: int) -> str:
    return f"{memory_mb / Quotas().memory_mb_per_vcpu:.2f}"


if __name__ == "__main__":
    put_between_marks(PAGE, MARK, text())
