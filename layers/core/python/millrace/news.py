"""The outbox: which moves the outside is told of, and who wants to know.

A line of the log that somebody listens for is written together with its news, in the transaction of
the move itself (`transact.commit`): what happened cannot go untold, and what did not happen is not
told. Where nobody listens nothing is written, and a move costs one small read more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import DoesNotExist

from millrace import clients, clock, events, keys, trace_ids
from millrace.model import Item, News, Topic, Transaction, Webhook

EVENTS = ("video.playable", "video.completed", "video.failed", "rendition.ready")
"""Lines of the log that may be told; a webhook chooses among them."""
TEST = "webhook.test"
"""Not of the log: somebody asked for it."""
TELL_AFTER_S = 60
"""News whose message did nothing for this long get another one."""
KEPT = timedelta(days=30)
"""News and deliveries are forgotten after this."""
_AT_ONCE = 10
"""Messages in one request to SQS."""

_queue_url = ""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told."""

    webhooks: tuple[Webhook, ...]
    """Enabled ones."""
    topic: bool
    """Whether anybody listens to the SNS topic."""

    def wants(self, event: str) -> bool:
        return self.topic or any(event in webhook.events for webhook in self.webhooks)


def bind(queue_url: str) -> None:
    """Send messages about news to this queue. Called once, when the settings are loaded."""
    global _queue_url  # noqa: PLW0603 - the process has one queue, as it has one table
    _queue_url = queue_url


def audience() -> Audience:
    """Everybody who listens now (a consistent read of one partition)."""
    items = list(Item.query(keys.HOOKS_PK, consistent_read=True))
    webhooks = [item for item in items if isinstance(item, Webhook)]
    return Audience(
        tuple(webhook for webhook in webhooks if webhook.disabled_at is None),
        any(isinstance(item, Topic) and item.listening for item in items),
    )


def of(lines: Sequence[Transaction]) -> list[News]:
    """The news of some lines of the log, not yet written: of those that somebody listens for. The
    lines name them from now on."""
    tellable = [line for line in lines if line.event in EVENTS]
    if not tellable:
        return []
    listeners = audience()
    told = []
    for line in tellable:
        if listeners.wants(line.event):
            item = new(line.event, datetime.fromisoformat(line.at), line.video_id, line.detail)
            line.event_id = item.event_id
            told.append(item)
    return told


def new(event: str, at: datetime, video_id: str | None, detail: object = None) -> News:
    """News not yet written. They are due at the monitor in case their message gets lost."""
    event_id = keys.new_event_id(at)
    return News(
        keys.news_pk(event_id),
        keys.NEWS_SK,
        event_id=event_id,
        event=event,
        video_id=video_id,
        at=keys.timestamp(at),
        detail=detail,
        due_shard=keys.telling_shard(keys.shard_of(event_id)),
        due_at=clock.stamp(TELL_AFTER_S),
        ttl=clock.now() + KEPT,
    )


def get(event_id: str) -> News | None:
    try:
        return News.get(keys.news_pk(event_id), keys.NEWS_SK, consistent_read=True)
    except DoesNotExist:
        return None


def announce(told: Sequence[News]) -> None:
    """Have news told now. Whatever happens here, the move was made: the monitor tells them else."""
    if not _queue_url:
        return
    for start in range(0, len(told), _AT_ONCE):
        entries: Any = [
            {
                "Id": str(number),
                "MessageBody": events.notify_body(item.event_id),
                "MessageAttributes": trace_ids.message_attributes(item.video_id),
            }
            for number, item in enumerate(told[start : start + _AT_ONCE])
        ]
        with suppress(BotoCoreError, ClientError, OSError):
            clients.sqs().send_message_batch(QueueUrl=_queue_url, Entries=entries)
