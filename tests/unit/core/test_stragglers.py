"""A second attempt beside a slow one: when it is begun, and that two at one task do no harm."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from millrace import attempts, keys, seats, steering, stragglers, tasks, videos
from millrace.engine import Stop
from millrace.errors import MillraceError, PermanentError, Reason, RetryableError, TransitionRefused
from millrace.events import TaskMessage
from millrace.heart import Heart
from millrace.model import Task, TaskKind, TaskStatus, VideoStatus
from millrace.queues import Queues
from millrace.replay import observed, replay
from millrace.tasks import Lease, Load
from tests.unit.core.harness import SITE, VIDEO_ID, Cloud

SLOW = TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 2)
CRASH = RetryableError(Reason.ENGINE_CRASHED, "It crashed.")
LATE_S = stragglers.LEAST_DELAY_S + 1
"""The pretended siblings take no time at all."""


def plan(cloud: Cloud, chunks: int = 5) -> None:
    cloud.engine.source(duration_s=8.0 * chunks - 4.0)
    cloud.upload()
    cloud.deliver("ingest")
    cloud.deliver("probe")


@pytest.fixture
def alone(cloud: Cloud) -> tuple[Cloud, Lease]:
    """Everything is done but for one chunk, whose worker has it."""
    plan(cloud)
    lease, _, _ = tasks.start(SLOW, "first")
    cloud.drain()
    return cloud, lease


@pytest.fixture
def both(alone: tuple[Cloud, Lease]) -> tuple[Cloud, Lease, Lease]:
    """The same, with a second worker beside the first."""
    cloud, first = alone
    return cloud, first, begin(cloud)


def begin(cloud: Cloud, message: TaskMessage = SLOW) -> Lease:
    cloud.forget_messages("transcode")
    cloud.pass_time(LATE_S)
    claim = double(cloud, message)
    assert claim is not None
    return claim


def double(cloud: Cloud, message: TaskMessage = SLOW) -> Lease | None:
    queues = Queues(cloud.sqs, cloud.settings("transcode"))
    task = tasks.get(message)
    assert task is not None
    claim = stragglers.back_up(queues, task, "second")
    return claim[0] if claim else None


def slow(cloud: Cloud) -> Task:
    return cloud.task(TaskKind.TRANSCODE, SLOW.index)


def output(cloud: Cloud) -> dict[str, object]:
    """What the first chunk's worker made, as if it were the slow one's."""
    made = cloud.task(TaskKind.TRANSCODE, 0).output
    tracks = {name: {**track, "first": 4} for name, track in made["tracks"].items()}
    return {**made, "tracks": tracks}


def check_completed(cloud: Cloud) -> None:
    cloud.heal()
    assert cloud.video().status == VideoStatus.COMPLETED
    assert cloud.events().count("video.completed") == 1
    assert cloud.events().count("task.done") == 1 + cloud.video().tasks_total
    assert cloud.video().units_done == cloud.video().units_total
    assert replay(cloud.log()) == observed(cloud.items())
    assert cloud.due() == []


def test_video_completes_when_a_workers_engine_is_frozen_but_its_heart_beats(
    alone: tuple[Cloud, Lease],
) -> None:
    cloud, first = alone
    assert cloud.video().status == VideoStatus.PROCESSING
    tasks.beat(first, 0, 1, Load())
    cloud.pass_time(LATE_S)
    cloud.drain()
    check_completed(cloud)
    task = slow(cloud)
    assert (task.status, task.attempt, task.worker == "first") == (TaskStatus.DONE, 2, False)
    doubled = next(line for line in cloud.log() if line.event == "task.doubled")
    assert (doubled.task_id, doubled.attempt) == (SLOW.task_id, 2)
    assert doubled.detail["elapsed_s"] >= LATE_S - 1 > doubled.detail["expected_s"]


def test_nobody_hurries_when_the_chunk_is_done_before_it_is_slow(
    alone: tuple[Cloud, Lease],
) -> None:
    cloud, first = alone
    cloud.pass_time(LATE_S - 2)
    tasks.finish(first, output(cloud))
    cloud.pass_time(2)
    cloud.heal()
    check_completed(cloud)
    assert "task.doubled" not in cloud.events()
    assert cloud.waiting("transcode") == 0


def test_slow_means_twice_the_siblings_time_when_they_take_long(cloud: Cloud) -> None:
    plan(cloud, chunks=4)
    queues = Queues(cloud.sqs, cloud.settings("publish"))
    leases = [tasks.start(TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, n), "w")[0] for n in range(4)]
    for lease, seconds in zip(leases[:3], (15, 15, 90), strict=False):  # done after 15, 30, 120 s
        cloud.pass_time(seconds)
        tasks.finish(lease, {})
        stragglers.watch(queues, videos.tasks_of(VIDEO_ID))
    task = cloud.task(TaskKind.TRANSCODE, 3)
    assert float(task.expected_s) == pytest.approx(30, abs=0.1)
    assert task.slow_at is not None
    assert stragglers.is_slow(task)


@pytest.mark.parametrize(("percent", "doubled"), [(0, True), (60, True), (80, False), (99, False)])
def test_chunk_is_left_alone_when_it_will_be_done_sooner_than_a_new_attempt(
    cloud: Cloud, percent: int, *, doubled: bool
) -> None:
    plan(cloud, chunks=4)
    lease, task, _ = tasks.start(SLOW, "first")
    for index in (0, 1, 3):
        other, _, _ = tasks.start(TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, index), "w")
        cloud.pass_time(10)
        tasks.finish(other, {})
        tasks.beat(lease, 0, 0, Load())
    tasks.beat(lease, 0, int(task.units) * percent // 100, Load())
    stragglers.watch(
        Queues(cloud.sqs, cloud.settings("publish")), videos.tasks_of(VIDEO_ID)
    )  # 30 s have gone by, 10 were to be expected
    cloud.forget_messages("transcode")
    assert (double(cloud) is not None) == doubled


def test_nobody_is_compared_when_too_few_siblings_are_done(cloud: Cloud) -> None:
    plan(cloud)
    for index in (1, 2):
        tasks.start(TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, index), "worker")
    cloud.drain()
    assert cloud.video().tasks_done == 5  # three chunks of five, sound and stills
    cloud.pass_time(50)
    cloud.heal(rounds=0)
    assert slow(cloud).slow_at is None


def test_backup_waits_when_messages_wait_for_a_worker(alone: tuple[Cloud, Lease]) -> None:
    cloud, first = alone
    cloud.pass_time(LATE_S)
    cloud.send("transcode", TaskMessage("b" * 26, TaskKind.TRANSCODE, 0).body())
    assert double(cloud) is None
    cloud.drain()
    tasks.beat(first, 0, 0, Load())
    cloud.pass_time(61 - LATE_S)
    cloud.monitor()
    cloud.drain()
    check_completed(cloud)
    assert slow(cloud).attempt == 2


def test_monitor_reminds_when_the_message_about_a_slow_chunk_was_lost(
    alone: tuple[Cloud, Lease],
) -> None:
    cloud, first = alone
    cloud.lose_messages()
    tasks.beat(first, 0, 0, Load())
    cloud.monitor()
    cloud.drain()
    check_completed(cloud)
    assert slow(cloud).attempt == 2


def test_one_chunk_in_ten_has_a_backup_when_more_are_slow(cloud: Cloud) -> None:
    plan(cloud, chunks=8)
    others = [TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, index) for index in (2, 5)]
    for message in others:
        tasks.start(message, "first")
    cloud.drain()
    cloud.pass_time(LATE_S)
    cloud.drain()
    assert cloud.events().count("task.doubled") == 1
    assert cloud.video().backups == 1
    cloud.heal()
    check_completed(cloud)


def test_attempt_has_one_backup_when_the_first_backup_came_to_nothing(
    both: tuple[Cloud, Lease, Lease],
) -> None:
    cloud, first, second = both
    attempts.give_back(second, CRASH)
    task = slow(cloud)
    assert (task.status, task.attempt) == (TaskStatus.RUNNING, 1)
    assert task.backup_worker is None
    assert (task.attempts[0]["attempt"], task.attempts[0]["counted"]) == (2, False)
    assert attempts.failures(task) == 0
    assert double(cloud) is None
    tasks.finish(first, output(cloud))
    check_completed(cloud)


def test_numbers_are_never_given_twice_when_attempts_end_out_of_order(
    both: tuple[Cloud, Lease, Lease],
) -> None:
    cloud, first, second = both
    attempts.give_back(second, CRASH)
    attempts.give_back(first, CRASH)
    assert slow(cloud).status == TaskStatus.PENDING
    third, _, _ = tasks.start(SLOW, "third")
    assert third.attempt == 3
    for late in (first, second):
        with pytest.raises(TransitionRefused):
            tasks.finish(late, {})


def test_backup_goes_on_alone_when_the_first_attempt_fails(
    both: tuple[Cloud, Lease, Lease],
) -> None:
    cloud, first, second = both
    task = attempts.give_back(first, CRASH)
    assert (task.status, task.attempt, task.worker) == (TaskStatus.RUNNING, 2, "second")
    assert attempts.failures(task) == 1
    with pytest.raises(TransitionRefused):
        tasks.finish(first, {})
    tasks.finish(second, output(cloud))
    check_completed(cloud)


@pytest.mark.parametrize("winner", [0, 1])
def test_first_result_counts_when_both_have_one(
    both: tuple[Cloud, Lease, Lease], winner: int
) -> None:
    cloud, *leases = both
    won, lost = leases[winner], leases[1 - winner]
    tasks.finish(won, output(cloud))
    for late in (
        lambda: tasks.finish(lost, {"tracks": {}}),
        lambda: attempts.give_back(lost, CRASH),
        lambda: attempts.fail(lost, PermanentError(Reason.CORRUPT, "Too late.")),
        lambda: tasks.beat(lost, 0, 1, Load()),
    ):
        with pytest.raises(TransitionRefused):
            late()
    task = slow(cloud)
    assert (task.attempt, task.worker) == (won.attempt, won.worker)
    assert (task.backup_attempt, task.backup_worker) == (lost.attempt, lost.worker)
    tasks.sign_off(lost)
    assert slow(cloud).backup_worker is None
    check_completed(cloud)


@pytest.mark.parametrize("winner", [0, 1])
def test_losers_engine_is_stopped_when_the_other_is_done(
    both: tuple[Cloud, Lease, Lease], winner: int
) -> None:
    cloud, *leases = both
    stop = Stop()
    with Heart(leases[1 - winner], 100, stop, lambda seconds: None, every_s=0.01) as heart:
        tasks.finish(leases[winner], output(cloud))
        heart._thread.join(60)
    assert stop.cause == "the task is not ours any more"


def test_progress_never_goes_back_when_the_backup_begins_anew(
    alone: tuple[Cloud, Lease],
) -> None:
    cloud, first = alone
    told = tasks.beat(first, 0, 1000, Load())
    before = cloud.video().units_done
    second = begin(cloud)
    assert tasks.beat(second, 1000, 1000, Load(), seats.Seat.BACKUP) == 1000
    assert cloud.video().units_done == before
    assert tasks.beat(second, 1000, 1500, Load(), seats.Seat.BACKUP) == 1500
    with pytest.raises(TransitionRefused):
        tasks.beat(first, told, 1200, Load())  # it has to learn of the other's progress first
    attempts.give_back(second, CRASH)
    assert cloud.video().units_done == before + 500
    attempts.give_back(first, CRASH)
    assert cloud.video().units_done == before - 1000


def test_backup_moves_up_when_the_first_worker_falls_silent(
    both: tuple[Cloud, Lease, Lease],
) -> None:
    cloud, _, second = both
    cloud.pass_time(50)
    tasks.beat(second, 0, 0, Load(), seats.Seat.BACKUP)
    cloud.pass_time(15)
    cloud.send("transcode", SLOW.body())
    cloud.drain()
    task = slow(cloud)
    assert (task.status, task.attempt) == (TaskStatus.RUNNING, 2)
    assert task.backup_worker is None
    assert task.attempts[0]["reason"] == "WORKER_LOST"
    tasks.finish(second, output(cloud))
    check_completed(cloud)


def test_task_is_begun_anew_when_both_workers_fall_silent(both: tuple[Cloud, Lease, Lease]) -> None:
    cloud, *_ = both
    cloud.pass_time(62)
    cloud.monitor()
    assert slow(cloud).status == TaskStatus.PENDING
    assert slow(cloud).backup_worker is None
    cloud.drain()
    check_completed(cloud)
    assert slow(cloud).attempt == 3


def test_no_retry_is_used_up_when_both_workers_were_restarted(
    both: tuple[Cloud, Lease, Lease],
) -> None:
    cloud, *_ = both
    cloud.monitor({"recover": True})
    assert (slow(cloud).status, attempts.failures(slow(cloud))) == (TaskStatus.PENDING, 0)
    cloud.drain()
    check_completed(cloud)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_task_is_cancelled_by_who_stops_last_when_the_video_is(
    both: tuple[Cloud, Lease, Lease], order: tuple[int, int]
) -> None:
    cloud, *leases = both
    queues = Queues(cloud.sqs, cloud.settings("api"))
    steering.cancel(queues, VIDEO_ID, "admin")
    for number, status in zip(order, (TaskStatus.RUNNING, TaskStatus.CANCELLED), strict=True):
        assert attempts.cancel(leases[number]).status == status
    assert replay(cloud.log()) == observed(cloud.items())
    steering.retry(queues, VIDEO_ID, "admin")
    cloud.heal()
    check_completed(cloud)


@pytest.mark.parametrize("failing", [0, 1])
def test_video_fails_once_when_one_of_two_finds_the_source_damaged(
    both: tuple[Cloud, Lease, Lease], failing: int
) -> None:
    cloud, *leases = both
    attempts.fail(leases[failing], MillraceError(Reason.CORRUPT, "Frame 30 is damaged."))
    with pytest.raises(TransitionRefused):
        tasks.finish(leases[1 - failing], {})
    assert slow(cloud).backup_attempt == leases[1 - failing].attempt
    cloud.heal()
    assert cloud.video().status == VideoStatus.FAILED
    steering.retry(Queues(cloud.sqs, cloud.settings("api")), VIDEO_ID, "admin")
    cloud.deliver("publish")
    assert slow(cloud).status == TaskStatus.PENDING
    assert slow(cloud).backup_worker is None, "the seat is not the loser's any more"
    cloud.heal()
    check_completed(cloud)
    assert slow(cloud).attempt == 3


@pytest.mark.parametrize("leaving", [tasks.sign_off, lambda lease: None], ids=["alive", "dead"])
def test_purge_waits_for_the_loser_when_it_still_stores_files(
    both: tuple[Cloud, Lease, Lease], leaving: Callable[[Lease], None]
) -> None:
    cloud, first, second = both
    tasks.finish(second, output(cloud))
    cloud.drain()
    videos.request_delete(Queues(cloud.sqs, cloud.settings("api")), VIDEO_ID, "admin")
    cloud.drain()
    assert cloud.items() != []
    key = keys.media_key(VIDEO_ID, "180p/00004.m4s")
    cloud.s3.put_object(Bucket=SITE, Key=key, Body=b"by the loser")
    leaving(first)
    cloud.heal()
    assert cloud.items() == []
    assert [key for key in cloud.objects(SITE) if VIDEO_ID in key] == []
