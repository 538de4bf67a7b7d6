"""The monitor: what it finds and what it leaves alone."""

from __future__ import annotations

import math
import time

import pytest

from millrace import attempts, counters, exposition, keys, monitoring, tasks, videos, workers
from millrace.errors import Reason, RetryableError
from millrace.events import TaskMessage
from millrace.model import TaskKind, TaskStatus, VideoStatus
from millrace.monitoring import Watch
from millrace.queues import Queues
from millrace.storage import Bucket
from tests.unit.core.harness import UPLOADS, VIDEO_ID, Cloud

CHUNK_0 = TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 0)
KEY = keys.upload_key(VIDEO_ID, ".mp4")


def announce(cloud: Cloud) -> None:
    videos.create(video_id=VIDEO_ID, title="t", filename="f.mp4", upload_key=KEY, declared_bytes=6)


def plan(cloud: Cloud) -> None:
    cloud.upload()
    cloud.deliver("ingest")
    cloud.deliver("probe")


def test_nothing_is_changed_when_nothing_is_due(cloud: Cloud) -> None:
    plan(cloud)
    before = cloud.wire.moments.copy()
    assert cloud.monitor() == {"looked_at": 0, "finished": True}
    sampled = "before TransactWriteItems"  # of the counters
    assert cloud.wire.moments == [*before, sampled, "before the acknowledgement"]


def test_age_of_its_last_round_is_told_when_the_monitor_is_silent(cloud: Cloud) -> None:
    (never,) = exposition._monitor(counters.present().monitor_at).samples
    cloud.monitor()
    cloud.pass_time(400)
    (silent,) = exposition._monitor(counters.present().monitor_at).samples
    assert never.value == math.inf
    assert silent.value == pytest.approx(400, abs=2)


def test_message_is_sent_again_less_and_less_often_when_a_task_stays_pending(cloud: Cloud) -> None:
    plan(cloud)
    cloud.lose_messages()
    sent = []
    for minute in range(1, 40):
        cloud.pass_time(60)
        cloud.monitor()
        if cloud.waiting("thumbnail"):
            sent.append(minute)
            cloud.lose_messages()
    assert len(sent) <= 6
    assert cloud.task(TaskKind.THUMBNAIL).resends == len(sent)


def test_message_is_not_sent_again_when_others_wait_until_none_does(cloud: Cloud) -> None:
    plan(cloud)
    before = cloud.waiting("thumbnail")
    for _ in range(30):
        cloud.pass_time(60)
        cloud.monitor()
    assert cloud.waiting("thumbnail") == before
    cloud.lose_messages()
    for _ in range(6):
        cloud.pass_time(60)
        cloud.monitor()
    assert cloud.waiting("thumbnail")


def status_of(worker: str) -> str | None:
    """As `GET /workers` tells of it; None: not at all."""
    told = {each["id"]: each["status"] for each in workers.view()["workers"]}
    return told.get(worker)


def test_worker_is_told_of_no_more_when_it_was_replaced_until_it_speaks(cloud: Cloud) -> None:
    plan(cloud)
    lease, _, _ = tasks.start(CHUNK_0, "worker")
    workers.at_work(lease, 0, tasks.Load())
    cloud.pass_time(61)
    assert status_of("worker") == "unresponsive"
    cloud.monitor()
    assert status_of("worker") is None
    workers.at_work(lease, 1, tasks.Load())
    assert status_of("worker") == "working"


def test_worker_on_something_else_stays_when_a_former_task_is_taken_from_it(cloud: Cloud) -> None:
    plan(cloud)
    tasks.start(CHUNK_0, "worker")
    other, _, _ = tasks.start(TaskMessage(VIDEO_ID, TaskKind.THUMBNAIL, 0), "worker")
    cloud.pass_time(61)
    tasks.beat(other, 0, 0, tasks.Load())
    workers.at_work(other, 0, tasks.Load())
    cloud.monitor()
    assert cloud.task(TaskKind.TRANSCODE).status == TaskStatus.PENDING
    assert status_of("worker") == "working"


def test_worker_is_left_alone_when_it_was_heard_of_within_a_minute(cloud: Cloud) -> None:
    plan(cloud)
    lease, _, _ = tasks.start(CHUNK_0, "worker")
    cloud.pass_time(50)
    tasks.beat(lease, 0, 0, tasks.Load())
    cloud.pass_time(50)
    cloud.monitor()
    assert cloud.task(TaskKind.TRANSCODE).status == TaskStatus.RUNNING


def test_worker_is_replaced_when_it_was_silent_for_a_minute(cloud: Cloud) -> None:
    plan(cloud)
    tasks.start(CHUNK_0, "worker")
    cloud.lose_messages()
    cloud.monitor()
    task = cloud.task(TaskKind.TRANSCODE)
    assert task.status == TaskStatus.PENDING
    (past,) = task.attempts
    assert (past["worker"], past["reason"], past["counted"]) == ("worker", "WORKER_LOST", True)
    assert cloud.waiting("transcode") >= 1


def test_video_fails_when_four_workers_are_lost_on_one_task(cloud: Cloud) -> None:
    plan(cloud)
    for number in range(4):
        tasks.start(CHUNK_0, f"worker-{number}")
        cloud.pass_time(61)
        cloud.monitor()
    assert cloud.task(TaskKind.TRANSCODE).status == TaskStatus.DEAD
    assert cloud.video().reason == "WORKER_LOST"
    cloud.heal()
    assert [letter["reason"] for letter in cloud.dead_letters("transcode")] == ["WORKER_LOST"]
    assert cloud.due() == []


def test_restarts_use_up_no_retries_when_the_machine_is_restarted_often(cloud: Cloud) -> None:
    plan(cloud)
    for number in range(8):
        tasks.start(CHUNK_0, f"worker-{number}")
        cloud.monitor({"recover": True})
    task = cloud.task(TaskKind.TRANSCODE)
    assert (task.status, attempts.failures(task)) == (TaskStatus.PENDING, 0)
    cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED


def test_work_goes_on_at_once_when_all_messages_are_lost_and_recovery_is_asked_for(
    cloud: Cloud,
) -> None:
    plan(cloud)
    cloud.deliver("transcode")
    cloud.lose_messages()
    cloud.monitor({"recover": True})
    cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED


@pytest.mark.parametrize("event", [{}, {"recover": "yes"}, {"recover": False}, {"source": "aws"}])
def test_recovery_is_not_begun_when_nobody_asked_for_it(
    cloud: Cloud, event: dict[str, str]
) -> None:
    plan(cloud)
    tasks.start(CHUNK_0, "worker")
    cloud.monitor(event)
    assert cloud.task(TaskKind.TRANSCODE).status == TaskStatus.RUNNING


def test_object_without_video_is_found_when_recovering(cloud: Cloud) -> None:
    cloud.put_object("uploads/dropped by hand.mov")
    cloud.put_object("uploads/folder/", b"")
    cloud.monitor()
    assert cloud.waiting("ingest") == 0
    cloud.monitor({"recover": True})
    cloud.drain()
    video_id = keys.video_id_of_object(UPLOADS, "uploads/dropped by hand.mov")
    video = cloud.video(video_id)
    assert (video.status, video.title) == (VideoStatus.COMPLETED, "dropped by hand")
    invocations = len(cloud.invocations)
    cloud.monitor({"recover": True})
    cloud.drain()
    assert "probe" not in cloud.invocations[invocations:]


def test_video_arrives_when_its_notification_was_lost(cloud: Cloud) -> None:
    announce(cloud)
    cloud.put_object(KEY)
    cloud.pass_time(videos.FIRST_LOOK_S + 1)
    cloud.monitor()
    cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED


def test_upload_expires_with_its_parts_when_it_is_not_finished_in_a_day(cloud: Cloud) -> None:
    announce(cloud)
    cloud.s3.create_multipart_upload(Bucket=UPLOADS, Key=KEY)
    looks = 0
    while cloud.video().status == VideoStatus.AWAITING_UPLOAD:
        cloud.pass_time(600)
        looks += cloud.monitor()["looked_at"]
        assert cloud.offset_s < 25 * 3600
    assert cloud.offset_s >= 24 * 3600
    assert looks < 40
    assert cloud.video().reason == "UPLOAD_EXPIRED"
    assert "Uploads" not in cloud.s3.list_multipart_uploads(Bucket=UPLOADS)
    assert cloud.due() == []


def test_late_notification_changes_nothing_when_the_upload_expired(cloud: Cloud) -> None:
    announce(cloud)
    cloud.pass_time(videos.UPLOAD_LIFETIME_S + 1)
    cloud.monitor()
    etag = cloud.put_object(KEY)
    cloud.notify(KEY, etag, 6)
    cloud.drain()
    assert (cloud.video().status, cloud.video().reason) == (VideoStatus.FAILED, "UPLOAD_EXPIRED")
    assert len(cloud.items()) == 5  # the video, two entries of the catalogue and two lines


def test_playlists_are_published_when_a_finished_tasks_message_was_lost(cloud: Cloud) -> None:
    plan(cloud)
    for queue in ("transcode", "thumbnail", "transcode", "transcode"):
        cloud.deliver(queue)
    cloud.lose_messages()
    assert cloud.video().status == VideoStatus.PROCESSING
    cloud.monitor()
    cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED


def test_purge_is_asked_for_again_when_its_message_was_lost(cloud: Cloud) -> None:
    plan(cloud)
    videos.request_delete(Queues(cloud.sqs, cloud.settings("api")), VIDEO_ID, "admin")
    cloud.lose_messages()
    cloud.monitor()
    cloud.drain()
    assert cloud.items() == []


def test_rest_waits_for_the_next_round_when_time_runs_out(cloud: Cloud) -> None:
    plan(cloud)
    cloud.lose_messages()
    watch = Watch(
        Queues(cloud.sqs, cloud.settings("monitor")),
        Bucket(cloud.s3, UPLOADS),
        deadline=time.monotonic() - 1,
    )
    assert monitoring.run(watch) == {"looked_at": 0, "finished": False}


def test_other_items_are_looked_at_when_one_cannot_be(cloud: Cloud) -> None:
    plan(cloud)
    cloud.lose_messages()
    broken = iter([True])

    def refuse(operation: str) -> None:
        if operation == "SendMessage" and next(broken, False):
            raise RetryableError(Reason.OUTPUT_FAILED, "SQS is away")

    cloud.wire.on_call = refuse
    assert cloud.monitor()["finished"]
    assert cloud.waiting("transcode") + cloud.waiting("thumbnail") == 3
    cloud.heal()
    assert cloud.video().status == VideoStatus.COMPLETED
