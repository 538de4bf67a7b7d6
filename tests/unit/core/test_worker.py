"""Workers at work: heartbeats, retries, endings nobody planned."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from millrace import attempts, clock, heart, keys, tasks, videos
from millrace.engine import Stop
from millrace.errors import Reason, RetryableError, TransitionRefused
from millrace.events import TaskMessage
from millrace.heart import Heart
from millrace.model import TaskKind, TaskStatus, Video, VideoStatus
from millrace.queues import Queues
from millrace.tasks import Lease, Load
from tests.unit.core.harness import SITE, VIDEO_ID, Cloud

CHUNK_0 = TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 0)
AUDIO = TaskMessage(VIDEO_ID, TaskKind.AUDIO, 0)
PATIENCE_S = 60


@pytest.fixture
def planned(cloud: Cloud) -> Cloud:
    """A video whose tasks wait."""
    cloud.upload()
    for queue in ("ingest", "probe"):
        cloud.deliver(queue)
    return cloud


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def quick_heart(lease: Lease, stop: Stop, holds: list[int], units: int = 100) -> Heart:
    return Heart(lease, units, stop, holds.append, every_s=0.01)


def test_plan_is_stored_when_the_probe_is_done(planned: Cloud) -> None:
    video = planned.video()
    assert video.status == VideoStatus.PROCESSING
    assert video.media["format"]["container"] == "mp4"
    assert video.plan["chunk_count"] == 2
    assert video.tasks_total == 4
    assert {task.status for task in videos.tasks_of(VIDEO_ID)} == {"DONE", "PENDING"}


def test_engine_is_given_url_etag_and_limits_when_it_probes(planned: Cloud) -> None:
    command, url, *options = planned.engine.arguments("probe")
    assert command == "probe"
    assert keys.upload_key(VIDEO_ID, ".mp4") in url
    assert "X-Amz-Signature=" in url
    assert options[:2] == ["--if-match", f'"{planned.video().source_etag}"']
    assert options[options.index("--max-pixels") + 1] == "36000000"
    assert options[options.index("--max-duration-s") + 1] == "43200"
    assert options[options.index("--max-memory-bytes") + 1] == "805306368"
    assert options[options.index("--max-output-bytes") + 1] == "96636764160"
    assert options[options.index("--sandbox") + 1] == "try"


def test_url_with_its_signature_is_never_logged_when_a_video_is_processed(
    planned: Cloud, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    planned.engine.fails("transcode-chunk-0", do="kill")
    planned.drain()
    logged = "".join(capfd.readouterr()) + caplog.text
    assert "task.retried" in logged
    assert "X-Amz-" not in logged


def test_files_are_stored_with_type_and_cache_rules_when_made(planned: Cloud) -> None:
    planned.drain()
    for path, content_type in (
        ("180p/init.mp4", "video/mp4"),
        ("180p/00003.m4s", "video/iso.segment"),
        ("audio-0/00000.m4s", "video/iso.segment"),
        ("poster.jpg", "image/jpeg"),
        ("thumbnails/02.jpg", "image/jpeg"),
    ):
        head = planned.s3.head_object(Bucket=SITE, Key=keys.media_key(VIDEO_ID, path))
        assert head["ContentType"] == content_type
        assert head["CacheControl"] == "public, max-age=31536000, immutable"


def test_beat_counts_units_into_the_video_when_work_goes_on(planned: Cloud) -> None:
    lease, task, _ = tasks.start(CHUNK_0, "worker")
    half = int(task.units) // 2
    assert tasks.beat(lease, 0, half, Load(12.34, 1000)) == half
    assert planned.video().units_done == half
    seen = planned.task(TaskKind.TRANSCODE)
    assert (seen.units_done, seen.cpu_percent, seen.memory_bytes) == (half, 12.3, 1000)


def test_units_are_taken_back_when_an_attempt_fails(planned: Cloud) -> None:
    lease, task, _ = tasks.start(CHUNK_0, "worker")
    tasks.beat(lease, 0, int(task.units), Load())
    attempts.give_back(lease, RetryableError(Reason.ENGINE_CRASHED, "It crashed."))
    assert planned.video().units_done == 0
    assert planned.task(TaskKind.TRANSCODE).status == TaskStatus.PENDING


def test_former_owner_is_refused_everything_when_the_task_was_taken_away(planned: Cloud) -> None:
    lease, _, _ = tasks.start(CHUNK_0, "slow")
    attempts.give_back(lease, attempts.LOST)
    second, _, _ = tasks.start(CHUNK_0, "quick")
    error = RetryableError(Reason.INTERNAL, "late")
    for late in (
        lambda: tasks.beat(lease, 0, 1, Load()),
        lambda: tasks.beat(lease, 0, 0, Load()),
        lambda: tasks.finish(lease, {}),
        lambda: attempts.give_back(lease, error),
        lambda: attempts.fail(lease, error),
        lambda: attempts.cancel(lease),
    ):
        with pytest.raises(TransitionRefused):
            late()
    assert planned.video().units_done == 0
    tasks.finish(second, {})
    assert planned.task(TaskKind.TRANSCODE).status == TaskStatus.DONE


def test_one_worker_wins_when_two_start_the_same_task(planned: Cloud) -> None:
    tasks.start(CHUNK_0, "one")
    with pytest.raises(TransitionRefused):
        tasks.start(CHUNK_0, "two")
    assert planned.events().count("task.started") == 2  # the probe and this one


def test_heart_tells_progress_and_load_when_it_beats(planned: Cloud) -> None:
    lease, task, _ = tasks.start(CHUNK_0, "worker")
    holds: list[int] = []
    with quick_heart(lease, Stop(), holds, int(task.units)) as beating:
        beating.progress(25)
        until(lambda: planned.video().units_done == int(task.units) // 4)
        beating.progress(10)  # never back
        beating.progress(100)
        until(lambda: planned.video().units_done == int(task.units))
    seen = planned.task(TaskKind.TRANSCODE)
    assert seen.memory_bytes > 0
    assert seen.heartbeat_at > seen.started_at
    assert clock.age_s(str(seen.due_at)) < 0
    assert holds == [heart.VISIBILITY_S]


@pytest.mark.parametrize("end", ["delete", "fail", "lose"])
def test_heart_stops_the_work_when_nobody_wants_it_any_more(planned: Cloud, end: str) -> None:
    lease, _, _ = tasks.start(CHUNK_0, "worker")
    stop = Stop()
    with quick_heart(lease, stop, []):
        if end == "delete":
            videos.request_delete(Queues(planned.sqs, planned.settings("api")), VIDEO_ID, "me")
        elif end == "fail":
            other, _, _ = tasks.start(AUDIO, "other")
            attempts.fail(other, RetryableError(Reason.CORRUPT, "It is damaged."))
        else:
            attempts.give_back(lease, attempts.LOST)
        until(lambda: stop.cause is not None)
    assert {"delete": "DELETING", "fail": "FAILED", "lose": "ours"}[end] in str(stop.cause)


def test_heart_goes_on_when_the_answer_of_a_beat_was_lost(planned: Cloud) -> None:
    lease, task, _ = tasks.start(CHUNK_0, "worker")
    tasks.beat(lease, 0, 7, Load())  # written, but the heart never heard of it
    stop = Stop()
    with quick_heart(lease, stop, [], int(task.units)) as beating:
        beating.progress(50)
        until(lambda: planned.video().units_done == int(task.units) // 2)
    assert stop.cause is None


def test_heart_goes_on_when_the_database_is_away_for_a_moment(planned: Cloud) -> None:
    lease, task, _ = tasks.start(CHUNK_0, "worker")
    failures = iter(range(3))

    def throttle(operation: str) -> None:
        if operation in ("UpdateItem", "TransactWriteItems") and next(failures, None) is not None:
            raise RetryableError(Reason.OUTPUT_FAILED, "throttled")

    planned.wire.on_call = throttle
    stop = Stop()
    with quick_heart(lease, stop, [], int(task.units)) as beating:
        beating.progress(50)
        until(lambda: planned.video().units_done == int(task.units) // 2)
    assert stop.cause is None


@pytest.mark.parametrize(("total", "expected"), [(1, 2.0), (100, 4.0), (1350, 20.0)])
def test_hearts_beat_less_often_when_a_video_has_many_workers(total: int, expected: float) -> None:
    assert heart.interval_s(2.0, total) == expected


def test_engine_is_killed_within_seconds_when_its_video_is_deleted(planned: Cloud) -> None:
    planned.engine.fails("transcode-chunk-0", do="hang", moment="middle")
    started = threading.Event()
    hanging = planned.engine.home / "hanging"

    def delete() -> None:
        until(hanging.exists)
        videos.request_delete(Queues(planned.sqs, planned.settings("api")), VIDEO_ID, "me")
        started.set()

    owner = threading.Thread(target=delete)
    owner.start()
    begun = time.monotonic()
    planned.deliver("transcode")
    owner.join()
    assert started.is_set()
    assert time.monotonic() - begun < PATIENCE_S
    assert planned.task(TaskKind.TRANSCODE).status == TaskStatus.CANCELLED
    planned.heal()
    assert planned.items() == []
    assert not planned.objects(SITE)


def test_attempts_follow_after_1_2_and_4_seconds_when_an_error_persists(planned: Cloud) -> None:
    planned.engine.fails(
        "transcode-chunk-0", times=9, code="SOURCE_UNREADABLE", message="No route."
    )
    for wait_s in (1, 2, 4):
        planned.drain()
        before = planned.engine.calls().count("transcode-chunk-0")
        planned.pass_time(wait_s - 0.9)
        planned.drain()
        assert planned.engine.calls().count("transcode-chunk-0") == before
        planned.pass_time(1)
        planned.deliver("transcode")
        assert planned.engine.calls().count("transcode-chunk-0") == before + 1
    task, video = planned.task(TaskKind.TRANSCODE), planned.video()
    assert (task.status, len(task.attempts)) == (TaskStatus.DEAD, 4)
    assert (video.status, video.reason) == (VideoStatus.FAILED, "SOURCE_UNREADABLE")
    planned.heal()
    (letter,) = planned.dead_letters("transcode")
    assert letter["task_id"] == "transcode-00000"
    assert letter["reason"] == "SOURCE_UNREADABLE"
    assert letter["message"] == "No route."
    assert [entry["attempt"] for entry in letter["attempts"]] == [1, 2, 3, 4]
    assert "the engine's log" in letter["engine_log"]
    assert planned.waiting("transcode") == 0
    assert planned.due() == []


def test_log_tells_what_each_task_read_when_it_is_done(planned: Cloud) -> None:
    planned.drain()
    done = {line.task_id: line.detail for line in planned.log() if line.event == "task.done"}
    read = {task: (detail["bytes_read"], detail["source_share"]) for task, detail in done.items()}
    assert read == {  # as the fake engine says it; the stills take two runs of it
        "probe-00000": (6, 1.0),
        "transcode-00000": (1234, 205.6667),
        "transcode-00001": (1234, 205.6667),
        "audio-00000": (1234, 205.6667),
        "thumbnail-00000": (200, 33.3333),
    }
    assert planned.task(TaskKind.TRANSCODE).output["bytes_read"] == 1234
    assert planned.task(TaskKind.THUMBNAIL).output["bytes_read"] == 200


def test_retries_are_not_burned_when_the_source_is_at_fault(planned: Cloud) -> None:
    planned.engine.fails("transcode-audio-0", times=9, code="CORRUPT")
    planned.heal()
    assert planned.engine.calls().count("transcode-audio-0") == 1
    assert planned.task(TaskKind.AUDIO).status == TaskStatus.FAILED
    assert planned.video().reason == "CORRUPT"
    assert len(planned.dead_letters("transcode")) == 1


def test_other_tasks_are_cancelled_when_one_failed(planned: Cloud) -> None:
    planned.engine.fails("transcode-chunk-0", code="CORRUPT")
    planned.heal()
    statuses = {task.task_id: task.status for task in videos.tasks_of(VIDEO_ID)}
    assert statuses["transcode-00000"] == TaskStatus.FAILED
    assert set(statuses.values()) <= {"FAILED", "DONE", "CANCELLED"}
    assert planned.due() == []


def test_attempt_is_recorded_when_the_code_itself_is_at_fault(planned: Cloud) -> None:
    broken = {name: part for name, part in planned.video().plan.items() if name != "audio"}
    Video(keys.video_pk(VIDEO_ID), keys.VIDEO_SK).update([Video.plan.set(broken)])
    planned.deliver("transcode")
    (past,) = planned.task(TaskKind.TRANSCODE).attempts
    assert past["reason"] == "INTERNAL"
    assert planned.task(TaskKind.TRANSCODE).status == TaskStatus.PENDING
    assert planned.waiting("transcode") == 3


def test_dead_worker_is_replaced_when_its_message_comes_back(planned: Cloud) -> None:
    tasks.start(CHUNK_0, "dead")
    planned.pass_time(61)
    planned.drain()
    assert planned.task(TaskKind.TRANSCODE).status == TaskStatus.DONE
    assert planned.task(TaskKind.TRANSCODE).attempt == 2
    assert "task.lost" in planned.events()


def test_living_worker_is_left_alone_when_its_message_is_delivered_twice(planned: Cloud) -> None:
    tasks.start(CHUNK_0, "alive")
    planned.drain()
    task = planned.task(TaskKind.TRANSCODE)
    assert (task.status, task.attempt, task.worker) == (TaskStatus.RUNNING, 1, "alive")


@pytest.mark.parametrize("queue", ["probe", "transcode", "thumbnail"])
@pytest.mark.parametrize("body", ["", "{}", '{"version":1,"kind":"transcode"}', "\x85"])
def test_message_is_kept_as_dead_letter_when_nobody_can_read_it(
    cloud: Cloud, queue: str, body: str
) -> None:
    cloud.send(queue, body or " ")
    cloud.drain()
    (letter,) = cloud.dead_letters(queue)
    assert (letter["body"], letter["reason"]) == (body or " ", "MALFORMED_MESSAGE")
    assert cloud.waiting(queue) == 0
    assert cloud.items() == []


@pytest.mark.parametrize("kind", list(TaskKind))
def test_message_is_acknowledged_when_its_video_never_was(cloud: Cloud, kind: TaskKind) -> None:
    queue = {"audio": "transcode", "subtitles": "transcode"}.get(kind, kind.value)
    cloud.send(queue, TaskMessage(VIDEO_ID, kind, 0).body())
    cloud.drain()
    assert cloud.waiting(queue) == 0
    assert cloud.dead_letters(queue) == []
    assert cloud.engine.calls() == []


def test_task_waits_when_its_message_comes_before_the_plan(cloud: Cloud) -> None:
    cloud.upload()
    cloud.send("transcode", CHUNK_0.body())
    cloud.deliver("transcode")
    cloud.heal()
    assert cloud.video().status == VideoStatus.COMPLETED
