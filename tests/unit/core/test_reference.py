"""The reference pages against the code."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from millrace import call_messages
from millrace.errors import Reason
from millrace.model import ByCreated, ByDue, ByStatus, Item
from tests.unit.core.harness import REPOSITORY

PAGES = REPOSITORY / "docs" / "reference"
SOURCE = REPOSITORY / "layers" / "core" / "python" / "millrace"
EVENT = re.compile(r'"((?:video|upload|task|rendition)\.[a-z_]+)"')
MOVERS = (
    *("arrival", "attempts", "probing", "steering", "stragglers", "tasks", "videos"),
    "watchable",
)


def first_cells(page: str) -> list[str]:
    rows = [line for line in (PAGES / page).read_text().splitlines() if line.startswith("| `")]
    return [row.split("`")[1] for row in rows]


def test_reason_page_is_complete_when_a_reason_exists() -> None:
    assert sorted(first_cells("reason-codes.md")) == sorted(Reason)


def test_metrics_page_is_up_to_date_when_compared_with_the_code() -> None:
    script = PAGES.parent / "metrics_page.py"
    made = runpy.run_path(str(script))["text"]()
    assert made == (PAGES / "metrics.md").read_text(), "run python docs/metrics_page.py"


def test_table_page_names_every_event_when_the_code_writes_it() -> None:
    written = {
        event for name in MOVERS for event in EVENT.findall((SOURCE / f"{name}.py").read_text())
    }
    told = {cell for cell in first_cells("table.md") if re.fullmatch(EVENT.pattern[1:-1], cell)}
    assert written == told


def test_only_movers_write_the_log_when_all_modules_are_read() -> None:
    for path in SOURCE.glob("*.py"):
        if path.stem not in (*MOVERS, "transact"):
            assert "transact.entry(" not in path.read_text(), path.name


@pytest.mark.parametrize("index", [ByStatus, ByCreated, ByDue])
def test_table_page_names_every_index_when_the_model_has_it(index: type) -> None:
    assert index.Meta.index_name in first_cells("table.md")  # type: ignore[attr-defined]
    assert hasattr(Item, index.Meta.index_name)  # type: ignore[attr-defined]


def test_signalling_page_names_every_action_and_code_when_the_code_knows_it() -> None:
    told = set(first_cells("signalling.md"))
    assert set(call_messages._PARSERS) <= told
    assert {cell for cell in told if cell.isupper()} == set(call_messages.Code)


def test_environment_is_read_in_one_place_when_all_modules_are_read() -> None:
    folders = (SOURCE, REPOSITORY / "functions")
    readers = [
        path.name
        for folder in folders
        for path in folder.rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    ]
    assert readers == ["config.py"]


@pytest.mark.parametrize("path", sorted(SOURCE.glob("*.py")), ids=lambda path: path.name)
def test_module_is_small_enough_to_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
