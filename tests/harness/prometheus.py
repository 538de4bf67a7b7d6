"""Debian's Prometheus, and what we ask of one: the queries of dashboards and alert rules."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
MONITORING = REPOSITORY / "cdk" / "monitoring"
BOARDS = sorted((MONITORING / "dashboards").glob("*.json"))
RATE_INTERVAL = "1m"
"""Put where Grafana puts four times the interval of scraping."""


class Asked(NamedTuple):
    """A query, and where it is asked."""

    where: str
    expression: str
    legend: str = ""


def panels(board: Path) -> list[dict[str, Any]]:
    """Those of a dashboard that show something."""
    content = json.loads(board.read_text())
    return [panel for panel in content["panels"] if panel["type"] != "row"]


def shown() -> Iterator[Asked]:
    """All that dashboards ask."""
    for board in BOARDS:
        for panel in panels(board):
            for target in panel["targets"]:
                expression = target["expr"].replace("$__rate_interval", RATE_INTERVAL)
                where = f"{board.stem}: {panel['title']} ({target['refId']})"
                yield Asked(where, expression, target["legendFormat"])


def rules() -> list[dict[str, Any]]:
    """All alert rules."""
    (group,) = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def promtool(*arguments: str | Path) -> str:
    """What Prometheus's own checks say; an error that they find fails the test."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
