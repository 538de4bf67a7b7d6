"""`GET /metrics`: the counters, queues and workers as OpenMetrics text, for Prometheus.
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from millrace import clock, counters, prices, served, stats, tally, workers
from millrace.model import TaskKind, TaskStatus, VideoStatus
from millrace.queues import Queues

CONTENT_TYPE = CONTENT_TYPE_LATEST

_COUNTED = {
    "uploaded": ("videos_uploaded", "Uploads that arrived whole.", 1),
    "completed": ("videos_completed", "Videos that were finished.", 1),
    "failed": ("videos_failed", "Videos that failed.", 1),
    "cancelled": ("videos_cancelled", "Videos that were cancelled.", 1),
    "retries": ("task_retries", "Attempts that came to nothing and are repeated.", 1),
    "dead_letters": ("task_failures", "Tasks that failed or ran out of attempts.", 1),
    "lost_workers": ("workers_lost", "Running tasks whose worker fell silent.", 1),
    "backups": ("task_backups", "Second attempts begun beside slow ones.", 1),
    "bytes_in": ("source_bytes", "Size of all uploads that arrived.", 1),
    "bytes_read": ("source_read_bytes", "Read of sources by the engine.", 1),
    "bytes_out": ("media_bytes", "Size of all segments and stills made.", 1),
    "source_ms": ("source_seconds", "Length of all sources made into segments.", 1000),
    "busy_ms": ("busy_seconds", "Run time of all attempts.", 1000),
    "cost_nano_usd": ("cost_usd", "Estimated cost of all attempts.", prices.NANO_USD),
}
"""Counter → name, meaning, and how many of its unit are one of the name's."""
_BY_KIND = {
    "done": ("tasks_done", "Tasks that delivered.", 1),
    "done_ms": ("task_run_seconds", "Run time of tasks that delivered.", 1000),
    "waits": ("task_waits", "Starts of tasks whose wait is known.", 1),
    "wait_ms": ("task_wait_seconds", "Time that tasks waited to be started.", 1000),
}
_TIMES = {
    "playable": (
        "time_to_playable_seconds",
        "From the upload's arrival until it could be watched.",
    ),
    "completed": ("time_to_complete_seconds", "From the upload's arrival to its completion."),
}
_OLDEST = "Of what has waited longest in a queue, where that is known; 0 while nothing waits."
_SIGNALS = {
    served.Counted.CONNECTIONS: "WebSockets of calls that were opened.",
    served.Counted.DISCONNECTIONS: "WebSockets of calls that were closed, as far as it was told.",
    served.Counted.MESSAGES: "Messages that callers sent.",
    served.Counted.REFUSALS: "Messages that were answered with an error code.",
    served.Counted.ERRORS: "Events of WebSockets that could not be dealt with.",
}


class _Pipeline(Collector):
    """Reads everything once for each scrape."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def collect(self) -> Iterator[Metric]:
        present = counters.present()
        yield from _states(present.totals)
        yield from _counted(present.totals)
        yield from _times(present.totals)
        yield from _queues(stats.queues_now(self._queues, present))
        yield from _workers(workers.view()["workers"])
        yield from _served(present.served)
        yield _monitor(present.monitor_at)


def text(queues: Queues) -> str:
    """The whole answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Pipeline(queues))
    made: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return made.decode()


def families() -> list[tuple[str, str, str]]:
    """Name, type and meaning of all there are, for the reference page."""
    empty: Counter[str] = Counter()
    found = [*_states(empty), *_counted(empty), *_times(empty), *_queues([]), *_workers([])]
    found += [*_served(empty), _monitor(None)]
    return [(family.name, family.type, family.documentation) for family in found]


def _states(totals: Counter[str]) -> Iterator[Metric]:
    for of, states in (("video", list(VideoStatus)), ("task", list(TaskStatus))):
        family = GaugeMetricFamily(
            f"millrace_{of}s", f"{of.title()}s in a state.", labels=["state"]
        )
        for state in states:
            family.add_metric([state.lower()], max(0, totals[f"{of}_{state}"]))
        yield family


def _counted(totals: Counter[str]) -> Iterator[Metric]:
    for counter, (name, meaning, unit) in _COUNTED.items():
        yield CounterMetricFamily(f"millrace_{name}", meaning, value=totals[counter] / unit)
    for counter, (name, meaning, unit) in _BY_KIND.items():
        family = CounterMetricFamily(f"millrace_{name}", meaning, labels=["kind"])
        for kind in TaskKind:
            family.add_metric([kind.value], totals[f"{counter}_{kind}"] / unit)
        yield family


def _times(totals: Counter[str]) -> Iterator[Metric]:
    for counter, (name, meaning) in _TIMES.items():
        buckets, seen = [], 0
        for bound in (*tally.BOUNDS_S, None):
            seen += totals[tally.bucket(counter, bound)]
            buckets.append(("+Inf" if bound is None else str(float(bound)), seen))
        seconds = totals[f"{counter}_ms"] / 1000
        yield HistogramMetricFamily(f"millrace_{name}", meaning, buckets=buckets, sum_value=seconds)


def _queues(now: list[stats.QueueNow]) -> Iterator[Metric]:
    depth = GaugeMetricFamily(
        "millrace_queue_messages", "Messages of a queue.", labels=["queue", "state"]
    )
    age = GaugeMetricFamily("millrace_queue_oldest_age_seconds", _OLDEST, labels=["queue"])
    letters = GaugeMetricFamily(
        "millrace_dead_letters", "Failed tasks that nobody redrove.", labels=["queue"]
    )
    for queue in now:
        depth.add_metric([queue.name, "waiting"], queue.depth.waiting)
        depth.add_metric([queue.name, "in_flight"], queue.depth.in_flight)
        if queue.sampled_age_s is not None:
            age.add_metric([queue.name], queue.sampled_age_s)
        letters.add_metric([queue.name], queue.dead_letters)
    yield from (depth, age, letters)


def _workers(found: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    labels = ["worker", "function", "status"]
    families = {
        "heartbeat_age_s": ("heartbeat_age_seconds", "Since a worker was heard of."),
        "cpu_percent": ("cpu_percent", "Of a worker's processes; 100 is one core."),
        "memory_bytes": ("memory_bytes", "Of a worker's processes."),
    }
    for member, (name, meaning) in families.items():
        family = GaugeMetricFamily(f"millrace_worker_{name}", meaning, labels=labels)
        for worker in found:
            if worker[member] is not None:
                family.add_metric(
                    [worker["id"], worker["function"], worker["status"]], worker[member]
                )
        yield family


def _served(counts: Counter[str]) -> Iterator[Metric]:
    answers = CounterMetricFamily(
        "millrace_api_requests", "Answers of the API, by status.", labels=["status"]
    )
    for digit in served.STATUSES:
        answers.add_metric([f"{digit}xx"], counts[served.status_name(digit)])
    buckets, seen = [], 0
    for bound_ms in (*served.BOUNDS_MS, None):
        seen += counts[served.bucket(bound_ms)]
        buckets.append(("+Inf" if bound_ms is None else str(bound_ms / 1000), seen))
    latency = HistogramMetricFamily(
        *("millrace_api_latency_seconds", "From a request of the API to its answer."),
        buckets=buckets,
        sum_value=counts[served.LATENCY_US] / 1_000_000,
    )
    yield from (answers, latency)
    for what, meaning in _SIGNALS.items():
        yield CounterMetricFamily(f"millrace_{what}", meaning, value=counts[what])


def _monitor(at_s: int | None) -> Metric:
    age_s = math.inf if at_s is None else max(0.0, clock.now().timestamp() - at_s)
    meaning = "Since the monitor did its work; infinite before it did."
    return GaugeMetricFamily("millrace_monitor_age_seconds", meaning, value=age_s)
