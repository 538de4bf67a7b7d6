"""`./millrace bench` hands over to its programs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cli.state import REPOSITORY


@pytest.mark.parametrize(("name", "option"), [("load", "--videos"), ("chaos", "--seed")])
def test_program_is_asked_when_its_help_is_wanted(name: str, option: str) -> None:
    command = [sys.executable, "-m", "cli", "bench", name, "--help"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert option in done.stdout
    assert f"./millrace bench {name}" in done.stdout
