"""What operators see of the running system: numbers, metrics, a trace, readiness."""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import Any

import pytest
import requests

from millrace.metrics import NAMESPACE, Metric
from millrace.queues import ALL_QUEUES
from tests.harness.openmetrics import families_in
from tests.harness.pipeline import Pipeline, eventually

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

_EVERY_TASK = (Metric.TASK_SECONDS, Metric.QUEUE_WAIT)
_KINDS = {
    **{"probe": "probe", "transcode": "transcode", "audio": "transcode"},
    "thumbnail": "thumbnail",
}
MADE = [
    *((metric, {"service": "ingest"}) for metric in (Metric.VIDEOS_QUEUED, Metric.SOURCE_BYTES)),
    *(
        (metric, {"service": service})
        for metric in (Metric.TASKS_DONE, Metric.SOURCE_BYTES_READ)
        for service in ("probe", "transcode", "thumbnail")
    ),
    *(
        (metric, {"service": service, "kind": kind})
        for metric in _EVERY_TASK
        for kind, service in _KINDS.items()
    ),
    *(
        (Metric.BYTES_OUT, {"service": _KINDS[kind], "kind": kind})
        for kind in ("transcode", "audio", "thumbnail")
    ),
    *(
        (metric, {"service": "transcode", "kind": "transcode"})
        for metric in (Metric.ENGINE_SPEED, Metric.WORKER_CPU, Metric.WORKER_MEMORY)
    ),
    *(
        (metric, {"service": "publish"})
        for metric in (
            *(Metric.VIDEOS_PLAYABLE, Metric.TIME_TO_PLAYABLE, Metric.VIDEOS_COMPLETED),
            *(Metric.TIME_TO_COMPLETED, Metric.VIDEO_COST),
        )
    ),
    *(
        (metric, {"service": "monitor", "queue": queue})
        for metric in (Metric.QUEUE_DEPTH, Metric.QUEUE_IN_FLIGHT, Metric.DEAD_LETTERS)
        for queue in ALL_QUEUES
    ),
    *((Metric.OLDEST_AGE, {"service": "monitor", "queue": queue}) for queue in ALL_QUEUES),
    (Metric.VIDEOS, {"service": "monitor", "state": "completed"}),
    (Metric.TASKS, {"service": "monitor", "state": "done"}),
    (Metric.WORKERS, {"service": "monitor", "state": "idle"}),
    *((metric, {"service": "monitor"}) for metric in (Metric.HEARTBEAT_AGE, Metric.SPENT)),
    *((metric, {"service": "api"}) for metric in (Metric.API_LATENCY, Metric.API_ERRORS)),
]
"""What one video makes, by metric and dimensions."""
UNUSUAL = {
    *(Metric.VIDEOS_FAILED, Metric.VIDEOS_PURGED, Metric.UPLOADS_EXPIRED, Metric.TASKS_RETRIED),
    *(Metric.TASKS_DOUBLED, Metric.TASKS_FAILED, Metric.WORKERS_LOST, Metric.MESSAGES_RESENT),
    *(Metric.MESSAGES_REJECTED, Metric.WEBHOOKS_DELIVERED, Metric.WEBHOOKS_FAILED),
    *(Metric.SIGNAL_CONNECTIONS, Metric.SIGNAL_DISCONNECTIONS, Metric.SIGNAL_MESSAGES),
    *(Metric.SIGNAL_REFUSALS, Metric.SIGNAL_ERRORS),
}
"""What needs a failure, a webhook, a deletion or a call."""
CLOSED_WITHIN_S = 300
"""A minute's cost is told once it is over for a minute, by the monitor's next round."""


def test_numbers_tell_of_the_film_when_it_is_completed(
    pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    stats = pipeline.api("GET", "/stats?range=1h").json()
    window = stats["window"]
    assert stats["videos"]["completed"] >= 1
    assert window["uploaded"] >= window["completed"] >= 1
    assert window["bytes_in"] > 0
    assert window["bytes_out"] > 0
    assert window["source_seconds"] >= sintel["duration_s"] - 0.2
    assert window["cost_usd"] > 0
    assert window["time_to_playable_s"]["count"] >= 1
    assert sum(stats["series"]["uploaded"]) == window["uploaded"]


def test_workers_are_known_when_they_worked_lately(
    pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    """The film may have been made long before."""
    lately = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=10)
    spans = pipeline.api("GET", f"/videos/{sintel['id']}/trace").json()["spans"]
    worked = {span["worker"] for span in spans if span["worker"] and span["to"] > f"{lately:%FT%T}"}
    workers = pipeline.api("GET", "/workers").json()["workers"]
    ids = {worker["id"] for worker in workers}
    assert worked <= ids
    assert len(ids) == len(workers)


def test_trace_has_every_chunk_inside_the_video_when_it_is_completed(
    pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    trace = pipeline.api("GET", f"/videos/{sintel['id']}/trace").json()
    chunks = [span for span in trace["spans"] if span["kind"] == "transcode"]
    assert len(chunks) > 3
    assert all(trace["from"] <= span["from"] <= span["to"] <= trace["to"] for span in chunks)
    assert all(span["worker"] for span in chunks)
    assert next(mark["name"] for mark in trace["marks"]) == "playable"


def test_metrics_are_told_of_together_when_there_is_a_new_one() -> None:
    assert {metric for metric, _ in MADE} | UNUSUAL == set(Metric)
    assert not {metric for metric, _ in MADE} & UNUSUAL


def test_metrics_are_real_ones_when_a_video_was_made(
    pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    cloudwatch = pipeline.client("cloudwatch")
    now = datetime.datetime.now(datetime.UTC)

    def is_there(metric: Metric, dimensions: dict[str, str]) -> bool:
        assert set(dimensions) == set(metric.dimensions)
        points = cloudwatch.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=metric.title,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - datetime.timedelta(hours=6),
            EndTime=now + datetime.timedelta(hours=2),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        may_be_zero = dimensions["service"] == "monitor" or metric is Metric.API_ERRORS
        return any(may_be_zero or point["Sum"] > 0 for point in points)

    missing = list(MADE)

    def arrived() -> bool:
        missing[:] = [each for each in missing if not is_there(*each)]
        return not missing

    with suppress(AssertionError):
        eventually("metrics of functions and API", arrived, CLOSED_WITHIN_S)
    assert missing == []


def test_prometheus_can_read_it_when_it_has_its_token(pipeline: Pipeline) -> None:
    answer = pipeline.api("GET", "/metrics")
    families = families_in(answer.text)
    assert families["millrace_videos_uploaded"].samples[0].value >= 0
    answered = {s.labels["status"]: s.value for s in families["millrace_api_requests"].samples}
    assert answered["2xx"] > 0
    assert families["millrace_monitor_age_seconds"].samples[0].value < 600
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")


def test_all_is_ready_when_the_system_runs(pipeline: Pipeline) -> None:
    answer = requests.get(f"{pipeline.api_url}/health/ready", timeout=10)
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
