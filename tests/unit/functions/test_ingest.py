"""Notifications of S3: duplicated, late, out of order, malformed, about anything."""

from __future__ import annotations

import json

import pytest

from millrace import keys, videos
from millrace.errors import Reason
from millrace.model import TaskKind, TaskStatus, VideoStatus
from tests.unit.core.harness import SITE, UPLOADS, VIDEO_ID, Cloud, s3_record

KEY = keys.upload_key(VIDEO_ID, ".mp4")


def announce(declared_bytes: int | None = 6) -> None:
    videos.create(
        video_id=VIDEO_ID,
        title="A film",
        filename="film.mp4",
        upload_key=KEY,
        declared_bytes=declared_bytes,
    )


def arrive(cloud: Cloud, body: bytes = b"a film", key: str = KEY) -> None:
    cloud.notify(key, cloud.put_object(key, body), len(body))
    cloud.deliver("ingest")


def test_video_is_queued_when_its_object_arrives(cloud: Cloud) -> None:
    announce()
    arrive(cloud)
    video = cloud.video()
    assert video.status == VideoStatus.QUEUED
    assert (video.source_bytes, len(video.source_etag or "")) == (6, 32)
    assert video.uploaded_at is not None
    assert cloud.task(TaskKind.PROBE).status == TaskStatus.PENDING
    assert cloud.waiting("probe") == 1
    assert cloud.waiting("ingest") == 0


@pytest.mark.parametrize("stage", ["queued", "processing", "completed"])
def test_second_notification_changes_nothing_when_it_comes_while(cloud: Cloud, stage: str) -> None:
    announce()
    arrive(cloud)
    if stage == "processing":
        cloud.deliver("probe")
    elif stage == "completed":
        cloud.drain()
    log, video = cloud.events(), cloud.video()
    etag = str(video.source_etag)
    cloud.notify(KEY, etag, 6)
    cloud.notify(KEY, etag, 6)
    cloud.deliver("ingest")
    assert cloud.events() == log
    assert cloud.video().updated_at == video.updated_at
    assert cloud.dead_letters("ingest") == []
    cloud.heal()
    assert cloud.events().count("video.completed") == 1
    assert cloud.engine.calls().count("probe") == 1


def test_every_record_counts_when_one_message_has_several(cloud: Cloud) -> None:
    names = [f"uploads/film {n}.mp4" for n in range(3)]
    records = [s3_record(name, cloud.put_object(name), 6) for name in names]
    foreign = s3_record("elsewhere/x.mp4", "e", 6)
    cloud.send("ingest", json.dumps({"Records": [records[0], foreign, *records[1:]]}))
    cloud.drain()
    for number, name in enumerate(names):
        video = cloud.video(keys.video_id_of_object(UPLOADS, name))
        assert (video.status, video.title) == (VideoStatus.COMPLETED, f"film {number}")
    assert len(cloud.dead_letters("ingest")) == 1


def test_object_gets_one_video_when_nobody_announced_it_and_it_is_told_twice(cloud: Cloud) -> None:
    name = "uploads/von Hand/Früh ling+.mov"
    arrive(cloud, key=name)
    arrive(cloud, key=name)
    video_id = keys.video_id_of_object(UPLOADS, name)
    video = cloud.video(video_id)
    assert (video.title, video.filename) == ("Früh ling+", "Früh ling+.mov")
    assert video.upload_key == name
    assert video.owner is None
    cloud.drain()
    assert cloud.events(video_id).count("video.completed") == 1


def test_version_stored_now_counts_when_notifications_are_out_of_order(cloud: Cloud) -> None:
    announce(declared_bytes=None)
    old = cloud.put_object(KEY, b"first")
    new = cloud.put_object(KEY, b"second")
    cloud.notify(KEY, old, 5)
    cloud.deliver("ingest")
    assert cloud.video().status == VideoStatus.AWAITING_UPLOAD
    cloud.notify(KEY, new, 6)
    cloud.notify(KEY, old, 5)
    cloud.deliver("ingest")
    assert (cloud.video().status, cloud.video().source_etag) == (VideoStatus.QUEUED, new)


def test_replaced_object_changes_nothing_when_the_video_is_under_way(cloud: Cloud) -> None:
    announce()
    arrive(cloud)
    etag = cloud.video().source_etag
    arrive(cloud, b"other!")
    assert cloud.video().source_etag == etag
    assert cloud.events() == ["upload.created", "video.uploaded"]


def test_late_notification_makes_no_video_when_the_object_is_gone(cloud: Cloud) -> None:
    for key in (KEY, "uploads/some.mp4"):
        cloud.notify(key, "0" * 32, 6)
    cloud.drain()
    assert cloud.items() == []
    assert cloud.waiting("ingest") == 0


@pytest.mark.parametrize(
    ("key", "bucket"),
    [
        ("videos/x.mp4", UPLOADS),
        ("film.mp4", UPLOADS),
        ("Uploads/film.mp4", UPLOADS),
        ("uploads/", UPLOADS),
        ("uploads/folder/", UPLOADS),
        (KEY, SITE),
        (KEY, "somebody-elses-bucket"),
    ],
)
def test_notification_is_rejected_loudly_but_acknowledged_when_the_object_is_no_upload(
    cloud: Cloud, key: str, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    announce()
    cloud.send("ingest", json.dumps({"Records": [s3_record(key, "e", 6, bucket)]}))
    cloud.drain()
    assert "object.foreign" in caplog.text
    (letter,) = cloud.dead_letters("ingest")
    assert (letter["reason"], key in letter["message"]) == ("MALFORMED_MESSAGE", True)
    assert cloud.video().status == VideoStatus.AWAITING_UPLOAD
    assert cloud.waiting("ingest") == 0
    assert cloud.engine.calls() == []


@pytest.mark.parametrize("body", ["nonsense", "{}", '{"Records":[{}]}', '{"Records":"x"}'])
def test_message_is_kept_and_others_go_on_when_it_cannot_be_read(cloud: Cloud, body: str) -> None:
    cloud.send("ingest", body)
    cloud.upload()
    cloud.drain()
    (letter,) = cloud.dead_letters("ingest")
    assert (letter["body"], letter["reason"]) == (body, "MALFORMED_MESSAGE")
    assert cloud.video().status == VideoStatus.COMPLETED


def test_test_message_is_acknowledged_when_s3_sends_it(cloud: Cloud) -> None:
    cloud.send("ingest", json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}))
    cloud.drain()
    assert cloud.waiting("ingest") == 0
    assert cloud.dead_letters("ingest") == []


@pytest.mark.parametrize(
    ("body", "declared", "reason"),
    [
        (b"", 0, Reason.EMPTY_FILE),
        (b"", None, Reason.EMPTY_FILE),
        (b"", 6, Reason.EMPTY_FILE),
        (b"more than said", 6, Reason.LIMIT_EXCEEDED),
        (b"less", 6, Reason.LIMIT_EXCEEDED),
        (b"x" * 1_000_001, 1_000_001, Reason.LIMIT_EXCEEDED),
    ],
)
def test_video_fails_with_dead_letter_and_without_engine_when_its_size_is_wrong(
    cloud: Cloud, body: bytes, declared: int | None, reason: Reason
) -> None:
    announce(declared)
    arrive(cloud, body)
    cloud.drain()
    video = cloud.video()
    assert (video.status, video.reason) == (VideoStatus.FAILED, reason)
    (letter,) = cloud.dead_letters("probe")
    assert (letter["video_id"], letter["reason"]) == (VIDEO_ID, reason)
    assert letter["message"] == video.reason_message
    assert cloud.engine.calls() == []
    assert cloud.due() == []


def test_empty_object_fails_visibly_when_nobody_announced_it(cloud: Cloud) -> None:
    arrive(cloud, b"", "uploads/nothing.mp4")
    cloud.drain()
    video = cloud.video(keys.video_id_of_object(UPLOADS, "uploads/nothing.mp4"))
    assert (video.status, video.reason) == (VideoStatus.FAILED, "EMPTY_FILE")
    assert len(cloud.dead_letters("probe")) == 1


def test_message_comes_back_soon_when_s3_is_away(cloud: Cloud) -> None:
    announce()
    etag = cloud.put_object(KEY)
    cloud.notify(KEY, etag, 6)
    away = iter([True])

    def refuse(operation: str) -> None:
        if operation == "HeadObject" and next(away, False):
            raise ConnectionError("S3 is away")

    cloud.wire.on_call = refuse
    cloud.deliver("ingest")
    assert cloud.video().status == VideoStatus.AWAITING_UPLOAD
    cloud.pass_time(1.5)
    cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED
