"""How long the oldest has waited of what a queue's messages are about: by the table, because SQS
tells the age of a message to nobody but CloudWatch, and its emulators to nobody at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pynamodb.exceptions import DoesNotExist

from millrace import clock, keys, turns
from millrace.model import Delivery, DeliveryStatus, Item, News, Video, VideoStatus
from millrace.queues import TASK_QUEUES, Depth

_LOOKED_AT = 8
"""Items that are read of each end of each shard."""


def oldest_age_s(queue: str, depth: Depth) -> float | None:
    """In seconds; None if nothing waits, or nobody knows: of an upload, the table learns by the
    message that would wait."""
    if queue in TASK_QUEUES:
        return turns.oldest_age_s(queue) if depth.waiting else None
    beginnings = _BEGINNINGS.get(queue)
    # In flight may also be what fails and is held back, again and again.
    if beginnings is None or not (depth.waiting or depth.in_flight):
        return None
    oldest = min(beginnings(), default=None)
    return None if oldest is None else round(max(0.0, clock.age_s(oldest)), 1)


def _unpublished() -> Iterator[str]:
    """Since when videos have had something that is not published, or have been about to be deleted:
    of those that were made first."""
    for status in (VideoStatus.PROCESSING, VideoStatus.DELETING):
        for shard in range(keys.SHARDS):
            found = Item.by_status.query(keys.status_shard(status, shard), limit=_LOOKED_AT)
            since = (_behind_since(item) for item in found if isinstance(item, Video))
            yield from filter(None, since)


def _behind_since(video: Video) -> str | None:
    if video.status == VideoStatus.DELETING:
        return str(video.updated_at)
    if video.reviving_since is not None:
        return str(video.reviving_since)
    if video.steps > max(0, int(video.published_steps)):
        return str(video.unpublished_since or video.updated_at)
    return None


def _untold() -> Iterator[str]:
    """Since when news and deliveries could have gone out: of those whose reminder comes next and of
    those whose reminder comes last."""
    for shard in range(keys.SHARDS):
        for forward in (True, False):
            found = Item.by_due.query(
                keys.telling_shard(shard), limit=_LOOKED_AT, scan_index_forward=forward
            )
            yield from filter(None, (_ready_since(item.pk, item.sk) for item in found))


def _ready_since(pk: str, sk: str) -> str | None:
    """None of what is done, or is to wait before its next attempt."""
    try:
        item = Item.get(pk, sk, consistent_read=True)
    except DoesNotExist:
        return None
    if isinstance(item, News) and item.due_at is not None:
        return str(item.at)
    if isinstance(item, Delivery) and item.status == DeliveryStatus.PENDING:
        since = str(item.next_at or item.created_at)
        return since if since <= clock.stamp() else None
    return None


_BEGINNINGS: Mapping[str, Callable[[], Iterator[str]]] = {
    "publish": _unpublished,
    "notify": _untold,
}
