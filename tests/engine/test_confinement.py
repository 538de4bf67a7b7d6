"""The running engine behind its walls: what the kernel says of it, and of who fetches for it.

What the walls hold back is in engine/tests/unit/test_sandbox.cpp.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bench.plans import fixed_plan, written
from bench.remote import FileServer
from tests.harness import media
from tests.harness.ladder import ENGINE
from tests.harness.pipeline import eventually

pytestmark = pytest.mark.needs_engine
SIGNED = "?X-Amz-Signature=5ec7e7"


@contextmanager
def _at_work(source: str, plan_of: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A transcode of a minute's work, which has begun to write."""
    plan = written(fixed_plan(plan_of, preset="veryslow"), folder / "plan.json")
    files = ["--plan", str(plan), "--output", str(folder / "out")]
    process = subprocess.Popen(
        [ENGINE, "transcode", source, *files, "--sandbox", "require"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually("the first output", lambda: any((folder / "out").rglob("*.mp4")), 60)
        yield process
    finally:
        process.kill()
        process.communicate()


def _status(pid: int, task: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/task/{task}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _fetcher_of(process: subprocess.Popen[str]) -> psutil.Process:
    (fetcher,) = psutil.Process(process.pid).children()
    return fetcher


def test_every_thread_is_confined_when_a_file_is_transcoded(tmp_path: Path) -> None:
    source = media.long_large_clip()
    with _at_work(str(source), source, tmp_path) as process:
        threads = psutil.Process(process.pid).threads()
        assert len(threads) > 3
        for thread in threads:
            status = _status(process.pid, thread.id)
            assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
        assert psutil.Process(process.pid).children() == []


def test_only_the_fetcher_has_a_connection_when_a_url_is_transcoded(tmp_path: Path) -> None:
    source = media.long_large_clip()
    with (
        FileServer(source).running() as server,
        _at_work(server.url + SIGNED, source, tmp_path) as process,
    ):
        fetcher = _fetcher_of(process)
        assert _status(fetcher.pid, fetcher.pid)["Seccomp"] == "2"
        assert fetcher.name() == "millrace-fetch"
        assert SIGNED not in " ".join(fetcher.cmdline())
        assert len(fetcher.net_connections("tcp")) >= 1
        assert psutil.Process(process.pid).net_connections("inet") == []
        process.kill()
        process.wait()
        fetcher.wait(timeout=20)


def test_source_is_unreadable_but_not_at_fault_when_its_fetcher_is_killed(tmp_path: Path) -> None:
    source = media.long_large_clip()
    with (
        FileServer(source).running() as server,
        _at_work(server.url, source, tmp_path) as process,
    ):
        _fetcher_of(process).kill()
        output, _ = process.communicate(timeout=120)
        error = json.loads(output.splitlines()[-1])
        assert (error["type"], error["code"]) == ("error", "SOURCE_UNREADABLE")
        assert process.returncode == 5


def test_nothing_of_the_fetcher_is_left_when_the_engine_has_ended() -> None:
    source = media.short_film()
    with FileServer(source).running() as server:
        before = {child.pid for child in psutil.Process().children(recursive=True)}
        done = subprocess.run(
            [ENGINE, "probe", server.url, "--sandbox", "require"], capture_output=True, check=True
        )
        after = {child.pid for child in psutil.Process().children(recursive=True)}
    assert json.loads(done.stdout)["type"] == "result"
    assert after <= before
