"""What the tests need of the machine: missing, they skip; with REQUIRE_ALL=1 they fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.harness.fixtures"]

REPOSITORY = Path(__file__).resolve().parent.parent
NEEDS = {
    "needs_browser": Path("/usr/bin/chromium"),
    "needs_cloud": REPOSITORY / ".venv-cloud" / "bin" / "python",
    "needs_engine": REPOSITORY / "build" / "engine" / "release" / "millrace-engine",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all tests that share one running pipeline on one worker."""
    for item in items:
        if item.get_closest_marker("needs_cloud") or item.get_closest_marker("needs_browser"):
            item.add_marker(pytest.mark.xdist_group("cloud"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, path in NEEDS.items():
        if item.get_closest_marker(marker) is None or path.exists():
            continue
        message = f"{path} is missing; ./millrace test installs it"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
