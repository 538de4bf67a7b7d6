"""Webhooks and the topic on the whole cloud, with a receiver as somebody would write it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.harness import media
from tests.harness.pipeline import Pipeline, eventually

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

TOPIC = "arn:aws:sns:us-east-1:000000000000:millrace-events"
FAILS_TWICE = "video.completed"


@dataclass
class Receiver:
    """Verifies what comes in, and answers 500 to the first two attempts at one event."""

    url: str = ""
    secret: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of what was taken, with the id."""
    attempts: Counter[str] = field(default_factory=Counter)
    """By id."""

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        event: dict[str, Any] = Webhook(self.secret).verify(body, headers)
        event_id = headers["webhook-id"]
        self.attempts[event_id] += 1
        if event["type"] == FAILS_TWICE and self.attempts[event_id] <= 2:
            return 500
        self.events.append({**event, "id": event_id})
        return 204

    def told(self, video_id: str) -> dict[str, int]:
        mine = [event for event in self.events if event["data"].get("video_id") == video_id]
        return dict(Counter(event["type"] for event in mine))


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(body, headers))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not to the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/millrace"
        yield receiver
        server.shutdown()


@pytest.fixture
def receiver(pipeline: Pipeline) -> Iterator[Receiver]:
    with listening() as receiver:
        made = pipeline.api("POST", "/webhooks", {"url": receiver.url})
        assert made.status_code == 201, made.text
        receiver.secret = made.json()["secret"]
        yield receiver
        path = f"/webhooks/{made.json()['id']}"
        assert pipeline.api("DELETE", path).status_code == 204


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
