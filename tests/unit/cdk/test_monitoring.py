"""Alarms and dashboard against the metrics that are written, and the runbook."""

from __future__ import annotations

import re
from typing import Any

from cdk.functions import API, FUNCTIONS
from millrace.metrics import NAMESPACE, Metric
from tests.harness.prometheus import rules
from tests.unit.cdk.support import REPOSITORY, Synthesis

RUNBOOK = (REPOSITORY / "docs" / "OPERATIONS.md").read_text()
METRICS = {metric.title: metric for metric in Metric}
QUEUES = [spec.name for spec in FUNCTIONS if spec.queue]
SERVICES = {spec.name for spec in (*FUNCTIONS, API)}


def _check(name: str, dimensions: dict[str, str]) -> None:
    assert set(dimensions) == set(METRICS[name].dimensions), name
    assert dimensions["service"] in SERVICES


def _series(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    many = [
        each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each
    ]
    return many or [alarm]


def test_every_alarm_is_in_the_runbook_when_synthesised(template: Synthesis) -> None:
    named = set(template.named("AWS::CloudWatch::Alarm", "AlarmName"))
    told: set[str] = set()
    for row in re.findall(r"^\| `(millrace-[^`]+)` \|", RUNBOOK, re.MULTILINE):
        told |= {row.replace("{queue}", queue) for queue in QUEUES}
    assert named == told


def test_every_alarm_leads_to_its_section_beside_its_alerts_when_looked_up() -> None:
    headings = re.findall(r"^### (.*)$", RUNBOOK, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    rows = re.findall(r"^\| `(millrace-[^`]+)` \| (.*) \| .*\(#(.*)\) \|$", RUNBOOK, re.MULTILINE)
    told = {(alert, alarm) for alarm, alerts, _ in rows for alert in re.findall(r"`(\w+)`", alerts)}
    assert {anchor for _, _, anchor in rows} <= anchors
    assert told == {
        (rule["alert"], rule["annotations"]["alarm"].replace("{{ $labels.queue }}", "{queue}"))
        for rule in rules()
    }


def test_alarms_watch_metrics_that_are_written_when_synthesised(template: Synthesis) -> None:
    for alarm in template.named("AWS::CloudWatch::Alarm", "AlarmName").values():
        for metric in _series(alarm):
            if metric["Namespace"] == NAMESPACE:
                found = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
                _check(metric["MetricName"], found)


def test_alarms_are_plain_ones_when_they_need_no_arithmetic(template: Synthesis) -> None:
    """LocalStack looks at no others."""
    alarms = template.named("AWS::CloudWatch::Alarm", "AlarmName")
    assert {name for name, alarm in alarms.items() if "Metrics" in alarm} == {"millrace-failures"}


def test_monitors_alarm_rings_when_nothing_is_heard_of_it(template: Synthesis) -> None:
    alarm = template.named("AWS::CloudWatch::Alarm", "AlarmName")["millrace-monitor-silent"]
    assert alarm["TreatMissingData"] == "breaching"
    (dimension,) = alarm["Dimensions"]
    assert dimension == {"Name": "FunctionName", "Value": "millrace-monitor"}


def test_dashboard_shows_metrics_that_are_written_when_synthesised(template: Synthesis) -> None:
    (board,) = template.resources("AWS::CloudWatch::Dashboard").values()
    body = "".join(
        part if isinstance(part, str) else "region"
        for part in board["Properties"]["DashboardBody"]["Fn::Join"][1]
    )
    shown = re.findall(rf'\["{NAMESPACE}","(\w+)"((?:,"\w+","[\w-]+")+)', body)
    assert len({name for name, _ in shown}) > 15
    for name, rest in shown:
        words = re.findall(r'"([\w-]+)"', rest)
        _check(name, dict(zip(words[::2], words[1::2], strict=True)))
