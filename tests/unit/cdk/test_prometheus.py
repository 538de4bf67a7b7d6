"""Prometheus's configuration and alert rules, judged by Prometheus's own tool and the alarms."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cdk.functions import FUNCTIONS
from tests.harness.prometheus import MONITORING, promtool, rules
from tests.unit.cdk.support import Synthesis

QUEUES = [spec.name for spec in FUNCTIONS if spec.queue]
UNSEEN = {"millrace-monitor-silent"}
"""Alarms on what `GET /metrics` does not tell of."""


@pytest.mark.needs_prometheus
def test_configuration_is_right_when_prometheus_checks_it(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(MONITORING / name, tmp_path)
    (tmp_path / "metrics.token").write_text("mr_x")
    targets = tmp_path / "targets"
    targets.mkdir()
    (targets / "millrace.yml").write_text('- targets: ["https://api.example.com/v1"]\n')
    promtool("check", "config", tmp_path / "prometheus.yml")


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
            # Whether the API answers is 0 or 1; its alarm counts errors.
            assert name == "millrace-api-errors" or alarms[name]["Threshold"] in limits, name
    assert set(alarms) - matched == UNSEEN
