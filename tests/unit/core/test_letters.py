"""Dead letters of the queues that carry no tasks: the monitor sends again what can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from millrace import events, keys, letters, videos
from millrace.events import PublishAction
from millrace.model import VideoStatus
from millrace.queues import Queues
from tests.unit.core.harness import SITE, UPLOADS, VIDEO_ID, Cloud
from tests.unit.core.wire import Crash

UNANNOUNCED = "uploads/by-hand/holiday.mp4"
RECEIVES = 5
"""As `cdk.functions.MAX_RECEIVE_COUNT`."""


@contextmanager
def s3_away(cloud: Cloud) -> Iterator[None]:
    def refuse(operation: str) -> None:
        if operation.startswith(("HeadObject", "ListObject", "PutObject", "DeleteObject")):
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "later"}}, operation)

    cloud.wire.on_call = refuse
    yield
    cloud.wire.on_call = None


def deliver_until_given_up(cloud: Cloud, queue: str) -> None:
    """SQS moves what was received too often to the dead-letter queue."""
    url, dlq = (
        cloud.environment[f"MILLRACE_{queue.upper()}_{kind}_URL"] for kind in ("QUEUE", "DLQ")
    )
    found = cloud.sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": found["Attributes"]["QueueArn"], "maxReceiveCount": RECEIVES}
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    for _ in range(RECEIVES + 1):
        cloud.deliver(queue)
        cloud.pass_time(400)
    assert monitors_queues(cloud).letters(queue) == 1


def monitors_queues(cloud: Cloud) -> Queues:
    return Queues(cloud.sqs, cloud.settings("monitor"))


def bury(cloud: Cloud, queue: str, body: str, **order: Any) -> None:
    url = cloud.environment[f"MILLRACE_{queue.upper()}_DLQ_URL"]
    cloud.sqs.send_message(QueueUrl=url, MessageBody=body, **order)


def arrival(cloud: Cloud) -> str:
    found = events.ObjectCreated(UPLOADS, UNANNOUNCED, cloud.put_object(UNANNOUNCED), 6, "now")
    return events.s3_body(found)


def test_unannounced_object_becomes_a_video_when_s3_was_away_for_all_its_tries(
    cloud: Cloud,
) -> None:
    cloud.notify(UNANNOUNCED, cloud.put_object(UNANNOUNCED), 6)
    with s3_away(cloud):
        deliver_until_given_up(cloud, "ingest")
    cloud.monitor()
    cloud.drain()
    video = cloud.video(keys.video_id_of_object(UPLOADS, UNANNOUNCED))
    assert video.status == VideoStatus.COMPLETED
    assert monitors_queues(cloud).letters("ingest") == 0


def test_objects_of_a_deleted_video_go_when_s3_was_away_for_all_tries_of_the_purge(
    cloud: Cloud,
) -> None:
    cloud.upload()
    cloud.drain()
    videos.request_delete(monitors_queues(cloud), VIDEO_ID, "admin")
    with s3_away(cloud):
        deliver_until_given_up(cloud, "publish")
    letters.send_again(monitors_queues(cloud), deadline=float("inf"))
    cloud.drain()
    assert cloud.objects(SITE) == {}
    assert videos.get(VIDEO_ID) is None
    assert monitors_queues(cloud).letters("publish") == 0


def test_letter_stays_when_nobody_can_read_it(cloud: Cloud) -> None:
    cloud.send("ingest", "gibberish")
    cloud.deliver("ingest")
    bury(cloud, "ingest", arrival(cloud))
    cloud.monitor()
    assert cloud.waiting("ingest") == 1
    cloud.pass_time(20)
    (left,) = cloud.dead_letters("ingest")
    assert (left["body"], left["reason"]) == ("gibberish", "MALFORMED_MESSAGE")


@pytest.mark.parametrize("queue", ["notify", "probe"])
def test_letter_stays_when_it_is_for_people_to_redrive(cloud: Cloud, queue: str) -> None:
    body = {
        "notify": events.notify_body("evt_" + "0" * 32, "wh_" + "a" * 26),
        "probe": json.dumps({"version": 1}),
    }[queue]
    bury(cloud, queue, body)
    cloud.monitor()
    assert cloud.waiting(queue) == 0
    assert len(cloud.dead_letters(queue)) == 1


def test_letter_is_not_lost_when_the_monitor_dies_between_sending_and_deleting(
    cloud: Cloud,
) -> None:
    bury(cloud, "ingest", arrival(cloud))
    cloud.wire.moments, cloud.wire.kill_at = [], 2
    with pytest.raises(Crash), cloud.wire.function():
        letters.send_again(monitors_queues(cloud), deadline=float("inf"))
    assert cloud.wire.moments == ["before SendMessage", "before DeleteMessage"]
    cloud.wire.kill_at = None
    cloud.pass_time(60)
    cloud.monitor()
    assert cloud.waiting("ingest") == 2, "sent twice"
    cloud.drain()
    made = keys.video_id_of_object(UPLOADS, UNANNOUNCED)
    assert cloud.events(made).count("video.completed") == 1


def test_round_ends_when_there_are_more_letters_than_it_may_send(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST_AT_ONCE", 20)
    body = arrival(cloud)
    for _ in range(25):
        bury(cloud, "ingest", body)
    letters.send_again(monitors_queues(cloud), deadline=float("inf"))
    assert (cloud.waiting("ingest"), monitors_queues(cloud).letters("ingest")) == (20, 5)
    letters.send_again(monitors_queues(cloud), deadline=float("inf"))
    assert (cloud.waiting("ingest"), monitors_queues(cloud).letters("ingest")) == (25, 0)


def test_other_queue_is_seen_to_when_one_cannot_be_reached(cloud: Cloud) -> None:
    queues = monitors_queues(cloud)
    publish = events.publish_body(PublishAction.PUBLISH, VIDEO_ID)
    bury(cloud, "publish", publish, MessageGroupId=VIDEO_ID, MessageDeduplicationId="1")
    cloud.sqs.delete_queue(QueueUrl=queues.settings.ingest_dlq_url)
    letters.send_again(queues, deadline=float("inf"))
    assert cloud.waiting("publish") == 1
