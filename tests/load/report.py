"""What a run was like, as a table and a plot."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.chart import panels
from bench.markdown import table
from tests.load.sampling import QUEUES, Sample

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything one run brought."""

    jobs: list[dict[str, Any]]
    requests: list[dict[str, Any]]
    samples: list[Sample]
    cores: int
    machine: str
    began_at: str

    @property
    def completed(self) -> int:
        return sum(job["status"] == "completed" for job in self.jobs)

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [job for job in self.jobs if job["status"] != "completed"]

    @property
    def wall_s(self) -> float:
        """From the first request to the last video's completion."""
        ends = [job["ended"] for job in self.jobs if "ended" in job]
        return max(ends) - min(job["began"] for job in self.jobs) if ends else 0.0

    @property
    def videos_per_hour(self) -> float:
        return 3600 * self.completed / self.wall_s if self.wall_s else 0.0

    @property
    def error_rate(self) -> float:
        """Of all requests, S3's included."""
        total = sum(entry["requests"] for entry in self.requests)
        return sum(entry["failures"] for entry in self.requests) / total if total else 0.0

    @property
    def availability(self) -> float:
        """The part of the samples in which `GET /health` answered."""
        return sum(sample.healthy for sample in self.samples) / max(1, len(self.samples))


def markdown(outcome: Outcome) -> str:
    parts = {
        "": _summary(outcome),
        "### Requests": _requests(outcome),
        "### Videos": _kinds(outcome),
        "### Processes": _processes(outcome),
    }
    text = "\n\n".join(f"{head}\n\n{body}".strip() for head, body in parts.items())
    if outcome.failed:
        reasons = Counter(str(job.get("why", job["status"])) for job in outcome.failed)
        text += "\n\nNot completed: " + ", ".join(f"{n} × {why}" for why, n in reasons.items())
    return text


def _summary(outcome: Outcome) -> str:
    failed = len(outcome.failed)
    waits = [job["ended"] - job["uploaded"] for job in outcome.jobs if "uploaded" in job]
    plays = [job["playable"] - job["uploaded"] for job in outcome.jobs if "playable" in job]
    rows = [
        ("begun", outcome.began_at),
        ("machine", f"{outcome.machine}, {outcome.cores} cores"),
        ("uploads", f"{len(outcome.jobs)}, {_megabytes(outcome.jobs)} MB"),
        ("from the first request to the last completion", f"{outcome.wall_s / 60:.1f} min"),
        ("**throughput**", f"**{outcome.videos_per_hour:.0f} videos an hour**"),
        ("**failed or lost jobs**", f"**{failed} ({failed / max(1, len(outcome.jobs)):.1%})**"),
        ("failed requests", f"{outcome.error_rate:.2%}"),
        ("availability (`GET /health`, every 5 s)", f"{outcome.availability:.2%}"),
        ("upload to playable, p50 / p95", _both(plays)),
        ("upload to completed, p50 / p95", _both(waits)),
        ("most messages in queues", str(max((_depth(one) for one in outcome.samples), default=0))),
    ]
    return table(("", ""), rows)


def _megabytes(jobs: list[dict[str, Any]]) -> str:
    return f"{sum(job['bytes'] for job in jobs) / 1e6:.0f}"


def _both(values: Sequence[float]) -> str:
    return f"{percentile(values, 50):.0f} s / {percentile(values, 95):.0f} s"


def percentile(values: Sequence[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _requests(outcome: Outcome) -> str:
    rows = [
        (
            f"`{entry['name']}`",
            str(entry["requests"]),
            str(entry["failures"]),
            f"{entry['p50_ms'] or 0:.0f} ms",
            f"{entry['p95_ms'] or 0:.0f} ms",
        )
        for entry in sorted(outcome.requests, key=lambda entry: str(entry["name"]))
    ]
    return table(("request", "sent", "failed", "p50", "p95"), rows)


def _kinds(outcome: Outcome) -> str:
    rows = []
    for kind in dict.fromkeys(job["source"] for job in outcome.jobs):
        jobs = [job for job in outcome.jobs if job["source"] == kind]
        done = sum(job["status"] == "completed" for job in jobs)
        rows.append((kind, f"{jobs[0]['bytes'] / 1e6:.1f} MB", str(len(jobs)), str(done)))
    return table(("kind", "size", "uploads", "completed"), rows)


def _processes(outcome: Outcome) -> str:
    first, last = outcome.samples[0], outcome.samples[-1]
    passed_s = max(last.at_s - first.at_s, 1e-9)
    rows = []
    for group in sorted(last.cpu_s, key=lambda name: -last.cpu_s[name]):
        spent_s = last.cpu_s[group] - first.cpu_s.get(group, 0.0)
        most = max(sample.memory_bytes.get(group, 0) for sample in outcome.samples)
        count = max(sample.processes.get(group, 0) for sample in outcome.samples)
        share = spent_s / passed_s / outcome.cores
        rows.append((group, str(count), f"{spent_s:.0f} s", f"{share:.1%}", f"{most / _MIB:.0f}"))
    head = ("process", "at most", "CPU", "of all cores", "memory at most, all together (MiB)")
    return table(head, rows)


def _depth(sample: Sample) -> int:
    return sum(sample.depths.values())


def plot(outcome: Outcome, path: Path) -> None:
    samples = outcome.samples
    depths = {
        queue.removesuffix(".fifo"): [
            (sample.at_s / 60, float(sample.depths[queue])) for sample in samples if sample.depths
        ]
        for queue in QUEUES
    }
    content = {
        "Messages in each queue": ("messages", depths),
        "Videos completed": ("videos", {"completed": _completions(outcome)}),
        "Processor": ("cores", {name: _cpu(samples, name) for name in _busiest(outcome)}),
        "Memory": ("MiB", {name: _memory(samples, name) for name in _busiest(outcome)}),
    }
    panels(path, content, x="minutes")


def _completions(outcome: Outcome) -> list[tuple[float, float]]:
    began = min(job["began"] for job in outcome.jobs)
    ends = sorted(job["ended"] - began for job in outcome.jobs if job["status"] == "completed")
    return [(0.0, 0.0), *((end / 60, float(n)) for n, end in enumerate(ends, 1))]


def _busiest(outcome: Outcome) -> list[str]:
    last = outcome.samples[-1].cpu_s
    return sorted(last, key=lambda name: -last[name])[:5]


def _cpu(samples: list[Sample], group: str) -> list[tuple[float, float]]:
    return [
        (
            later.at_s / 60,
            (later.cpu_s.get(group, 0) - earlier.cpu_s.get(group, 0)) / (later.at_s - earlier.at_s),
        )
        for earlier, later in itertools.pairwise(samples)
    ]


def _memory(samples: list[Sample], group: str) -> list[tuple[float, float]]:
    return [(sample.at_s / 60, sample.memory_bytes.get(group, 0) / _MIB) for sample in samples]
