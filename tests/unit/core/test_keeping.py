"""What is stored once never changes: late, slow and repeated attempts at the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from millrace import keys, steering
from millrace.model import TaskKind, VideoStatus
from millrace.outputs import track_from_json
from millrace.queues import Queues
from millrace.storage import Bucket
from tests.unit.core.harness import SITE, VIDEO_ID, Cloud

SEGMENT, INIT = "180p/00001.m4s", "180p/init.mp4"
OTHER = b"the same pictures in other bytes"


@pytest.fixture
def bucket(cloud: Cloud) -> Bucket:
    return Bucket(cloud.s3, SITE)


def store(cloud: Cloud, path: str, attempt: int, body: bytes = OTHER) -> None:
    """As an attempt of some worker that nobody hears of again."""
    metadata = {"attempt": str(attempt), "iframe-bytes": "7"}
    key = keys.media_key(VIDEO_ID, path)
    cloud.s3.put_object(Bucket=SITE, Key=key, Body=body, Metadata=metadata)


def stored(cloud: Cloud, path: str) -> bytes:
    return cloud.objects(SITE)[keys.media_key(VIDEO_ID, path)]


def retry(cloud: Cloud) -> None:
    steering.retry(Queues(cloud.sqs, cloud.settings("api")), VIDEO_ID, "admin")
    cloud.heal()
    assert cloud.video().status == VideoStatus.COMPLETED


def test_first_bytes_stay_and_are_told_of_when_another_attempt_stored_them(cloud: Cloud) -> None:
    cloud.upload()
    for path in (SEGMENT, INIT):
        store(cloud, path, attempt=1)
    cloud.drain()
    assert stored(cloud, SEGMENT) == stored(cloud, INIT) == OTHER
    made = track_from_json(cloud.task(TaskKind.TRANSCODE).output["tracks"]["180p"])
    assert (made.segments[1].size_bytes, made.segments[1].iframe_bytes) == (len(OTHER), 7)
    assert made.segments[0].size_bytes == len(stored(cloud, "180p/00000.m4s"))
    assert "#EXT-X-BYTERANGE:7@0\n00001.m4s" in cloud.playlist("180p/iframes.m3u8")


def test_files_are_stored_once_when_an_attempt_is_repeated(cloud: Cloud) -> None:
    cloud.engine.fails("transcode-chunk-0", do="kill", moment="end")
    cloud.upload()
    cloud.drain()
    before = cloud.s3.head_object(Bucket=SITE, Key=keys.media_key(VIDEO_ID, SEGMENT))
    cloud.pass_time(5)
    cloud.heal()
    assert cloud.video().status == VideoStatus.COMPLETED
    after = cloud.s3.head_object(Bucket=SITE, Key=keys.media_key(VIDEO_ID, SEGMENT))
    assert (after["Metadata"]["attempt"], after["ETag"]) == ("1", before["ETag"])


def test_segments_are_made_anew_but_no_init_file_when_a_failed_task_is_redriven(
    cloud: Cloud,
) -> None:
    cloud.engine.fails("transcode-chunk-0", moment="middle")
    cloud.upload()
    cloud.heal()
    assert cloud.video().status == VideoStatus.FAILED
    for path in (SEGMENT, INIT):
        store(cloud, path, attempt=1)
    retry(cloud)
    assert stored(cloud, SEGMENT).startswith(b"180p segment 1")
    assert stored(cloud, INIT) == OTHER
    head = cloud.s3.head_object(Bucket=SITE, Key=keys.media_key(VIDEO_ID, SEGMENT))
    assert head["Metadata"]["attempt"] == "2"


def test_task_is_tried_again_when_others_store_the_same_file_again_and_again(
    cloud: Cloud,
) -> None:
    cloud.engine.fails("transcode-chunk-0", moment="middle")
    cloud.upload()
    cloud.heal()
    store(cloud, SEGMENT, attempt=1)
    puts = 0

    def interfere(operation: str) -> None:
        nonlocal puts
        if operation == "PutObject" and puts < 20:
            puts += 1
            body = f"bytes {puts}"
            key = keys.media_key(VIDEO_ID, SEGMENT)
            cloud.wire._real(
                cloud.s3,
                "PutObject",
                {"Bucket": SITE, "Key": key, "Body": body, "Metadata": {"attempt": "1"}},
            )

    cloud.wire.on_call = interfere
    steering.retry(Queues(cloud.sqs, cloud.settings("api")), VIDEO_ID, "admin")
    cloud.drain()
    cloud.wire.on_call = None
    assert cloud.task(TaskKind.TRANSCODE).attempts[-1]["reason"] == "OUTPUT_FAILED"
    cloud.pass_time(5)
    cloud.heal()
    assert cloud.video().status == VideoStatus.COMPLETED


def test_one_of_two_writers_succeeds_when_both_expect_the_same(
    bucket: Bucket, tmp_path: Path
) -> None:
    first, second = tmp_path / "1.m4s", tmp_path / "2.m4s"
    first.write_text("one")
    second.write_text("two")
    key = "videos/a/x.m4s"
    assert bucket.put_file_once(key, first, {"attempt": "1"})
    assert not bucket.put_file_once(key, second, {"attempt": "2"})
    before = bucket.head(key)
    assert before is not None
    assert before.metadata == {"attempt": "1"}
    assert bucket.put_file_once(key, second, {"attempt": "2"}, replacing=before.etag)
    assert not bucket.put_file_once(key, first, {"attempt": "3"}, replacing=before.etag)
    bucket.delete_key(key)
    assert not bucket.put_file_once(key, first, {"attempt": "4"}, replacing=before.etag)
    assert bucket.head(key) is None
