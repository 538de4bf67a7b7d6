"""Cancel and retry on the whole pipeline: what was done stays, what was not is done, once."""

from __future__ import annotations

import json
import threading
from collections import Counter

import pytest

from millrace import attempts, heart, media, plan, probing, steering, tasks, videos
from millrace.deadletters import awaits_burial, bury
from millrace.engine import Stop
from millrace.errors import MillraceError, Reason, RetryableError, TransitionRefused
from millrace.events import TaskMessage
from millrace.heart import Heart
from millrace.listing import LetterQuery, list_letters
from millrace.model import Task, TaskKind, TaskStatus, Video, VideoStatus
from millrace.queues import Queues
from millrace.replay import observed, replay
from millrace.turns import Turn
from tests.unit.core.fake_engine import probe_result
from tests.unit.core.harness import SITE, VIDEO_ID, Cloud
from tests.unit.core.test_crashes import check_completed, for_every_moment
from tests.unit.core.test_worker import until
from tests.unit.core.wire import Crash

CHUNK_0 = TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 0)
CHUNK_1 = TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 1)
STEP = {"cancel": steering.cancel, "retry": steering.retry}


def ask(cloud: Cloud, step: str, video_id: str = VIDEO_ID) -> Video:
    queues = Queues(cloud.sqs, cloud.settings("api"))
    video = STEP[step](queues, video_id, "admin")
    assert video is not None
    return video


def letters() -> list[str]:
    return [task.task_id for task in list_letters(LetterQuery()).entries]


def upload(cloud: Cloud, *queues: str) -> None:
    """A film without sound, brought as far as these deliveries bring it."""
    cloud.engine.source(audio=0)
    cloud.upload()
    for queue in queues:
        cloud.deliver(queue)


def playlists(cloud: Cloud) -> list[str]:
    return [key for key in cloud.objects(SITE) if key.endswith((".m3u8", ".mpd"))]


def check_halted(cloud: Cloud, status: VideoStatus, video_id: str = VIDEO_ID) -> None:
    """Nothing is to be seen, nothing is to be done."""
    video = cloud.video(video_id)
    assert (video.status, video.playable) == (status, False)
    assert cloud.due() == []
    live = {task.status for task in videos.tasks_of(video_id)} & {"PENDING", "RUNNING"}
    assert live == set()
    assert not [key for key in playlists(cloud) if video_id in key]
    assert replay(cloud.log(video_id)) == observed(cloud.items())


def test_video_completes_and_keeps_its_history_when_retried_after_a_permanent_error(
    cloud: Cloud,
) -> None:
    cloud.engine.fails("transcode-chunk-1", message="Frame 30 is damaged.")
    upload(cloud)
    cloud.heal()
    check_halted(cloud, VideoStatus.FAILED)
    assert letters() == ["transcode-00001"]
    (letter,) = cloud.dead_letters("transcode")
    done = cloud.engine.calls().count("transcode-chunk-0")

    assert ask(cloud, "retry").status == VideoStatus.PROCESSING
    cloud.heal()
    check_completed(cloud, VIDEO_ID, playable=2)
    assert letters() == []
    task = cloud.task(TaskKind.TRANSCODE, 1)
    assert [past["reason"] for past in task.attempts] == ["CORRUPT"]
    assert task.attempt == 2
    assert task.reason is None
    assert task.dead_lettered_at is None
    assert cloud.engine.calls().count("transcode-chunk-0") == done == 1
    assert cloud.events().count("video.retried") == cloud.events().count("video.failed") == 1

    cloud.send("transcode", json.dumps(letter))  # as SQS's own redrive would
    cloud.heal()
    check_completed(cloud, VIDEO_ID, playable=2)
    assert task.attempt == cloud.task(TaskKind.TRANSCODE, 1).attempt


def test_dead_letter_sent_back_by_sqs_changes_nothing_when_its_task_is_dead(cloud: Cloud) -> None:
    cloud.engine.fails("transcode-chunk-1", times=9)
    upload(cloud)
    cloud.heal()
    (letter,) = cloud.dead_letters("transcode")
    cloud.send("transcode", json.dumps(letter))
    cloud.heal()
    check_halted(cloud, VideoStatus.FAILED)
    assert cloud.engine.calls().count("transcode-chunk-1") == 1
    assert cloud.dead_letters("transcode") == []


def use_up(cloud: Cloud) -> None:
    for wait_s in (1, 2, 4, 8):
        cloud.drain()
        cloud.pass_time(wait_s + 0.5)
    cloud.heal()


def test_task_has_four_attempts_anew_when_its_video_is_retried(cloud: Cloud) -> None:
    cloud.engine.fails("thumbnail", do="kill", times=7)
    upload(cloud)
    use_up(cloud)
    check_halted(cloud, VideoStatus.FAILED)
    assert cloud.task(TaskKind.THUMBNAIL).status == TaskStatus.DEAD
    assert cloud.task(TaskKind.THUMBNAIL).attempt == 4
    cloud.dead_letters("thumbnail")
    ask(cloud, "retry")
    use_up(cloud)
    check_completed(cloud, VIDEO_ID, playable=2)
    task = cloud.task(TaskKind.THUMBNAIL)
    assert (task.attempt, task.forgiven_attempts, attempts.failures(task)) == (8, 4, 3)
    assert [past["attempt"] for past in task.attempts] == [1, 2, 3, 4, 5, 6, 7]


def test_there_is_a_new_dead_letter_when_a_retried_video_fails_again(cloud: Cloud) -> None:
    cloud.engine.fails("probe", times=2)
    upload(cloud)
    for count in (1, 2):
        cloud.heal()
        check_halted(cloud, VideoStatus.FAILED)
        assert letters() == ["probe-00000"]
        (letter,) = cloud.dead_letters("probe")
        assert [past["attempt"] for past in letter["attempts"]] == [1, 2][:count]
        assert ask(cloud, "retry").status == VideoStatus.QUEUED
    cloud.heal()
    check_completed(cloud, VIDEO_ID)


@pytest.mark.parametrize(
    "reached",
    [
        ("ingest",),
        ("ingest", "probe"),
        ("ingest", "probe", "transcode"),
        ("ingest", "probe", "transcode", "publish"),
    ],
    ids=lambda reached: reached[-1],
)
def test_what_is_done_stays_done_when_a_video_is_cancelled_and_retried(
    cloud: Cloud, reached: tuple[str, ...]
) -> None:
    upload(cloud, *reached)
    assert ask(cloud, "cancel").status == VideoStatus.CANCELLED
    cloud.heal()
    check_halted(cloud, VideoStatus.CANCELLED)
    assert len(cloud.objects(SITE)) == (3 if "transcode" in reached else 0)
    ask(cloud, "retry")
    cloud.heal()
    check_completed(cloud, VIDEO_ID, playable=2 if "publish" in reached else 1)
    counts = Counter(cloud.engine.calls())
    assert [counts[call] for call in ("probe", "transcode-chunk-0", "transcode-chunk-1")] == [1] * 3


def test_video_completes_when_it_was_cancelled_between_its_tasks_and_its_plan(cloud: Cloud) -> None:
    upload(cloud, "ingest")
    lease, _, video = tasks.start(TaskMessage(VIDEO_ID, TaskKind.PROBE, 0), "slow")
    made = plan.make(media.parse(probe_result(audio=0)), chunk_segments=2, preset="veryfast")
    probing.put_tasks(VIDEO_ID, made, Turn())
    ask(cloud, "cancel")
    with pytest.raises(TransitionRefused):
        probing.begin(video, lease, probe_result(audio=0), made)
    attempts.cancel(lease)
    cloud.heal()
    check_halted(cloud, VideoStatus.CANCELLED)
    ask(cloud, "retry")
    cloud.heal()
    check_completed(cloud, VIDEO_ID)


def test_late_cancellations_are_refused_when_the_video_was_set_going_again(cloud: Cloud) -> None:
    upload(cloud, "ingest", "probe")
    lease, _, _ = tasks.start(CHUNK_0, "worker")
    waiting = cloud.task(TaskKind.TRANSCODE, 1)
    ask(cloud, "cancel")
    ask(cloud, "retry")
    with pytest.raises(TransitionRefused):
        attempts.cancel(lease)
    assert tasks.cancel_pending(waiting) is False
    tasks.finish(lease, {"tracks": {}})
    assert cloud.task(TaskKind.TRANSCODE, 1).status == TaskStatus.PENDING


def test_late_note_of_a_burial_is_refused_when_the_task_failed_again_since(cloud: Cloud) -> None:
    upload(cloud, "ingest", "probe")
    error = MillraceError(Reason.CORRUPT, "It is damaged.")
    lease, _, _ = tasks.start(CHUNK_0, "first")
    stale = attempts.fail(lease, error)
    ask(cloud, "retry")
    cloud.deliver("publish")
    lease, _, _ = tasks.start(CHUNK_0, "second")
    attempts.fail(lease, error)
    queues = Queues(cloud.sqs, cloud.settings("transcode"))
    bury(queues, stale)
    assert awaits_burial(cloud.task(TaskKind.TRANSCODE))


def test_engine_is_killed_within_seconds_when_its_video_is_cancelled(cloud: Cloud) -> None:
    upload(cloud, "ingest", "probe")
    cloud.engine.fails("transcode-chunk-0", do="hang", moment="middle")

    def cancel() -> None:
        until((cloud.engine.home / "hanging").exists)
        ask(cloud, "cancel")

    owner = threading.Thread(target=cancel)
    owner.start()
    cloud.deliver("transcode")  # hangs for a minute, and fails then, if it is not killed
    owner.join()
    task = cloud.task(TaskKind.TRANSCODE)
    assert (task.status, [past["reason"] for past in task.attempts]) == ("CANCELLED", ["INTERNAL"])
    cloud.heal()
    check_halted(cloud, VideoStatus.CANCELLED)
    ask(cloud, "retry")
    cloud.heal()
    check_completed(cloud, VIDEO_ID)


def test_heart_looks_far_more_often_than_it_beats_when_a_video_has_many_workers(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heart, "LOOK_EVERY_S", 0.01)
    upload(cloud, "ingest", "probe")
    lease, _, _ = tasks.start(CHUNK_0, "worker")
    beaten = cloud.task(TaskKind.TRANSCODE).heartbeat_at
    stop = Stop()
    with Heart(lease, 1, stop, lambda seconds: None, every_s=3600):
        ask(cloud, "cancel")
        until(lambda: stop.cause is not None)
    assert stop.cause == "the video is CANCELLED"
    assert cloud.task(TaskKind.TRANSCODE).heartbeat_at == beaten


def test_workers_notice_within_five_seconds_when_beats_are_rarest() -> None:
    assert heart.LOOK_EVERY_S < 5 < heart.interval_s(2.0, 100_000)


def test_attempt_is_given_back_when_the_video_goes_again_before_its_worker_could_stop(
    cloud: Cloud,
) -> None:
    upload(cloud, "ingest", "probe")
    cloud.engine.fails("transcode-chunk-0", do="hang", moment="middle")
    retried = threading.Event()

    def on_call(operation: str) -> None:
        task = cloud.wire.on_call and operation == "SendMessage"
        if task and cloud.video().status == VideoStatus.CANCELLED and not retried.is_set():
            retried.set()
            ask(cloud, "retry")

    def cancel() -> None:
        until((cloud.engine.home / "hanging").exists)
        ask(cloud, "cancel")
        cloud.wire.on_call = on_call

    owner = threading.Thread(target=cancel)
    owner.start()
    cloud.deliver("transcode")
    owner.join()
    cloud.wire.on_call = None
    cloud.heal()
    assert retried.is_set()
    check_completed(cloud, VIDEO_ID)


def die_in(cloud: Cloud, step: str, video_id: str) -> None:
    """The step's request and the publisher's part of it, in which the process may die; whoever
    asked and got no answer asks again. Then minutes pass, without any worker."""
    try:
        with cloud.wire.function():
            ask(cloud, step, video_id)
    except Crash:
        cloud.crashes += 1
    cloud.deliver("publish")
    cloud.wire.kill_at = None
    halted = cloud.video(video_id).status in steering.HALTED
    if halted == (step == "retry"):
        ask(cloud, step, video_id)
    for _ in range(7):  # a dead publisher's message is hidden for six minutes
        cloud.pass_time(61)
        cloud.monitor()
        while cloud.deliver("publish"):
            pass
        if not cloud.waiting("publish"):
            return


def test_every_task_waits_for_a_worker_when_its_video_is_retried_and_somebody_dies_at_any_moment(
    cloud: Cloud,
) -> None:
    def prepare(video_id: str) -> None:
        cloud.engine.source(audio=0)
        cloud.upload(video_id)
        for queue in ("ingest", "probe"):
            cloud.deliver(queue)
        lease, _, _ = tasks.start(TaskMessage(video_id, TaskKind.TRANSCODE, 0), "worker")
        attempts.fail(lease, MillraceError(Reason.CORRUPT, "It is damaged."))
        cloud.heal()
        check_halted(cloud, VideoStatus.FAILED, video_id)

    def scenario(video_id: str) -> None:
        die_in(cloud, "retry", video_id)
        video = cloud.video(video_id)
        assert video.status == VideoStatus.PROCESSING
        assert video.reviving_since is None
        found = {task.task_id: task for task in videos.tasks_of(video_id)}
        assert found.pop("probe-00000").status == TaskStatus.DONE
        assert [(task.status, task.due_at is None) for task in found.values()] == [
            *[("PENDING", False)] * 3
        ]
        assert cloud.waiting("transcode") >= 2
        assert cloud.waiting("thumbnail") >= 1
        assert letters() == []
        assert cloud.events(video_id).count("video.retried") == 1
        assert cloud.events(video_id).count("task.redriven") == 3
        assert replay(cloud.log(video_id)) == observed(cloud.items())

    for_every_moment(cloud, prepare, scenario)


def test_everything_is_withdrawn_when_a_video_is_cancelled_and_somebody_dies_at_any_moment(
    cloud: Cloud,
) -> None:
    def prepare(video_id: str) -> None:
        cloud.engine.source(audio=0)
        cloud.upload(video_id)
        for queue in ("ingest", "probe", "transcode", "publish"):
            cloud.deliver(queue)
        assert cloud.video(video_id).playable

    def scenario(video_id: str) -> None:
        die_in(cloud, "cancel", video_id)
        check_halted(cloud, VideoStatus.CANCELLED, video_id)
        assert cloud.events(video_id).count("video.cancelled") == 1

    for_every_moment(cloud, prepare, scenario)


def test_every_task_is_revived_when_there_are_more_than_fit_into_one_transaction(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steering, "_AT_ONCE", 2)
    upload(cloud, "ingest", "probe")
    ask(cloud, "cancel")
    cloud.heal()
    ask(cloud, "retry")
    real = steering._revive
    spoiled: list[Task] = []

    def with_a_rival(batch: list[Task]) -> None:
        if not spoiled:
            spoiled.append(batch[0])
            real(batch[:1])
        real(batch)

    monkeypatch.setattr(steering, "_revive", with_a_rival)
    cloud.heal()
    check_completed(cloud, VIDEO_ID)
    assert cloud.events().count("task.redriven") == 3


def test_reviving_stops_when_the_video_was_cancelled_again(cloud: Cloud) -> None:
    upload(cloud, "ingest", "probe")
    ask(cloud, "cancel")
    cloud.heal()
    going = ask(cloud, "retry")
    ask(cloud, "cancel")
    queues = Queues(cloud.sqs, cloud.settings("publish"))
    with pytest.raises(TransitionRefused):
        steering.revive(queues, going)
    cloud.heal()
    check_halted(cloud, VideoStatus.CANCELLED)


def test_retry_is_refused_when_the_file_was_refused_as_it_arrived(cloud: Cloud) -> None:
    cloud.upload(body=b"")
    cloud.heal()
    assert letters() == ["probe-00000"]
    with pytest.raises(TransitionRefused):
        ask(cloud, "retry")
    assert cloud.video().status == VideoStatus.FAILED


def test_a_lost_worker_uses_up_one_of_the_new_attempts_when_the_task_was_redriven(
    cloud: Cloud,
) -> None:
    upload(cloud, "ingest", "probe")
    error = RetryableError(Reason.ENGINE_CRASHED, "It crashed.")
    for attempt in range(1, 5):
        lease, _, _ = tasks.start(CHUNK_1, f"worker-{attempt}")
        ended = attempts.give_back(lease, error)
    assert ended.status == TaskStatus.DEAD
    ask(cloud, "retry")
    cloud.deliver("publish")
    lease, _, _ = tasks.start(CHUNK_1, "worker-5")
    assert attempts.give_back(lease, attempts.LOST).status == TaskStatus.PENDING
    assert attempts.failures(cloud.task(TaskKind.TRANSCODE, 1)) == 1
