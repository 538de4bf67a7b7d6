"""What the tests of webhooks and of the topic have in common."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any
from unittest import mock

from pynamodb.expressions.update import Action
from standardwebhooks import Webhook as Verifier

from millrace import clients, clock, keys, news, transact, videos, webhooks
from millrace.errors import Reason
from millrace.model import Delivery, Item, VideoStatus, Webhook
from millrace.queues import Queues
from tests.unit.core.harness import TABLE, VIDEO_ID, Cloud
from tests.unit.core.internet import URL, Internet, Request

TOLD = {"video.playable": 1, "rendition.ready": 1, "video.completed": 1}
"""Of a video with one rendition that goes well."""


def subscribe(*events: str, url: str = URL) -> Webhook:
    return webhooks.create(url, events or news.EVENTS, None, "root")


def happen(video_id: str = VIDEO_ID) -> None:
    """A video fails: a move with nothing around it."""
    detail = videos.failure_detail(VideoStatus.PROCESSING, Reason.CORRUPT, "Frame 30 is damaged.")
    transact.commit([transact.entry(video_id, "video.failed", detail=detail)])


def queues(cloud: Cloud) -> Queues:
    return Queues(cloud.sqs, cloud.settings("api"))


def told(internet: Internet) -> dict[str, int]:
    """How often each type came in."""
    return dict(Counter(json.loads(request.body)["type"] for request in internet.requests))


def ids_by_type(internet: Internet) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for request in internet.requests:
        body = json.loads(request.body)
        found.setdefault(body["type"], set()).add(request.headers["webhook-id"])
    return found


def all_deliveries(cloud: Cloud) -> list[Delivery]:
    return [item for item in cloud.items() if isinstance(item, Delivery)]


def of_webhook(cloud: Cloud, webhook: Webhook) -> list[Delivery]:
    return [each for each in all_deliveries(cloud) if each.webhook_id == webhook.webhook_id]


def the_delivery(cloud: Cloud) -> Delivery:
    (only,) = all_deliveries(cloud)
    return only


def the_webhook() -> Webhook:
    (only,) = webhooks.everything()
    return only


def change(item: Item, *actions: Action) -> None:
    """Change an item behind everybody's back."""
    type(item)(item.pk, item.sk).update(actions=list(actions))


def wait_until_due(cloud: Cloud) -> None:
    """Let time pass until the delivery is to be looked at, and the monitor look."""
    due_at = datetime.fromisoformat(the_delivery(cloud).due_at or "")
    cloud.pass_time(max(0, (due_at - clock.now()).total_seconds()) + 0.001)
    cloud.monitor()
    cloud.drain()


def verify(secret: str, request: Request) -> Any:
    """As a receiver does, a second after it was sent."""
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]) + 1)
    with mock.patch("standardwebhooks.webhooks.datetime", wraps=datetime) as library_clock:
        library_clock.now.return_value = at.astimezone()
        return Verifier(secret).verify(request.body, request.headers)


class Snapshot:
    """Items as they were once, to begin from them again and again."""

    def __init__(self, cloud: Cloud) -> None:
        self._raw = cloud.database.items(TABLE)

    def restore(self) -> None:
        for raw in self._raw:
            Item.from_raw_data(raw).save()


def listen(cloud: Cloud) -> str:
    """Make a queue that subscribes to the topic; its URL."""
    url: str = cloud.sqs.create_queue(QueueName="listener")["QueueUrl"]
    found = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    topic, arn = cloud.environment["MILLRACE_TOPIC_ARN"], found["Attributes"]["QueueArn"]
    clients.sns().subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def heard(cloud: Cloud, url: str) -> list[dict[str, Any]]:
    """What the topic delivered, taken off the queue."""
    found = []
    while messages := cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in messages:
            found.append(json.loads(message["Body"]))
            cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def is_event_id(text: str) -> bool:
    return keys.EVENT_ID.fullmatch(text) is not None
