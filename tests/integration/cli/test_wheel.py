"""The wheel: what `pip install .` puts on a machine, and that it works away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.__main__ import CLOUD, LOCAL
from tests.harness import media

CALL = "from cli.__main__ import run; run()"


def installed(folder: Path, *settings: str) -> Path:
    """Where the wheel's content lies after it was built with these settings."""
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = [*pip, "wheel", str(media.REPOSITORY), "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", str(folder / "wheels"), *settings], check=True)
    (wheel,) = (folder / "wheels").glob("millrace-*.whl")
    site = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    return site


def millrace(site: Path, *arguments: str) -> str:
    """What the installed command prints, told of nothing but the wheel."""
    environment = {name: value for name, value in os.environ.items() if name != "MILLRACE_ENGINE"}
    environment["PYTHONPATH"] = str(site)
    done = subprocess.run(
        [sys.executable, "-c", CALL, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=site.parent,
        env=environment,
    )
    return done.stdout


def test_wheel_has_the_local_commands_alone_when_built(tmp_path: Path) -> None:
    site = installed(tmp_path, "-C", "wheel.cmake=false")
    text = millrace(site, "--help")
    assert all(f"  {name} " in text for name in LOCAL)
    assert not any(f"  {name} " in text for name in CLOUD)
    assert {path.name for path in (site / "cli").glob("*.py")} == {
        *("__init__.py", "__main__.py", "console.py")
    }
    assert (site / "share" / "man" / "man1" / "millrace.1").is_file()
    (entries,) = site.glob("millrace-*.dist-info/entry_points.txt")
    assert "millrace=cli.__main__:run" in entries.read_text().replace(" ", "")
    assert "bash_complete" in millrace(site, "completion", "bash")


@pytest.mark.exhaustive
@pytest.mark.needs_engine
def test_wheel_brings_its_engine_when_built_whole(tmp_path: Path) -> None:
    site = installed(tmp_path, "-C", f"build-dir={tmp_path / 'build'}")
    assert os.access(site / "cli" / "bin" / "millrace-engine", os.X_OK)
    told = json.loads(millrace(site, "probe", "--json", str(media.BUNNY)))
    assert told["streams"][0]["codec_name"] == "h264"
    assert json.loads(millrace(site, "doctor", "--json"))["ok"] is True
