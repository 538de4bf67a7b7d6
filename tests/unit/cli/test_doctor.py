"""`millrace doctor`: what is there is told, what is missing with its remedy."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.media import doctor, engine, libraries, vmaf
from cli.media.exits import Exit

pytestmark = pytest.mark.needs_engine


@pytest.fixture(autouse=True)
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two encoders are enough to see how each is told."""
    monkeypatch.setattr(doctor, "_ENCODERS", {"h264": "mp4", "hevc": "mp4"})


def checks(*options: str, code: Exit = Exit.DONE) -> dict[str, dict[str, Any]]:
    result = CliRunner().invoke(main, ["doctor", "--json", *options])
    assert result.exit_code == code, result.output
    document = json.loads(result.stdout)
    assert document["ok"] == (code == Exit.DONE)
    return {check["name"]: check for check in document["checks"]}


def test_libraries_are_those_of_the_engine_when_told() -> None:
    found = checks()
    linked = subprocess.run(["ldd", engine.path()], capture_output=True, text=True, check=True)
    about = found["libraries"]["about"]
    for name, major in re.findall(r"lib(avcodec|avformat|swscale)\.so\.(\d+) =>", linked.stdout):
        assert re.search(rf"\b{name} {major}\.\d+\.\d+", about), about
    assert re.search(r"\bx264 \d+", about)
    theirs = subprocess.run(["ffmpeg", "-codecs"], capture_output=True, text=True, check=True)
    decoded = set(re.findall(r"^ D\S{5} (\S+)", theirs.stdout, re.MULTILINE))
    told = set(found["decoders"]["about"].partition(";")[0].split(", "))
    assert told == decoded & set(libraries.DECODERS)
    assert {"h264", "hevc", "aac"} <= told


def test_encoder_is_told_with_its_remedy_when_the_engine_lacks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that knows everything but HEVC."""
    script = tmp_path / "engine"
    error = '{"type":"error","reason":"UNSUPPORTED_CODEC","message":"No encoder for hevc is here."}'
    script.write_text(
        "#!/bin/sh\n"
        f'grep -qs \'"codec": *"hevc"\' "$4" && {{ echo \'{error}\'; exit 4; }}\n'
        f'exec {engine.path()} "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("MILLRACE_ENGINE", str(script))
    found = checks(code=Exit.FOUND)
    assert found["h264, pictures"]["works"]
    lacking = found["hevc, pictures"]
    assert (lacking["works"], lacking["about"]) == (False, "No encoder for hevc is here.")
    assert lacking["remedy"].startswith("apt-get install ")
    assert "libx265-dev" in lacking["remedy"]
    told = CliRunner().invoke(main, ["doctor", "-q"]).stderr
    assert told.startswith("✗ hevc, pictures")
    assert "Try: apt-get install " in told
    assert "h264" not in told.splitlines()[0]


def test_engine_is_told_with_its_remedy_when_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_ENGINE", str(tmp_path / "nothing"))
    found = checks(code=Exit.FOUND)
    assert "pip install ." in found["engine"]["remedy"]
    assert "h264, pictures" not in found


def test_vmaf_is_no_must_when_nothing_here_measures_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vmaf, "program", lambda: None)
    lacking = checks()["libvmaf"]
    assert not lacking["works"]
    assert "MILLRACE_FFMPEG" in lacking["remedy"]


def test_decoders_are_told_when_some_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "DECODERS", ("h264", "no_such_codec"))
    found = checks()["decoders"]
    assert (found["works"], found["about"]) == (False, "h264; not no_such_codec")
