"""`millrace ladder` on the real engine: a package that players can be pointed at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.media import engine
from cli.media.exits import Exit
from tests.harness import media
from tests.harness.conformance import check_hls, from_folder
from tests.harness.dash import check_dash

pytestmark = pytest.mark.needs_engine


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["ladder", *map(str, arguments)], prog_name="millrace")


def test_package_keeps_every_rule_when_made(tmp_path: Path) -> None:
    folder = tmp_path / "site" / "film"
    options = ["--hls", "--speed", "ultrafast", "--surround", "--json"]
    result = run(media.everything(), folder, *options)
    assert result.exit_code == Exit.DONE, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["type"] for event in events if event["type"] != "progress"] == ["plan", "result"]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    presentation = check_hls(from_folder(folder), scratch)
    check_dash(from_folder(folder), presentation)
    assert len(presentation.audio) == 3  # both down-mixed, and the surround sound as it is
    assert len(presentation.subtitles) == 3
    assert (folder / "poster.jpg").exists()
    assert (folder / "storyboard.vtt").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["film"]


@pytest.mark.parametrize(
    ("edit", "code"),
    [("s/BANDWIDTH=[0-9]*/BANDWIDTH=9/", Exit.BUG), ("/I-FRAME-STREAM/d", Exit.DONE)],
    ids=["RFC 8216", "Apple"],
)
def test_package_does_not_appear_when_it_breaks_a_rule(
    edit: str, code: Exit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine whose master playlist somebody edits; Apple's rules are warned of."""
    script = tmp_path / "engine"
    script.write_text(
        f'#!/bin/sh\n{engine.path()} "$@" || exit $?\n'
        f"for each in {tmp_path}/.film.*/master.m3u8; do\n"
        f'  if [ -f "$each" ]; then sed -i "{edit}" "$each"; fi\ndone\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("MILLRACE_ENGINE", str(script))
    film = media.clip("verify.mp4", 3, "320x180")
    result = run(film, tmp_path / "film", "--hls", "--speed", "ultrafast", "--no-pictures")
    assert result.exit_code == code, result.stderr
    assert (tmp_path / "film").exists() == (code == Exit.DONE)
    told = "master.m3u8: § 4.3.4.2: " if code else "master.m3u8: Apple's authoring specification: "
    assert told in result.stderr


def test_package_is_left_alone_when_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "film").mkdir()
    assert run(media.BUNNY, tmp_path / "film", "--hls").exit_code == Exit.USAGE
    result = run(media.BUNNY, tmp_path / "film", "--hls", "--skip-existing")
    assert result.exit_code == Exit.DONE
    assert not list((tmp_path / "film").iterdir())


def test_failure_names_the_place_when_a_ladder_of_ones_own_is_wrong(tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text('{"rungs": [{"name": "big", "short_side": 721, "maxrate_bps": 100000}]}')
    result = run(media.BUNNY, tmp_path / "film", "--hls", "--ladder", own)
    assert result.exit_code == Exit.USAGE
    assert "own.json: rungs[0].short_side: must be even" in result.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)]
)
def test_nothing_is_left_when_it_is_stopped_in_the_middle(
    number: signal.Signals, code: Exit, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "cli", "ladder", str(media.SINTEL), str(tmp_path / "film")]
    running = subprocess.Popen(
        [*command, "--hls", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    while "progress" not in (line := running.stdout.readline()):
        assert line, running.communicate()
    assert [path.name for path in tmp_path.iterdir()] == [f".film.{running.pid}.part"]
    running.send_signal(number)
    last, _ = running.communicate(timeout=20)
    assert running.returncode == code
    assert json.loads(last.splitlines()[-1])["type"] == "error"
    assert not list(tmp_path.iterdir())


def test_leftovers_of_a_killed_run_go_when_the_next_one_begins(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / f".film.{gone.pid}.part").mkdir()
    mine = tmp_path / f".film.{os.getppid()}.part"
    mine.mkdir()
    assert run(tmp_path / "missing.mp4", tmp_path / "film", "--hls").exit_code == Exit.IO
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]
