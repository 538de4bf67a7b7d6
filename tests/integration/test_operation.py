"""What operators see of the running system: numbers, metrics, a trace, readiness."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import requests

from tests.harness.openmetrics import families_in
from tests.harness.pipeline import Pipeline, eventually

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]


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


def test_metrics_are_real_ones_when_functions_and_api_logged_them(
    pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    cloudwatch = pipeline.client("cloudwatch")
    now = datetime.datetime.now(datetime.UTC)

    def total(name: str, **dimensions: str) -> float:
        answer = cloudwatch.get_metric_statistics(
            Namespace="Millrace",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - datetime.timedelta(hours=2),
            EndTime=now + datetime.timedelta(hours=1),
            Period=3600,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))

    def arrived() -> bool:
        done = total("VideosCompleted", service="publish") >= 1
        speed = total("EngineSpeed", service="transcode", kind="transcode") > 0
        return done and speed and total("ApiLatency", service="api") > 0

    assert eventually("metrics of functions and API", arrived, 120)


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
