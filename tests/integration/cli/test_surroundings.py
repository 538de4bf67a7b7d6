"""What lies around the local commands: other people's modules, full disks, permissions, the rest
of the machine."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.media.exits import Exit
from cli.media.worker import Worker
from tests.harness import media

FOREIGN = 'raise SystemExit("this module lay beside a film")\n'
PLACES = f"{media.REPOSITORY / 'layers' / 'core' / 'python'}:{media.REPOSITORY}"


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of films, in which modules lie that are called as ours are."""
    for name in ("click", "json", "rich", "cli"):
        (tmp_path / f"{name}.py").write_text(FOREIGN)
    monkeypatch.setenv("PYTHONPATH", PLACES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_modules_beside_films_are_not_run_when_the_front_door_is_used(films: Path) -> None:
    script = (media.REPOSITORY / "millrace").read_text()
    last = script[script.index('export PATH="$here/.venv/bin') :]
    known = f"here={shlex.quote(str(media.REPOSITORY))} from={shlex.quote(str(films))}"
    # All before it installs what is missing; the environment may be another one here.
    last = last.replace("$here/.venv/bin/python", sys.executable)
    done = subprocess.run(
        ["bash", "-euc", f"{known} local_command=yes\n{last}", "millrace", "presets", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == Exit.DONE, done.stderr
    assert "high" in done.stdout


@pytest.mark.usefixtures("films")
def test_modules_beside_films_are_not_run_when_a_batch_converts_one() -> None:
    ended = Worker().run(["missing.mp4", "a.mkv"], lambda _event: None)
    assert ended is not None
    assert (ended.code, ended.last["reason"]) == (Exit.IO, "MISSING")


def unshared(script: str, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a command does where a script mounted something before."""
    mounting = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    return subprocess.run(
        [*mounting, "sh", "-c", f'{script} && exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.needs_engine
@pytest.mark.parametrize("codec", ["h264", "vp9"])
def test_folder_of_notes_is_named_when_its_disk_is_full(codec: str, tmp_path: Path) -> None:
    film = media.clip("full-film.mp4", 8, "320x180")
    notes = tmp_path / "notes"
    notes.mkdir()
    words = [str(film), str(tmp_path / "a.mp4"), "--bitrate", "50k", "--two-pass", "--json"]
    done = unshared(
        f"mount -t tmpfs -o size=16k none {notes}",
        *(sys.executable, "-m", "cli", "transcode", *words, "--codec", codec, "--speed"),
        "ultrafast",
        TMPDIR=str(notes),
        PYTHONPATH=PLACES,
    )
    error = json.loads(done.stdout.splitlines()[-1])
    assert (error["reason"], done.returncode) == ("NO_SPACE", Exit.IO)
    assert error["file"] == str(notes)
    assert error["advice"] == "set TMPDIR to another disk"
    assert not (tmp_path / "a.mp4").exists()


def powerless(*command: str) -> subprocess.CompletedProcess[str]:
    """For root, permissions count as for anybody."""
    mine = ["-dac_override", "-dac_read_search"]
    dropping = ["setpriv", "--bounding-set", ",".join(mine), "--inh-caps", ",".join(mine)]
    return subprocess.run(
        [*(dropping if os.geteuid() == 0 else []), sys.executable, "-m", "cli", *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": PLACES},
    )


@pytest.mark.needs_engine
def test_advice_is_about_the_input_when_it_may_not_be_read(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(media.BUNNY.read_bytes())
    film.chmod(0)
    done = powerless("transcode", str(film), str(tmp_path / "a.mkv"))
    assert done.returncode == Exit.IO
    assert "film.mp4: It may not be read." in done.stderr
    assert "Try: `chmod +r FILE`, or ask who owns it." in done.stderr
    film.chmod(0o400)
    again = powerless("transcode", str(film), str(tmp_path / "a.mkv"))
    assert again.returncode == Exit.DONE, again.stderr


@pytest.mark.needs_engine
def test_advice_is_about_the_folder_when_it_may_not_be_written_to(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    done = powerless("transcode", str(media.BUNNY), str(locked / "a.mkv"))
    assert done.returncode == Exit.IO
    assert f"{locked}: Files cannot be made in this folder." in done.stderr
    assert "Try: choose another folder, or change the permissions." in done.stderr


@pytest.mark.needs_engine
def test_engine_steps_back_and_uses_fewer_processors_when_told_to(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli", "transcode", str(media.SINTEL)]
    options = [str(tmp_path / "a.mp4"), "--crf", "20", "--nice", "7", "--threads", "1", "--json"]
    running = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PLACES},
    )
    assert running.stdout is not None
    while '"progress"' not in (line := running.stdout.readline()):
        assert line, "it ended by itself"
    (engine,) = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    words = Path(f"/proc/{engine}/cmdline").read_text().split("\0")
    nice = {
        os.getpriority(os.PRIO_PROCESS, int(task.name))
        for task in Path(f"/proc/{engine}/task").iterdir()
    }
    mine = os.getpriority(os.PRIO_PROCESS, running.pid)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)
    assert words[words.index("--threads") + 1] == "1"
    assert nice == {min(19, mine + 7)}


@pytest.mark.parametrize(("option", "value"), [("--threads", "0"), ("--nice", "20")])
def test_effort_is_refused_when_no_machine_has_it(option: str, value: str) -> None:
    words = ["transcode", str(media.BUNNY), "a.mp4", option, value]
    assert CliRunner().invoke(main, words).exit_code == Exit.USAGE
