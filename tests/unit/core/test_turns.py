"""Whose turn it is, seen from outside: videos that wait for one and the same worker."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from millrace import steering, tasks, videos
from millrace.events import TaskMessage
from millrace.model import TaskKind, TaskStatus, VideoStatus
from millrace.queues import Queues
from millrace.video_settings import USUAL, Priority
from tests.unit.core.harness import VIDEO_ID, Cloud
from tests.unit.core.test_crashes import for_every_moment

FILM, CLIP, OTHER = "f" * 26, "c" * 26, "d" * 26


def settings(priority: Priority) -> dict[str, Any]:
    return replace(USUAL, priority=priority).to_json()


def plan(cloud: Cloud, video_id: str, *, chunks: int, priority: Priority = Priority.NORMAL) -> None:
    """Upload a silent video of so many chunks (of 8 s, the head of 4 s), and have it probed."""
    cloud.engine.source(duration_s=8.0 * chunks - 4.0, audio=0)
    cloud.upload(video_id, settings=settings(priority))
    cloud.deliver("ingest")
    cloud.deliver("probe")
    assert cloud.video(video_id).status == VideoStatus.PROCESSING


def chunks_done(cloud: Cloud, video_id: str) -> int:
    found = videos.tasks_of(video_id)
    done = [task for task in found if task.status == TaskStatus.DONE]
    return sum(1 for task in done if task.task_kind == TaskKind.TRANSCODE)


def transcode(cloud: Cloud, times: int) -> None:
    for _ in range(times):
        assert cloud.deliver("transcode")


def test_a_short_video_is_done_long_before_a_long_one_when_it_comes_second(cloud: Cloud) -> None:
    plan(cloud, FILM, chunks=20)
    transcode(cloud, 5)
    plan(cloud, CLIP, chunks=1)
    transcode(cloud, 1)
    assert (chunks_done(cloud, CLIP), chunks_done(cloud, FILM)) == (1, 5)
    cloud.drain()
    assert cloud.video(CLIP).completed_at < cloud.video(FILM).completed_at
    assert [cloud.video(each).status for each in (CLIP, FILM)] == [VideoStatus.COMPLETED] * 2
    assert cloud.waiting("transcode") == 0
    assert cloud.due() == []


def test_videos_share_the_workers_chunk_by_chunk_when_one_came_earlier(cloud: Cloud) -> None:
    plan(cloud, FILM, chunks=12)
    transcode(cloud, 6)
    plan(cloud, OTHER, chunks=12)
    transcode(cloud, 6)
    # Its beginning, and then in turns.
    assert (chunks_done(cloud, FILM), chunks_done(cloud, OTHER)) == (6 + 3, 3)
    transcode(cloud, 4)
    assert (chunks_done(cloud, FILM), chunks_done(cloud, OTHER)) == (6 + 5, 5)


def test_high_goes_before_normal_before_low_when_they_came_the_other_way_round(
    cloud: Cloud,
) -> None:
    order = (Priority.LOW, Priority.NORMAL, Priority.HIGH)
    ids = {priority: letter * 26 for priority, letter in zip(order, "lnh", strict=True)}
    for priority, video_id in ids.items():
        plan(cloud, video_id, chunks=3, priority=priority)
    for priority in reversed(order):
        transcode(cloud, 3)
        assert chunks_done(cloud, ids[priority]) == 3, priority
    cloud.drain()
    assert all(cloud.video(each).status == VideoStatus.COMPLETED for each in ids.values())


def test_the_urgent_video_is_probed_first_when_others_were_uploaded_before(cloud: Cloud) -> None:
    for number in range(3):
        cloud.upload(f"{number:026d}")
    cloud.upload(CLIP, settings=settings(Priority.HIGH))
    cloud.deliver("ingest")
    cloud.deliver("probe")
    assert cloud.video(CLIP).status == VideoStatus.PROCESSING
    assert {cloud.video(f"{number:026d}").status for number in range(3)} == {VideoStatus.QUEUED}


def test_a_task_is_tried_again_when_it_failed_on_another_ones_message(cloud: Cloud) -> None:
    plan(cloud, FILM, chunks=6)
    plan(cloud, CLIP, chunks=1)
    transcode(cloud, 1)  # the film's head
    cloud.engine.fails("transcode-chunk-0", code="OUTPUT_FAILED", exit_code=5)
    transcode(cloud, 1)
    head = cloud.task(TaskKind.TRANSCODE, 0, CLIP)
    assert head.status == TaskStatus.PENDING
    assert head.attempt == 1
    assert head.status_shard is None
    transcode(cloud, 1)
    assert cloud.task(TaskKind.TRANSCODE, 0, CLIP).attempt == 1, "it waits for its own message"
    cloud.pass_time(2)
    cloud.drain()
    assert cloud.video(CLIP).status == VideoStatus.COMPLETED
    assert cloud.video(FILM).status == VideoStatus.COMPLETED
    assert cloud.waiting("transcode") == 0


def test_every_chunk_is_done_when_the_video_of_some_messages_is_cancelled(cloud: Cloud) -> None:
    plan(cloud, FILM, chunks=4)
    plan(cloud, OTHER, chunks=4)
    transcode(cloud, 3)
    steering.cancel(Queues(cloud.sqs, cloud.settings("api")), FILM, "admin")
    cloud.drain()
    assert cloud.video(OTHER).status == VideoStatus.COMPLETED
    steering.retry(Queues(cloud.sqs, cloud.settings("api")), FILM, "admin")
    cloud.drain()
    assert cloud.video(FILM).status == VideoStatus.COMPLETED


def test_a_message_runs_what_waits_when_its_own_task_was_done_by_another(cloud: Cloud) -> None:
    plan(cloud, FILM, chunks=3)
    done = json.dumps(
        {
            "version": 1,
            "video_id": FILM,
            "task_id": "transcode-00000",
            "kind": "transcode",
            "index": 0,
        }
    )
    transcode(cloud, 1)
    cloud.send("transcode", done)
    transcode(cloud, 3)
    assert chunks_done(cloud, FILM) == 3
    assert cloud.engine.calls().count("transcode-chunk-0") == 1


@pytest.mark.parametrize("stale", range(8))
def test_sound_goes_before_the_rest_when_a_message_of_something_deleted_comes_first(
    cloud: Cloud, stale: int
) -> None:
    cloud.engine.source(duration_s=84.0)
    cloud.upload(FILM)
    cloud.deliver("ingest")
    cloud.deliver("probe")
    _, head, _ = tasks.start(TaskMessage(FILM, TaskKind.TRANSCODE, 0), "another")
    head.update(actions=tasks.ready(head))  # as an index that is a moment behind has it
    cloud.forget_messages("transcode")
    cloud.send("transcode", TaskMessage("d" * 26, TaskKind.TRANSCODE, stale).body())
    transcode(cloud, 1)
    assert cloud.task(TaskKind.AUDIO, 0, FILM).status == TaskStatus.DONE


def test_messages_run_what_they_name_when_the_list_cannot_be_read(cloud: Cloud) -> None:
    def throttle(operation: str) -> None:
        if operation == "Query":
            answer: Any = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
            raise ClientError(answer, operation)

    plan(cloud, FILM, chunks=3)
    plan(cloud, CLIP, chunks=1, priority=Priority.HIGH)
    cloud.wire.on_call = throttle
    transcode(cloud, 3)
    cloud.wire.on_call = None
    assert (chunks_done(cloud, FILM), chunks_done(cloud, CLIP)) == (3, 0)
    cloud.drain()
    assert cloud.video(CLIP).status == VideoStatus.COMPLETED


def test_both_videos_complete_when_a_worker_dies_at_any_moment(cloud: Cloud) -> None:
    """The clip's head runs on a message of the film, fails, and is tried again on its own."""
    other = VIDEO_ID

    def prepare(video_id: str) -> None:
        (cloud.engine.home / "faults.json").unlink(missing_ok=True)
        plan(cloud, video_id, chunks=2)
        transcode(cloud, 1)
        plan(cloud, other, chunks=1)
        cloud.engine.fails("transcode-chunk-0", code="OUTPUT_FAILED", exit_code=5)

    def scenario(video_id: str) -> None:
        cloud.deliver("transcode")
        cloud.pass_time(2)
        cloud.deliver("transcode")
        cloud.wire.kill_at = None
        cloud.heal()
        for each in (video_id, other):
            assert cloud.video(each).status == VideoStatus.COMPLETED
            assert cloud.events(each).count("video.completed") == 1
        assert cloud.due() == []

    for_every_moment(cloud, prepare, scenario)
