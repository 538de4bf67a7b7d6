"""Listings, page by page: videos by time, dead letters newest first, and the transaction log of one
video.

A listing index is spread over `keys.SHARDS` partitions. A page reads the head of each of them,
merges by creation time and stops: its cost depends on the page size alone, at 100 videos as at
100,000. A cursor is a position, not a snapshot: what is newer than it is not seen again, what
was deleted meanwhile is simply gone.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from millrace import keys
from millrace.model import Delivery, DeliveryStatus, Item, Task, Transaction, Video
from millrace.paging import (
    DEFAULT_LIMIT,
    EXAMINED_PER_ENTRY,
    Page,
    decode_cursor,
    encode_cursor,
    only,
    parse_limit,
)
from millrace.problems import invalid_parameter
from millrace.video_query import VideoQuery

_LOG_KEY = re.compile(r"LOG#[\x20-\x7e]{1,900}")
_DELIVERY_LAST = "DELIVERY$"
"""Above every delivery's key: '$' follows '#'."""
_LOG_FIRST, _LOG_LAST = "LOG#", "LOG$"


@dataclass(frozen=True, slots=True)
class LetterQuery:
    """Which dead letters to list: of one queue, or (None) of all."""

    queue: str | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @property
    def scope(self) -> str:
        """What a cursor is bound to."""
        return f"letters|{self.queue or ''}"


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries of one webhook to list."""

    webhook_id: str
    statuses: tuple[DeliveryStatus, ...] = ()
    """None means all."""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @property
    def scope(self) -> str:
        """What a cursor is bound to."""
        return "|".join(["deliveries", self.webhook_id, *self.statuses])


def parse_event_query(params: Mapping[str, str]) -> tuple[int, str | None]:
    """`limit` and `cursor` of a transaction log.

    Raises:
        Problem: 400 invalid-parameters.
    """
    only(params, {"limit", "cursor"})
    return parse_limit(params), params.get("cursor")


def list_videos(query: VideoQuery, visible: Callable[[Video], bool]) -> Page[Video]:
    """One page of the videos that `visible` lets through, by the time they were made.

    Raises:
        Problem: 400 invalid-cursor.
    """
    low, high = query.times
    if query.cursor is not None:
        position = decode_cursor(query.scope, query.cursor, keys.CREATED_KEY)
        low, high = (
            (max(low, position), high) if query.sort.ascending else (low, min(high, position))
        )
    entries: list[Video] = []
    for examined, video in enumerate(_merged(query, low, high), start=1):
        if visible(video):
            if len(entries) == query.limit:
                return Page(entries, encode_cursor(query.scope, _created_key(entries[-1])))
            entries.append(video)
        if examined == query.limit * EXAMINED_PER_ENTRY:
            return Page(entries, encode_cursor(query.scope, _created_key(video)))
    return Page(entries, None)


def parse_letter_query(params: Mapping[str, str], queues: Sequence[str]) -> LetterQuery:
    """Read `queue`, `limit` and `cursor` of a listing of dead letters.

    Args:
        queues: names that `queue` may have.

    Raises:
        Problem: 400 invalid-parameters.
    """
    only(params, {"queue", "limit", "cursor"})
    queue = params.get("queue")
    if queue is not None and queue not in queues:
        raise invalid_parameter("queue", "unknown", f"queue is one of {', '.join(queues)}.")
    return LetterQuery(queue, parse_limit(params), params.get("cursor"))


def list_letters(query: LetterQuery) -> Page[Task]:
    """One page of the failed tasks that wait for somebody, those that failed last first.

    Raises:
        Problem: 400 invalid-cursor.
    """
    high = keys.CREATED_LAST
    if query.cursor is not None:
        high = decode_cursor(query.scope, query.cursor, keys.LETTER_KEY)
    shards = [_letters_of(query, shard, high) for shard in range(keys.SHARDS)]
    merged = heapq.merge(*shards, key=_created_key, reverse=True)
    entries = list(islice(merged, query.limit + 1))
    more = len(entries) > query.limit
    entries = entries[: query.limit]
    return Page(entries, encode_cursor(query.scope, _created_key(entries[-1])) if more else None)


def titles(video_ids: Collection[str]) -> dict[str, str]:
    """What those of the videos are called that are there, by id. May be a second old."""
    wanted = [(keys.video_pk(video_id), keys.VIDEO_SK) for video_id in video_ids]
    parts = ["kind", "video_id", "title"]
    found = Video.batch_get(wanted, attributes_to_get=parts) if wanted else ()
    return {video.video_id: video.title for video in found}


def parse_delivery_query(params: Mapping[str, str], webhook_id: str) -> DeliveryQuery:
    """Read `status`, `limit` and `cursor` of a webhook's deliveries.

    Raises:
        Problem: 400 invalid-parameters.
    """
    only(params, {"status", "limit", "cursor"})
    known = {status.lower(): status for status in DeliveryStatus}
    status = params.get("status")
    if status is not None and status not in known:
        raise invalid_parameter("status", "unknown", f"status is one of {', '.join(known)}.")
    wanted = (known[status],) if status is not None else ()
    return DeliveryQuery(webhook_id, wanted, parse_limit(params), params.get("cursor"))


def list_deliveries(query: DeliveryQuery) -> Page[Delivery]:
    """One page of a webhook's deliveries, newest first.

    Raises:
        Problem: 400 invalid-cursor.
    """
    below = _DELIVERY_LAST
    if query.cursor is not None:
        below = decode_cursor(query.scope, query.cursor, keys.DELIVERY_SK)
    shards = [_deliveries_of(query, shard, below) for shard in range(keys.SHARDS)]
    merged = heapq.merge(*shards, key=lambda delivery: str(delivery.sk), reverse=True)
    entries: list[Delivery] = []
    for examined, delivery in enumerate(merged, start=1):
        if not query.statuses or delivery.status in query.statuses:
            if len(entries) == query.limit:
                return Page(entries, encode_cursor(query.scope, entries[-1].sk))
            entries.append(delivery)
        if examined == query.limit * EXAMINED_PER_ENTRY:
            return Page(entries, encode_cursor(query.scope, delivery.sk))
    return Page(entries, None)


def list_events(video_id: str, limit: int, cursor: str | None) -> Page[Transaction]:
    """One page of a video's transaction log, oldest first.

    Raises:
        Problem: 400 invalid-cursor.
    """
    scope = f"events|{video_id}"
    low = decode_cursor(scope, cursor, _LOG_KEY) if cursor is not None else _LOG_FIRST
    found = Item.query(
        keys.video_pk(video_id),
        Item.sk.between(low, _LOG_LAST),
        consistent_read=True,
        page_size=limit + 2,
    )
    # BETWEEN includes its bounds; the cursor's own line was on the page before.
    logs = (item for item in found if isinstance(item, Transaction) and item.sk != low)
    entries = list(islice(logs, limit + 1))
    more = len(entries) > limit
    entries = entries[:limit]
    return Page(entries, encode_cursor(scope, entries[-1].sk) if more else None)


def _merged(query: VideoQuery, low: str, high: str) -> Iterator[Video]:
    shards = [_shard(query, shard, low, high) for shard in range(keys.SHARDS)]
    return heapq.merge(*shards, key=_created_key, reverse=not query.sort.ascending)


def _shard(query: VideoQuery, shard: int, low: str, high: str) -> Iterator[Video]:
    """Lazily, one shard's videos between two keys, in the query's order."""
    # A shard holds a quarter of a page's videos on average; a few more spare a second request.
    page_size = query.limit // keys.SHARDS + 4
    within, forward = Item.created_key.between(low, high), query.sort.ascending
    if query.status is None:
        found = Item.by_created.query(
            keys.created_shard(shard), within, scan_index_forward=forward, page_size=page_size
        )
    else:
        partition = keys.status_shard(query.status.value, shard)
        found = Item.by_status.query(
            partition, within, scan_index_forward=forward, page_size=page_size
        )
    # BETWEEN includes its bounds; the cursor's own video was on the page before.
    inside = (item for item in found if low < _created_key(item) < high)
    return (item for item in inside if isinstance(item, Video))


def _letters_of(query: LetterQuery, shard: int, high: str) -> Iterator[Task]:
    """Lazily, one shard's dead letters below `high`, newest first."""
    page_size = query.limit // keys.SHARDS + 4
    below = Item.created_key < high
    if query.queue is None:
        partition = keys.letters_shard(shard)
        found = Item.by_created.query(
            partition, below, scan_index_forward=False, page_size=page_size
        )
    else:
        partition = keys.queue_letters_shard(query.queue, shard)
        found = Item.by_status.query(
            partition, below, scan_index_forward=False, page_size=page_size
        )
    return (item for item in found if isinstance(item, Task))


def _deliveries_of(query: DeliveryQuery, shard: int, below: str) -> Iterator[Delivery]:
    """Lazily, one shard's deliveries below a key, newest first."""
    found = Item.query(
        keys.deliveries_pk(query.webhook_id, shard),
        Item.sk < below,
        scan_index_forward=False,
        page_size=query.limit // keys.SHARDS + 4,
    )
    return (item for item in found if isinstance(item, Delivery))


def _created_key(item: Item) -> str:
    return item.created_key or ""  # never empty in an index that is sorted by it
