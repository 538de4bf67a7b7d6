"""The Grafana dashboards against the code that makes them, and against Grafana's own schema."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from cdk.monitoring.grafana import FOLDER, texts
from tests.harness.prometheus import BOARDS, MONITORING, panels

SCHEMAS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "grafana_schema" / "v11.6.json").read_text()
)


def broken(schema: str, part: str, value: object) -> Iterator[str]:
    """What Grafana's schema says against a value."""
    validator = Draft7Validator({**SCHEMAS[schema], "$ref": f"#/definitions/{part}"})
    for error in validator.iter_errors(value):
        yield f"{part} {error.json_path}: {error.message}"


def test_dashboards_are_current_when_made_anew() -> None:
    committed = {board.stem: board.read_text() for board in FOLDER.iterdir()}
    assert texts() == committed, "run python -m cdk.monitoring.grafana"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_dashboard_keeps_to_grafanas_schema_when_made(board: Path) -> None:
    found = list(broken("dashboard", "Dashboard", json.loads(board.read_text())))
    for panel in panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        found += broken(panel["type"], "Options", panel["options"])
        if "custom" in defaults:
            found += broken(panel["type"], "FieldConfig", defaults["custom"])
        for target in panel["targets"]:
            found += broken("prometheus", "dataquery", target)
    assert found == []


def test_schema_refuses_a_dashboard_when_a_member_is_unknown() -> None:
    board = json.loads(BOARDS[0].read_text()) | {"colour": "red"}
    assert len(list(broken("dashboard", "Dashboard", board))) == 1


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_panels_have_places_of_their_own_when_laid_out(board: Path) -> None:
    content = json.loads(board.read_text())["panels"]
    places = [panel["gridPos"] for panel in content]
    assert not any(overlap(one, other) for one, other in itertools.combinations(places, 2))
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert len({panel["id"] for panel in content}) == len(content)
    titles = [(panel["type"], panel["title"]) for panel in content]
    assert len(set(titles)) == len(titles)


def test_grafana_finds_source_and_dashboards_when_provisioned() -> None:
    def provisioned(path: str) -> Any:
        return yaml.safe_load((MONITORING / "provisioning" / path).read_text())

    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    scraping = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["global"]
    assert source["jsonData"]["timeInterval"] == scraping["scrape_interval"]
    (provider,) = provisioned("dashboards/millrace.yml")["providers"]
    assert provider["options"]["path"] == "$MILLRACE_DASHBOARDS"
    for board in BOARDS:
        (variable,) = json.loads(board.read_text())["templating"]["list"]
        assert (variable["type"], variable["query"]) == ("datasource", source["type"])
