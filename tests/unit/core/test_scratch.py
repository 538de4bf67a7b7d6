from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from millrace import scratch
from millrace.model import TaskKind, TaskStatus
from tests.unit.core.harness import Cloud


@pytest.fixture(autouse=True)
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "temp"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def test_folders_are_swept_when_their_processes_are_gone(temp: Path) -> None:
    names = {
        "dead": f"millrace-work-{dead_pid()}-x",
        "predecessor": f"millrace-work-{os.getpid()}-x",
        "alive": f"millrace-work-{os.getppid()}-x",
        "strange": "millrace-work-x",
        "foreign": "somebody-elses",
    }
    for name in names.values():
        (temp / name / "made").mkdir(parents=True)
    scratch.sweep()
    left = {path.name for path in temp.iterdir()}
    assert left == {names["alive"], names["strange"], names["foreign"]}


def test_disk_is_clean_when_a_video_is_finished_or_an_attempt_failed(
    cloud: Cloud, temp: Path
) -> None:
    cloud.engine.fails("transcode-chunk-1", do="kill", moment="middle")
    cloud.upload()
    cloud.heal()
    assert cloud.video().status == "COMPLETED"
    assert list(temp.iterdir()) == []


def test_engine_waits_when_its_files_are_not_stored_as_fast_as_it_makes_them(
    cloud: Cloud, temp: Path
) -> None:
    seen: list[int] = []

    def count(operation: str) -> None:
        if operation == "PutObject":
            seen.append(len(list(temp.rglob("*.m4s"))))

    cloud.engine.source(duration_s=2400.0)  # 600 segments in the audio task
    cloud.upload()
    cloud.deliver("ingest")
    cloud.deliver("probe")
    cloud.deliver("transcode")
    cloud.wire.on_call = count
    cloud.deliver("transcode")
    assert cloud.task(TaskKind.AUDIO).status == TaskStatus.DONE
    assert len(seen) == 601
    assert max(seen) < 150  # as many as the lines of the pipe and its reader name
