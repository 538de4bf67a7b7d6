"""Webhooks and the topic on the whole cloud, with a receiver as somebody would write it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import media
from tests.harness.pipeline import Pipeline, eventually
from tests.harness.receiver import Receiver, registered

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

TOPIC = "arn:aws:sns:us-east-1:000000000000:millrace-events"


@pytest.fixture
def receiver(pipeline: Pipeline) -> Iterator[Receiver]:
    with registered(pipeline, refused_twice="video.completed") as receiver:
        yield receiver


@pytest.fixture
def listener(pipeline: Pipeline) -> Iterator[str]:
    """A queue that subscribes to the topic, once the monitor has seen it; its URL."""
    sqs, sns = pipeline.client("sqs"), pipeline.client("sns")
    url = sqs.create_queue(QueueName="listener")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    made = sns.subscribe(
        TopicArn=TOPIC,
        Protocol="sqs",
        Endpoint=found["Attributes"]["QueueArn"],
        Attributes={"FilterPolicy": json.dumps({"type": ["video.completed", "video.failed"]})},
    )
    look(pipeline)
    yield str(url)
    sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
    look(pipeline)
    sqs.delete_queue(QueueUrl=url)


def look(pipeline: Pipeline) -> None:
    """Have the monitor look now instead of within a minute."""
    answer = pipeline.client("lambda").invoke(FunctionName="millrace-monitor", Payload=b"{}")
    assert "FunctionError" not in answer


def heard(pipeline: Pipeline, url: str) -> list[dict[str, Any]]:
    answer = pipeline.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    messages = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    return [json.loads(message["Message"]) for message in messages]


def test_events_arrive_once_each_and_verifiable_when_a_video_completes_and_another_fails(
    pipeline: Pipeline, receiver: Receiver, listener: str
) -> None:
    bad = media.written("hooks-text.mp4", b"This is not a video, whatever its name says.\n" * 200)
    failed = pipeline.upload(bad, "film.mp4")
    completed = pipeline.upload(media.silent_clip("silent.mp4"))
    video = pipeline.wait(completed, "completed")
    pipeline.wait(failed, "failed")
    renditions = len(video["renditions"])
    expected = {"video.playable": 1, "video.completed": 1, "rendition.ready": renditions}

    def all_told() -> bool:
        return receiver.told(completed) == expected and bool(receiver.told(failed))

    eventually(f"{expected} and a failure; so far {receiver.events}", all_told, 180)
    assert receiver.told(failed) == {"video.failed": 1}
    assert len({event["id"] for event in receiver.events}) == len(receiver.events)
    by_type = {event["type"]: event for event in receiver.events}
    assert receiver.attempts[by_type["video.completed"]["id"]] == 3
    assert by_type["video.completed"]["data"]["hls_url"] == video["hls_url"]
    assert by_type["video.completed"]["data"]["dash_url"] == video["dash_url"]
    assert by_type["video.failed"]["data"]["reason"]["code"] == "NOT_A_VIDEO"

    (webhook,) = pipeline.api("GET", "/webhooks").json()["webhooks"]
    path = f"/webhooks/{webhook['id']}/deliveries?limit=100"
    listed = pipeline.api("GET", path).json()["deliveries"]
    (of_completed,) = [each for each in listed if each["type"] == "video.completed"]
    tried = [attempt["status_code"] for attempt in of_completed["attempts"]]
    assert (of_completed["status"], tried) == ("delivered", [500, 500, 204])

    published: list[dict[str, Any]] = []

    def all_heard() -> bool:
        published.extend(heard(pipeline, listener))
        return len(published) >= 2

    eventually("both ends on the topic", all_heard, 120)
    ends = {(event["type"], event["data"]["video_id"]) for event in published}
    assert ends == {("video.completed", completed), ("video.failed", failed)}


def test_webhook_is_refused_when_it_leads_to_the_metadata_service(pipeline: Pipeline) -> None:
    body = {"url": "http://169.254.169.254/latest/meta-data/"}
    refused = pipeline.api("POST", "/webhooks", body)
    assert refused.status_code == 422
    assert [error["code"] for error in refused.json()["errors"]] == ["not_allowed"]
