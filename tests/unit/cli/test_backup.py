"""Backups as files: what is in them, what is refused, and that nothing stays stopped."""

from __future__ import annotations

import io
import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result

from cli import backup
from cli.__main__ import main
from local.server_lock import StateLock
from tests.harness.pipeline import REPOSITORY, eventually

KEPT = {
    "token": "mr_secret",
    "deployed.json": "{}",
    "cloud/dynamodb.sqlite": "table",
    "cloud/dynamodb.sqlite-wal": "newest of it",
    "cloud/s3/bodies/0a/0a12": "a segment",
    "cloud/services/sqs.pickle": "queues",
}
MADE_ANEW = ("up.json", "logs/functions/api.log", "cloud/tmp/x", "cloud/dynamodb.sqlite-shm")


def millrace(state: Path, *arguments: str | Path) -> Result:
    words = ["--state-dir", str(state), *map(str, arguments)]
    return CliRunner().invoke(main, words, catch_exceptions=False)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    root = tmp_path / "state"
    for name, text in {**KEPT, **dict.fromkeys(MADE_ANEW, "x")}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "token").chmod(0o600)
    return root


@pytest.fixture
def file(state: Path, tmp_path: Path) -> Path:
    assert millrace(state, "backup", tmp_path / "backup.tar").exit_code == 0
    return tmp_path / "backup.tar"


def contents(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


def test_state_is_the_same_when_restored_elsewhere(file: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert millrace(tmp_path / "other", "restore", file).exit_code == 0
    assert contents(tmp_path / "other") == KEPT
    assert stat.S_IMODE((tmp_path / "other" / "token").stat().st_mode) == 0o600


def test_nothing_is_left_in_the_state_when_it_was_backed_up(file: Path, state: Path) -> None:
    assert set(contents(state)) - {*KEPT, *MADE_ANEW} == {"cloud/cloud.lock"}


def test_state_is_left_alone_when_there_is_one(file: Path, state: Path) -> None:
    before = contents(state)
    assert millrace(state, "restore", file).exit_code == 1
    assert contents(state) == before


def test_backup_is_refused_when_its_file_is_there_or_would_be_in_the_next(
    file: Path, state: Path
) -> None:
    assert millrace(state, "backup", file).exit_code == 1
    assert millrace(state, "backup", state / "backup.tar").exit_code == 1
    assert not (state / "backup.tar").exists()


def test_backup_is_refused_when_a_cloud_has_the_state_and_is_not_ready(
    state: Path, tmp_path: Path
) -> None:
    lock = StateLock.acquire(state / "cloud")
    assert millrace(state, "backup", tmp_path / "late.tar").exit_code == 1
    lock.close()
    assert not (tmp_path / "late.tar").exists()


def tar_of(path: Path, members: dict[str, str]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def manifest(**changes: object) -> dict[str, str]:
    return {backup.MANIFEST: json.dumps({"format": 1, "at": "now", "files": 1, **changes})}


@pytest.mark.parametrize(
    "members",
    [
        {"holiday.txt": "sun"},
        {**manifest(format=2), "cloud/x": ""},
        {**manifest(files=2), "cloud/x": ""},
        {**manifest(), "../outside": ""},
    ],
    ids=["no backup", "another format", "not whole", "a path that leads out"],
)
def test_nothing_is_restored_when_the_file_is_not_in_order(
    tmp_path: Path, members: dict[str, str]
) -> None:
    file = tar_of(tmp_path / "bad.tar", members)
    assert millrace(tmp_path / "state", "restore", file).exit_code == 1
    assert contents(tmp_path / "state") == {}
    assert not (tmp_path / "outside").exists()


def test_nothing_is_restored_when_the_file_was_cut_short(file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tar"
    cut.write_bytes(file.read_bytes()[:5000])
    assert millrace(tmp_path / "other", "restore", cut).exit_code == 1
    assert contents(tmp_path / "other") == {}


@pytest.fixture
def sleeper() -> Iterator[psutil.Process]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield psutil.Process(process.pid)
        process.kill()


def test_process_stands_still_and_goes_on_when_it_was_stopped(sleeper: psutil.Process) -> None:
    with backup.stopped(sleeper.pid):
        assert sleeper.status() == psutil.STATUS_STOPPED
    assert sleeper.status() != psutil.STATUS_STOPPED


def test_process_goes_on_when_who_stopped_it_is_killed(sleeper: psutil.Process) -> None:
    code = (
        "import sys\nfrom cli.backup import stopped\n"
        f"with stopped({sleeper.pid}):\n    print(flush=True)\n    sys.stdin.read()"
    )
    path = f"{REPOSITORY}/layers/core/python:{REPOSITORY}"
    holder = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline()
    assert sleeper.status() == psutil.STATUS_STOPPED
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    eventually("it goes on", lambda: sleeper.status() != psutil.STATUS_STOPPED, 5)
