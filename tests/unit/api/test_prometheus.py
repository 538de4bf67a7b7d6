"""What dashboards and alerts ask, against what `GET /metrics` answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.samples import Sample

from millrace import clock, workers
from millrace.events import TaskMessage
from millrace.model import TaskKind, VideoStatus
from millrace.tasks import Lease, Load
from tests.harness.openmetrics import families_in
from tests.harness.prometheus import MONITORING, Asked, promtool, rules, shown
from tests.unit.api.conftest import QUEUE_URL, Cloud, MakeVideo
from tests.unit.api.support import Api

OF_PROMETHEUS = {name: {"job", "instance"} for name in ("up", "scrape_duration_seconds")}
ADDED = {"instance", "job"}
"""Labels that Prometheus adds."""


@pytest.fixture
def samples(api: Api, admin: str, whole_cloud: Cloud) -> list[Sample]:
    """All that is exposed while a worker works."""
    lease = Lease(TaskMessage("a" * 26, TaskKind.PROBE, 0), 1, "worker", clock.stamp())
    workers.at_work(lease, 40, Load(97.5, 1 << 30))
    families = families_in(api.get("/metrics", token=admin).text)
    return [sample for family in families.values() for sample in family.samples]


def asked() -> list[Asked]:
    alerts = (Asked(rule["alert"], rule["expr"], str(rule["annotations"])) for rule in rules())
    return [*shown(), *alerts]


def labels_in(expression: str) -> Iterator[str]:
    yield from re.findall(r"(\w+)=~?\"", expression)
    for names in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
        yield from names.split(", ")


def test_queries_name_only_what_is_exposed_when_compared(samples: list[Sample]) -> None:
    exposed = dict(OF_PROMETHEUS)
    for sample in samples:
        exposed.setdefault(sample.name, set()).update(sample.labels)
    for where, expression, legend in asked():
        named = set(re.findall(r"\b(?:millrace_\w+|up|scrape_\w+)\b", expression))
        assert named, where
        assert named <= set(exposed), where
        labels = set().union(*(exposed[name] for name in named)) | ADDED
        assert set(labels_in(expression)) <= labels, where
        told = set(re.findall(r"{{ ?(?:\$labels\.)?(\w+) ?}}", legend))
        assert told <= set(labels_in(expression)) | ADDED, where


@pytest.mark.needs_prometheus
def test_every_query_of_a_dashboard_has_an_answer_when_prometheus_has_what_is_exposed(
    samples: list[Sample], tmp_path: Path
) -> None:
    series = [sample.name + _selector({**sample.labels, "instance": "a"}) for sample in samples]
    series += [f'{name}{{job="millrace", instance="a"}}' for name in OF_PROMETHEUS]
    test = {
        "interval": "15s",
        # Growing, so that quotients of increases are numbers.
        "input_series": [{"series": name, "values": "1+1x40"} for name in series],
        "promql_expr_test": [
            {
                "expr": f"clamp_max(count({expression}), 1)",
                "eval_time": "10m",
                "exp_samples": [{"labels": "{}", "value": 1}],
            }
            for _, expression, _ in shown()
        ],
    }
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"tests": [test]}))
    promtool("test", "rules", path)


@pytest.mark.needs_prometheus
def test_alert_rings_for_the_publisher_when_a_video_was_not_published_for_an_hour(
    api: Api, admin: str, whole_cloud: Cloud, make_video: MakeVideo, tmp_path: Path
) -> None:
    """What the API exposes, given to the rule itself. Nothing rings for uploads that wait: their
    age is not known."""
    since = clock.stamp(-3601)
    make_video(VideoStatus.PROCESSING, tasks_total=9, tasks_done=2, unpublished_since=since)
    made = {"MessageGroupId": "a", "MessageDeduplicationId": "a"}
    whole_cloud.sqs.send_message(QueueUrl=QUEUE_URL, MessageBody="{}", **made)
    ingest = whole_cloud.sqs.get_queue_url(QueueName="millrace-ingest")["QueueUrl"]
    whole_cloud.sqs.send_message(QueueUrl=ingest, MessageBody="{}")
    exposed = families_in(api.get("/metrics", token=admin).text)
    ages = exposed["millrace_queue_oldest_age_seconds"].samples
    assert "ingest" not in {sample.labels["queue"] for sample in ages}
    series = [
        {"series": f"{age.name}{_selector(age.labels)}", "values": f"{age.value}x5"} for age in ages
    ]
    rung = {
        "exp_labels": {"queue": "publish", "severity": "warning"},
        "exp_annotations": {
            "alarm": "millrace-publish-waits",
            "summary": "Work of publish has waited for an hour: too few workers, or none.",
        },
    }
    asked_at = {"eval_time": "1m", "alertname": "MillraceWaits", "exp_alerts": [rung]}
    test = {"interval": "1m", "input_series": series, "alert_rule_test": [asked_at]}
    path = tmp_path / "alerts_test.yml"
    rule_files = [str(MONITORING / "alerts.yml")]
    path.write_text(yaml.safe_dump({"rule_files": rule_files, "tests": [test]}))
    promtool("test", "rules", path)


def _selector(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
