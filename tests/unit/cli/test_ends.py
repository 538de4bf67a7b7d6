"""How local commands end where nothing was wrong with a file: their reader left, an option was not
meant for this, the engine did not take what it was asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.media import engine
from cli.media.exits import Exit
from cli.media.failures import Failure
from tests.harness import media


@pytest.mark.parametrize("command", [["presets"], ["presets", "--json"], ["presets", "--help"]])
def test_exit_code_is_the_shells_when_nobody_reads_on(command: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", "from cli.__main__ import run; run()", *command],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (Exit.NOT_READ, "")


@pytest.mark.parametrize(
    "option",
    [["--per-title"], ["--mpegts"], ["--surround"], ["--segment", "4"], ["--no-pictures"]],
    ids=lambda words: words[0],
)
def test_options_of_packages_are_refused_when_none_is_made(
    option: list[str], tmp_path: Path
) -> None:
    words = ["ladder", str(media.BUNNY), str(tmp_path / "out"), *option]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == Exit.USAGE
    assert f"{option[0]} is about packages" in result.stderr
    assert f"Try: add --hls, or leave out {option[0]}." in result.stderr
    assert not list(tmp_path.iterdir())


def test_engines_words_are_told_when_it_does_not_take_what_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = "millrace-engine: not confined: no Landlock here\nmillrace-engine: job: no such thing\n"
    program = tmp_path / "engine"
    program.write_text(f"#!/bin/sh\nprintf '{log}millrace-engine probe INPUT\\n' >&2\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setenv("MILLRACE_ENGINE", str(program))
    with pytest.raises(Failure) as caught:
        engine.run(["convert"], file="film.mp4")
    assert caught.value.exit is Exit.USAGE
    assert caught.value.sentence == "film.mp4: no such thing."
