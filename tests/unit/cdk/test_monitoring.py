"""Alarms and dashboard against the metrics that are written, and the runbook."""

from __future__ import annotations

import json
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


def test_throughput_is_on_the_dashboard_when_synthesised(template: Synthesis) -> None:
    (board,) = template.resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(board["Properties"]["DashboardBody"])
    assert "completed * 3600 / PERIOD(completed)" in body


def test_every_alarm_tells_the_address_when_one_is_given(
    template: Synthesis, direct: Synthesis
) -> None:
    (topic,) = (
        name
        for name, item in template.resources("AWS::SNS::Topic").items()
        if item["Properties"]["TopicName"] == "millrace-alarms"
    )
    (subscription,) = (
        item["Properties"]
        for item in template.resources("AWS::SNS::Subscription").values()
        if item["Properties"]["TopicArn"] == {"Ref": topic}
    )
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.org")
    for alarm in template.named("AWS::CloudWatch::Alarm", "AlarmName").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]
    for alarm in direct.named("AWS::CloudWatch::Alarm", "AlarmName").values():
        assert "AlarmActions" not in alarm


def test_alarms_may_publish_to_their_topic_when_it_has_a_policy(template: Synthesis) -> None:
    """A policy of its own takes the place of the one by which the account may."""
    allowed = [
        statement
        for policy in template.resources("AWS::SNS::TopicPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    (statement,) = allowed
    assert statement["Action"] == "sns:Publish"
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}


def test_videos_that_fail_anywhere_are_counted_against_those_completed_when_most_fail(
    template: Synthesis,
) -> None:
    alarm = template.named("AWS::CloudWatch::Alarm", "AlarmName")["millrace-failures"]
    counted = {
        (metric["MetricName"], dimension["Value"])
        for metric in _series(alarm)
        for dimension in metric["Dimensions"]
    }
    failed = {("VideosFailed", name) for name in _services_that_call("VIDEOS_FAILED")}
    assert failed
    assert counted == failed | {("VideosCompleted", "publish")}


def _services_that_call(metric: str) -> set[str]:
    """Functions in which a metric may be recorded, by the modules that do."""
    package = REPOSITORY / "layers" / "core" / "python" / "millrace"
    telling = {
        path.stem
        for path in package.glob("*.py")
        if path.stem != "metrics" and f"Metric.{metric}" in path.read_text()
    }
    workers = {"probe", "transcode", "thumbnail"}
    of_module = {"receiving": {"ingest"}, "attempts": workers, "monitoring": {"monitor"}}
    return set().union(*(of_module[module] for module in telling))
