"""The folder that Prometheus reads, as `up --monitoring` puts it together."""

from __future__ import annotations

from pathlib import Path

import yaml

from cli.monitoring import SOURCES, prepare_monitoring


def alerts(path: Path) -> dict[str, str]:
    (group,) = yaml.safe_load(path.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for rule in group["rules"]}


def test_alert_on_spend_has_the_deployments_budget_when_it_is_another(tmp_path: Path) -> None:
    (tmp_path / "metrics.token").write_text("one that is kept")
    prepare_monitoring(tmp_path, "http://127.0.0.1:4566/api", 4566, 7)
    ours, usual = alerts(tmp_path / "alerts.yml"), alerts(SOURCES / "alerts.yml")
    assert ours.pop("MillraceSpend") == "increase(millrace_cost_usd_total[1d]) >= 7"
    assert usual.pop("MillraceSpend") == "increase(millrace_cost_usd_total[1d]) >= 100"
    assert ours == usual
