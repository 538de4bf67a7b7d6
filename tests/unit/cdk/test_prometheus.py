"""Prometheus's configuration and alert rules, judged by Prometheus's own tool and the alarms."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from cdk.functions import FUNCTIONS
from tests.harness.prometheus import MONITORING, promtool, rules
from tests.unit.cdk.support import Synthesis

QUEUES = [spec.name for spec in FUNCTIONS if spec.queue]
OTHERWISE = {
    # Whether Prometheus is answered is 0 or 1; the alarm counts errors.
    "MillraceUnreachable": "millrace-api-errors",
    # The alarm counts runs of five minutes.
    "MillraceMonitorSilent": "millrace-monitor-silent",
}
"""Alerts that measure something else than their alarm does."""


READ = {
    "https://api.example.com/v1": "https://api.example.com:443/v1/metrics",
    "https://other.example.com/": "https://other.example.com:443/metrics",
    "http://127.0.0.1:4566/restapis/x/y": "http://127.0.0.1:4566/restapis/x/y/metrics",
    "plain.example.com": "http://plain.example.com:80/metrics",
}
"""An API's address → what Prometheus reads."""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """In a folder as it is to be."""
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(MONITORING / name, tmp_path)
    (tmp_path / "metrics.token").write_text("mr_x")
    targets = tmp_path / "targets"
    targets.mkdir()
    (targets / "millrace.yml").write_text(json.dumps([{"targets": [*READ]}]))
    return tmp_path / "prometheus.yml"


@pytest.mark.needs_prometheus
def test_configuration_is_right_when_prometheus_checks_it(configuration: Path) -> None:
    promtool("check", "config", configuration)


@pytest.mark.needs_prometheus
def test_metrics_are_read_below_the_apis_path_when_a_target_has_one(configuration: Path) -> None:
    wait = "--timeout=1s"
    found = json.loads(promtool("check", "service-discovery", wait, configuration, "millrace"))
    parts = ("__scheme__", "__address__", "__metrics_path__")
    read = ["{}://{}{}".format(*(target["labels"][part] for part in parts)) for target in found]
    assert sorted(read) == sorted(READ.values())


@pytest.mark.needs_prometheus
def test_alerts_ring_when_something_is_wrong_and_not_else() -> None:
    promtool("test", "rules", Path(__file__).with_name("alerts_test.yml"))


def test_alerts_have_the_thresholds_of_the_alarms_when_compared(template: Synthesis) -> None:
    alarms = template.named("AWS::CloudWatch::Alarm", "AlarmName")
    matched = set()
    for rule in rules():
        named = rule["annotations"]["alarm"]
        limits = [float(limit) for limit in re.findall(r">= ([\d.]+)", rule["expr"])]
        for queue in QUEUES if "$labels.queue" in named else [""]:
            name = named.replace("{{ $labels.queue }}", queue)
            matched.add(name)
            same = alarms[name]["Threshold"] in limits
            assert same or OTHERWISE.get(rule["alert"]) == name, name
    assert set(alarms) == matched
