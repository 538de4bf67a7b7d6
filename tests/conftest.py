"""What the tests need of the machine: missing, they skip; with REQUIRE_ALL=1 they fail."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.harness.secrets_in",
    "tests.harness.fixtures",
    "tests.harness.exhaustive",
    "tests.harness.sanitized",
]

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell begins what it runs in the background so, and programs under test would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parent.parent
NEEDS = {
    "needs_browser": Path("/usr/bin/chromium"),
    "needs_cloud": REPOSITORY / ".venv-cloud" / "bin" / "python",
    "needs_docker": Path(shutil.which("dockerd") or "/usr/sbin/dockerd"),
    "needs_engine": REPOSITORY / "build" / "engine" / "release" / "millrace-engine",
    "needs_rie": REPOSITORY / "build" / "rie" / "aws-lambda-rie",
    "needs_prometheus": Path("/usr/bin/promtool"),
    "needs_relay": Path("/usr/bin/turnserver"),
}
RUNNING = ("pipeline", "chaos")
"""Groups whose tests drive a running Millrace. They begin first."""
COMPUTING = ("engine", "unit", "quality")
USUAL = os.getpriority(os.PRIO_PROCESS, 0)
BACKGROUND = 12
"""By how much tests that only compute step back: a running Millrace, whose transcoding steps back
by 15, and browsers would starve beside them."""
# What waits for a cloud or a browser first, then what only computes, the longest first.
LONG = (
    "local_executor",
    "local_state",
    "tests/engine",
    "unit/cdk",
    "e2e/pages",
    "has_no_lint",
    "types_hold",
    "at_any_moment",
    "workers_race",
)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share something expensive stay on one worker; what takes long starts first."""
    for item in items:
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    if _group(item) in RUNNING:
        return 0
    return next((rank for rank, name in enumerate(LONG, 1) if name in item.nodeid), len(LONG) + 1)


def _group(item: pytest.Item) -> str | None:
    """One of RUNNING for what drives a running Millrace; else a folder or a file with fixtures."""
    folders = item.path.relative_to(REPOSITORY / "tests").parts
    if folders[0] == "chaos" and item.get_closest_marker("needs_cloud"):
        return "chaos"
    if "pipeline" in getattr(item, "fixturenames", ()):
        return "pipeline"
    if folders[0] in ("integration", "e2e") or folders[:2] == ("unit", "cdk"):
        return "/".join(folders[:2])
    alone = folders[0] == "quality" or folders[:2] in (
        ("unit", "core"),
        ("engine", "test_matrix.py"),
    )
    return None if alone else "/".join(folders)


def pytest_runtest_setup(item: pytest.Item) -> None:
    computes = item.path.relative_to(REPOSITORY / "tests").parts[0] in COMPUTING
    with contextlib.suppress(PermissionError):  # only root may step forward again
        os.setpriority(os.PRIO_PROCESS, 0, USUAL + BACKGROUND if computes else USUAL)
    for message in _missing(item):
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)


def _missing(item: pytest.Item) -> Iterator[str]:
    """What a test needs and this machine has not."""
    for marker, path in NEEDS.items():
        if item.get_closest_marker(marker) and not path.exists():
            yield f"{path} is missing; ./millrace test installs it"
    if item.get_closest_marker("needs_root") and os.geteuid() != 0:
        yield "network namespaces are root's to make"
