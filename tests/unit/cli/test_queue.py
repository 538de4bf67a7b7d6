"""A batch's queue: once each, in order, over crashes, changes and rivals."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.media import gather
from cli.media.failures import Failure
from cli.media.queue import Job, Queue, State
from cli.media.worker import Ended


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path)
    yield made
    made.close()


def film(folder: Path, name: str, content: str = "film") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def add(queue: Queue, path: Path, options: str = "", *, again: bool = False) -> None:
    queue.add(
        path, path.with_suffix(".mp4").with_name(f"out-{path.stem}.mp4"), options, again=again
    )


def claimed(queue: Queue) -> Job:
    job = queue.claim()
    assert job is not None
    return job


def states(queue: Queue) -> list[str]:
    return [job.state.value for job in queue.jobs()]


def test_each_file_is_claimed_once_when_many_ask(queue: Queue, tmp_path: Path) -> None:
    for number in range(40):
        add(queue, film(tmp_path, f"{number:02d}.mov"))
    taken: list[str] = []

    def take() -> None:
        while (job := queue.claim()) is not None:
            taken.append(job.source)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 40


def test_two_batches_share_the_work_when_on_one_folder(queue: Queue, tmp_path: Path) -> None:
    for number in range(4):
        add(queue, film(tmp_path, f"{number}.mov"))
    rival = Queue(tmp_path)
    sources = [claimed(each).source for each in (queue, rival, queue, rival)]
    assert len(set(sources)) == 4
    assert rival.claim() is None
    assert queue.open() == 4
    rival.close()


def test_work_waits_again_when_its_batch_was_killed(queue: Queue, tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    add(queue, film(tmp_path, "a.mov"))
    claimed(queue)
    queue._do("UPDATE jobs SET owner = ?", gone.pid)
    next_one = Queue(tmp_path)
    again = claimed(next_one)
    assert (again.attempts, again.state) == (2, State.RUNNING)
    next_one.close()


def test_work_of_a_living_batch_stays_its_own_when_another_starts(
    queue: Queue, tmp_path: Path
) -> None:
    add(queue, film(tmp_path, "a.mov"))
    claimed(queue)
    queue._do("UPDATE jobs SET owner = ?", os.getppid())
    rival = Queue(tmp_path)
    assert rival.claim() is None
    rival.close()


def test_nothing_is_done_again_when_nothing_changed(queue: Queue, tmp_path: Path) -> None:
    path = film(tmp_path, "a.mov")
    add(queue, path)
    queue.end(claimed(queue), State.DONE)
    add(queue, path)
    assert states(queue) == ["done"]
    add(queue, path, "--quality high")
    assert states(queue) == ["pending"]
    queue.end(claimed(queue), State.DONE)
    film(tmp_path, "a.mov", "another film")
    add(queue, path, "--quality high")
    assert states(queue) == ["pending"]


def test_failed_file_is_tried_again_when_asked_for_only(queue: Queue, tmp_path: Path) -> None:
    path = film(tmp_path, "a.mov")
    add(queue, path)
    why = Failure("CORRUPT", "It is damaged.", file=path, stream=1, time_s=2.5)
    queue.end(claimed(queue), State.FAILED, why, warnings=["one", "two"])
    add(queue, path)
    (job,) = queue.jobs()
    assert job.failure is not None
    assert job.failure.to_json() == why.to_json()
    assert job.warnings == "one\ntwo"
    add(queue, path, again=True)
    (job,) = queue.jobs()
    assert (job.state, job.attempts, job.failure) == (State.PENDING, 0, None)
    assert (job.reason, job.advice, job.warnings) == (None, None, None)


def test_end_changes_nothing_when_somebody_else_has_it(queue: Queue, tmp_path: Path) -> None:
    add(queue, film(tmp_path, "a.mov"))
    job = claimed(queue)
    queue._do("UPDATE jobs SET owner = 1")
    assert queue.end(job, State.DONE).state is State.RUNNING
    queue.put_back(job)
    assert states(queue) == ["running"]


def test_waiting_file_is_not_due_when_it_was_put_back_for_later(
    queue: Queue, tmp_path: Path
) -> None:
    add(queue, film(tmp_path, "a.mov"))
    queue.put_back(claimed(queue), 60)
    assert queue.claim() is None
    assert queue.open() == 1


def test_files_of_one_name_get_places_of_their_own_when_queued(
    queue: Queue, tmp_path: Path
) -> None:
    for name in ("a.mov", "a.avi"):
        queue.add(film(tmp_path, name), tmp_path / "out" / "a.mp4", "")
    assert [Path(job.target).name for job in queue.jobs()] == ["a.mp4", "a.avi.mp4"]


def test_folder_gives_films_below_it_when_gathered(tmp_path: Path) -> None:
    for name in ("b.MOV", "deep/er/a.mkv", "notes.txt", ".hidden.mp4", ".git/x.mp4", "out/a.mp4"):
        film(tmp_path / "in", name)
    found = list(gather.sources([str(tmp_path / "in")], tmp_path / "in" / "out"))
    assert [str(below) for _, below in found] == ["b.MOV", "deep/er/a.mkv"]
    by_pattern = gather.sources([str(tmp_path / "in" / "**" / "*.mkv")], tmp_path)
    assert [str(below) for _, below in by_pattern] == ["a.mkv"]
    named = gather.sources([str(tmp_path / "in" / "notes.txt")], tmp_path)
    assert [str(below) for _, below in named] == ["notes.txt"]
    with pytest.raises(Failure, match="no such file or folder"):
        list(gather.sources(["nothing/*.mov"], tmp_path))


def test_pattern_may_wait_for_files_when_asked_for_patience(tmp_path: Path) -> None:
    pattern = str(tmp_path / "*.mov")
    assert list(gather.sources([pattern], tmp_path / "out", patient=True)) == []
    with pytest.raises(Failure, match="no such file or folder"):
        list(gather.sources([str(tmp_path / "inbox")], tmp_path / "out", patient=True))


@pytest.mark.parametrize(
    ("ended", "reason", "message"),
    [
        (Ended(-9, {}), "ENGINE_CRASHED", "It was ended by SIGKILL."),
        (Ended(2, {}, "Usage: …\nError: no such option\n"), "INTERNAL", "no such option"),
        (Ended(70, {}), "INTERNAL", "It ended with 70"),
    ],
)
def test_failure_says_how_it_ended_when_no_event_does(
    ended: Ended, reason: str, message: str
) -> None:
    assert ended.failure is not None
    assert ended.failure.reason == reason
    assert message in ended.failure.message
    assert Ended(0, {}).failure is None


@pytest.mark.parametrize(
    ("code", "may_pass"), [(5, True), (70, True), (-9, True), (3, False), (4, False), (2, False)]
)
def test_only_what_may_pass_is_tried_again_when_it_failed(code: int, may_pass: bool) -> None:
    assert Ended(code, {}).may_pass is may_pass


def test_options_are_refused_at_once_when_transcode_does_not_know_them(tmp_path: Path) -> None:
    arguments = ["batch", str(tmp_path), "-o", str(tmp_path / "out"), "--options", "--sharpen 3"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "--options: No such option" in result.stderr
    assert not (tmp_path / "out").exists()
