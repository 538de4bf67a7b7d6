from __future__ import annotations

import json
from typing import Any

import pytest

from millrace import events
from millrace.errors import Reason
from millrace.events import MalformedMessage, ObjectCreated, PublishAction, TaskMessage
from millrace.model import TaskKind
from tests.unit.core.harness import VIDEO_ID, s3_record

NOT_OBJECTS = ["", "{", "[]", "null", "3", '"text"', "\x00", "[" * 100_000]


def s3_body(**changes: Any) -> str:
    record = s3_record("uploads/a film+1.mp4", "etag", 5)
    record["s3"]["object"] |= changes
    return json.dumps({"Records": [record]})


def test_every_record_is_read_when_a_notification_has_several() -> None:
    records = [s3_record(f"uploads/{n}", f"etag{n}", n) for n in range(3)]
    found = events.parse_s3(json.dumps({"Records": records}))
    assert [(f.key, f.etag, f.size_bytes) for f in found] == [
        ("uploads/0", "etag0", 0),
        ("uploads/1", "etag1", 1),
        ("uploads/2", "etag2", 2),
    ]


@pytest.mark.parametrize("key", ["uploads/a film+1.mp4", "uploads/ä%20.mov", "uploads/日本/x"])
def test_key_is_decoded_when_it_has_special_characters(key: str) -> None:
    (found,) = events.parse_s3(json.dumps({"Records": [s3_record(key, "e", 1)]}))
    assert found.key == key


def test_own_notification_reads_back_when_an_object_was_found() -> None:
    created = ObjectCreated("bucket", "uploads/a film+é.mp4", "etag", 7, "2026-01-01T00:00:00Z")
    assert events.parse_s3(events.s3_body(created)) == [created]


def test_test_event_has_no_records_when_s3_sends_it() -> None:
    body = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}
    assert events.parse_s3(json.dumps(body)) == []


@pytest.mark.parametrize("event_name", ["s3:ObjectCreated:Put", "ObjectCreated:Copy"])
def test_event_name_is_accepted_when_an_object_was_created(event_name: str) -> None:
    record = {**s3_record("uploads/x", "e", 1), "eventName": event_name}
    assert len(events.parse_s3(json.dumps({"Records": [record]}))) == 1


@pytest.mark.parametrize(
    "body",
    [
        *NOT_OBJECTS,
        json.dumps({}),
        json.dumps({"Records": []}),
        json.dumps({"Records": {}}),
        json.dumps({"Records": ["x"]}),
        json.dumps({"Records": [None]}),
        json.dumps({"Records": [{}]}),
        json.dumps({"Records": [{**s3_record("k", "e", 1), "eventName": "ObjectRemoved:Delete"}]}),
        json.dumps({"Records": [{**s3_record("k", "e", 1), "s3": "x"}]}),
        s3_body(key=3),
        s3_body(key=""),
        s3_body(key="%ff"),
        s3_body(eTag=None),
        s3_body(size="big"),
        s3_body(size=-1),
    ],
)
def test_notification_is_rejected_when_its_shape_is_unknown(body: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        events.parse_s3(body)
    assert caught.value.reason is Reason.MALFORMED_MESSAGE


def test_task_message_reads_back_when_it_was_written() -> None:
    message = TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 2)
    assert events.parse_task(message.body()) == message
    assert json.loads(message.body()) == {
        "version": 1,
        "video_id": VIDEO_ID,
        "task_id": "transcode-00002",
        "kind": "transcode",
        "index": 2,
    }


def test_dead_letter_is_a_task_message_when_it_is_sent_back() -> None:
    message = TaskMessage(VIDEO_ID, TaskKind.PROBE, 0)
    letter = {**json.loads(message.body()), "reason": "CORRUPT", "attempts": []}
    assert events.parse_task(json.dumps(letter)) == message


def task_body(**changes: Any) -> str:
    return json.dumps({**json.loads(TaskMessage(VIDEO_ID, TaskKind.AUDIO, 1).body()), **changes})


@pytest.mark.parametrize(
    "body",
    [
        *NOT_OBJECTS,
        "{}",
        task_body(version=2),
        task_body(version="1"),
        task_body(video_id="UPPER"),
        task_body(video_id="../../../etc/passwd00000000"),
        task_body(video_id=None),
        task_body(kind="mine"),
        task_body(kind=["audio"]),
        task_body(index="1"),
        task_body(index=True),
        task_body(index=-1),
        task_body(index=100_000),
        task_body(task_id="audio-00002"),
    ],
)
def test_task_message_is_rejected_when_its_shape_is_unknown(body: str) -> None:
    with pytest.raises(MalformedMessage):
        events.parse_task(body)


def test_publish_message_reads_back_when_it_was_written() -> None:
    found = events.parse_publish(events.publish_body(PublishAction.PURGE, VIDEO_ID))
    assert (found.action, found.video_id) == (PublishAction.PURGE, VIDEO_ID)


@pytest.mark.parametrize(
    "body",
    [
        *NOT_OBJECTS,
        json.dumps({"version": 1, "action": "destroy", "video_id": VIDEO_ID}),
        json.dumps({"version": 1, "action": {}, "video_id": VIDEO_ID}),
        json.dumps({"version": 1, "action": "purge"}),
        json.dumps({"action": "purge", "video_id": VIDEO_ID}),
    ],
)
def test_publish_message_is_rejected_when_its_shape_is_unknown(body: str) -> None:
    with pytest.raises(MalformedMessage):
        events.parse_publish(body)
