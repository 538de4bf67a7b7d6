"""Puts together the folder that Prometheus reads: see docs/how-to/monitoring.md."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cdk.settings import Settings
from cli import aws
from cli.state import REPOSITORY, replace_text

SOURCES = REPOSITORY / "cdk" / "monitoring"
_USUAL_BUDGET_USD = Settings().daily_budget_usd
_SPENT = "increase(millrace_cost_usd_total[1d]) >= "


def prepare_monitoring(folder: Path, api_url: str, port: int, daily_budget_usd: int) -> None:
    """Configuration, the API's address, and a token that opens nothing but `/metrics`.

    Args:
        folder: is made; a token that is there is kept.
        port: of the LocalStack that has the table of tokens.
        daily_budget_usd: beyond, `MillraceSpend` rings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SOURCES / "prometheus.yml", folder / "prometheus.yml")
    replace_text(folder / "alerts.yml", _alerts(daily_budget_usd))
    token = folder / "metrics.token"
    if not token.exists():
        replace_text(token, aws.new_token(port, "prometheus", ["metrics"]) + "\n", mode=0o600)
    # JSON is YAML, too.
    replace_text(folder / "targets" / "millrace.yml", json.dumps([{"targets": [api_url]}]) + "\n")


def _alerts(daily_budget_usd: int) -> str:
    before, after = (SOURCES / "alerts.yml").read_text().split(f"{_SPENT}{_USUAL_BUDGET_USD}\n")
    return f"{before}{_SPENT}{daily_budget_usd}\n{after}"
