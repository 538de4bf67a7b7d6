"""The engine's own C++ tests, as part of the one suite."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.harness.media import MEDIA

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@pytest.mark.needs_engine
def test_engine_passes_its_own_tests() -> None:
    done = subprocess.run(
        ["ctest", "--output-on-failure", "--no-tests=error"],
        cwd=REPOSITORY / "build" / "engine" / "release",
        env={**os.environ, "MILLRACE_MEDIA": str(MEDIA)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
