"""What `./millrace dev` makes of a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk.functions import FUNCTIONS as DEPLOYED
from cli.dev import FUNCTIONS, Change
from cli.images import checkout_map

ALL = frozenset(FUNCTIONS)


@pytest.mark.parametrize(
    ("paths", "change"),
    [
        (["functions/probe/handler.py"], Change(frozenset({"probe"}))),
        (["app.py", "functions/signal/handler.py"], Change(frozenset({"api", "signal"}))),
        (["layers/core/python/millrace/plan.py"], Change(ALL)),
        (["frontend/js/poller.js"], Change(pages=True)),
        (["engine/src/main.cpp"], Change(engine=True)),
        (["functions/Dockerfile"], Change()),
    ],
)
def test_only_what_a_change_concerns_is_done_anew(paths: list[str], change: Change) -> None:
    assert Change.of(paths) == change


def test_every_function_runs_from_the_checkout_when_it_is_followed() -> None:
    entries = checkout_map(Path("python"))
    deployed = {*(function.name for function in DEPLOYED), "api"}
    assert {f"millrace-{name}" for name in deployed} == set(entries)
    for name, entry in entries.items():
        module = str(entry["command"][-1]).partition(".")[0]  # type: ignore[index]
        assert (Path(str(entry["directory"])) / f"{module}.py").is_file(), name


def test_one_function_has_a_debugger_when_it_is_named() -> None:
    entries = checkout_map(Path("python"), "probe", 1234)
    under = [name for name, entry in entries.items() if "debugpy" in str(entry["command"])]
    assert under == ["millrace-probe"]
    assert "127.0.0.1:1234" in str(entries["millrace-probe"]["command"])
