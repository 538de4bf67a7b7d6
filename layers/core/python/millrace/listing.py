"""Listings: videos and dead letters newest first, and the transaction log of one video, page by
page.

A listing index is spread over `keys.SHARDS` partitions. A page reads the head of each of them,
merges by creation time and stops: its cost depends on the page size alone, at 100 videos as at
100,000. A cursor is a position, not a snapshot: what is newer than it is not seen again, what
was deleted meanwhile is simply gone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import heapq
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Generic, TypeVar

from millrace import keys
from millrace.model import Delivery, DeliveryStatus, Item, Task, Transaction, Video, VideoStatus
from millrace.problems import FieldError, Problem, ProblemType, invalid_parameter

DEFAULT_LIMIT = 24
MAX_LIMIT = 100
_EXAMINED_PER_ENTRY = 4
"""A page gives up after this many items per entry asked for, and comes out short, with a cursor:
hidden items must not make a request's cost depend on how many there are."""

_FIRST, _LAST = "0", ":"
"""Below and above every creation key: they start with a digit, and ':' follows '9'."""
_CREATED_KEY = re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z#{keys.VIDEO_ID.pattern}")
_LOG_KEY = re.compile(r"LOG#[\x20-\x7e]{1,900}")
_DELIVERY_LAST = "DELIVERY$"
"""Above every delivery's key: '$' follows '#'."""
_LOG_FIRST, _LOG_LAST = "LOG#", "LOG$"
_DIGEST_BYTES = 9
_YEARS = range(1970, 9999)
"""Outside of these, creation keys would no longer sort as text."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    entries: list[T]
    next_cursor: str | None
    """None on the last page. A page may be short, even empty, and still have a next one."""


@dataclass(frozen=True, slots=True)
class VideoQuery:
    """What to list. Times are aware; `created_from` is inclusive, `created_before` exclusive."""

    status: VideoStatus | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @property
    def scope(self) -> str:
        """What a cursor is bound to: it means nothing under other filters."""
        bounds = [keys.timestamp(t) if t else "" for t in (self.created_from, self.created_before)]
        return "|".join(["videos", self.status or "", *bounds])


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


def parse_video_query(params: Mapping[str, str], statuses: Mapping[str, VideoStatus]) -> VideoQuery:
    """Read `status`, `from`, `to`, `limit` and `cursor`.

    Args:
        params: the query string, decoded.
        statuses: the names this caller may filter by.

    Raises:
        Problem: 400 invalid-parameters.
    """
    _only(params, {"status", "from", "to", "limit", "cursor"})
    status = params.get("status")
    if status is not None and status not in statuses:
        raise invalid_parameter("status", "unknown", f"status is one of {', '.join(statuses)}.")
    created_from = _time(params, "from", day_end=False)
    created_before = _time(params, "to", day_end=True)
    if created_from and created_before and created_from >= created_before:
        raise invalid_parameter("to", "before_from", "'to' must be later than 'from'.")
    return VideoQuery(
        status=statuses[status] if status is not None else None,
        created_from=created_from,
        created_before=created_before,
        limit=parse_limit(params),
        cursor=params.get("cursor"),
    )


def parse_event_query(params: Mapping[str, str]) -> tuple[int, str | None]:
    """`limit` and `cursor` of a transaction log.

    Raises:
        Problem: 400 invalid-parameters.
    """
    _only(params, {"limit", "cursor"})
    return parse_limit(params), params.get("cursor")


def parse_limit(params: Mapping[str, str]) -> int:
    """`limit`, 1 to 100, 24 when absent."""
    text = params.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise invalid_parameter("limit", "out_of_range", f"limit is 1 to {MAX_LIMIT}.")
    return int(text)


def list_videos(query: VideoQuery, visible: Callable[[Video], bool]) -> Page[Video]:
    """One page of the videos that `visible` lets through, newest first.

    Raises:
        Problem: 400 invalid-cursor.
    """
    low = keys.timestamp(query.created_from) if query.created_from else _FIRST
    high = keys.timestamp(query.created_before) if query.created_before else _LAST
    if query.cursor is not None:
        high = min(high, decode_cursor(query.scope, query.cursor, _CREATED_KEY))
    entries: list[Video] = []
    for examined, video in enumerate(_merged(query, low, high), start=1):
        if visible(video):
            if len(entries) == query.limit:
                return Page(entries, encode_cursor(query.scope, _created_key(entries[-1])))
            entries.append(video)
        if examined == query.limit * _EXAMINED_PER_ENTRY:
            return Page(entries, encode_cursor(query.scope, _created_key(video)))
    return Page(entries, None)


def parse_letter_query(params: Mapping[str, str], queues: Sequence[str]) -> LetterQuery:
    """Read `queue`, `limit` and `cursor` of a listing of dead letters.

    Args:
        queues: names that `queue` may have.

    Raises:
        Problem: 400 invalid-parameters.
    """
    _only(params, {"queue", "limit", "cursor"})
    queue = params.get("queue")
    if queue is not None and queue not in queues:
        raise invalid_parameter("queue", "unknown", f"queue is one of {', '.join(queues)}.")
    return LetterQuery(queue, parse_limit(params), params.get("cursor"))


def list_letters(query: LetterQuery) -> Page[Task]:
    """One page of the failed tasks that wait for somebody, those that failed last first.

    Raises:
        Problem: 400 invalid-cursor.
    """
    high = _LAST
    if query.cursor is not None:
        high = decode_cursor(query.scope, query.cursor, keys.LETTER_KEY)
    shards = [_letters_of(query, shard, high) for shard in range(keys.SHARDS)]
    merged = heapq.merge(*shards, key=_created_key, reverse=True)
    entries = list(islice(merged, query.limit + 1))
    more = len(entries) > query.limit
    entries = entries[: query.limit]
    return Page(entries, encode_cursor(query.scope, _created_key(entries[-1])) if more else None)


def parse_delivery_query(params: Mapping[str, str], webhook_id: str) -> DeliveryQuery:
    """Read `status`, `limit` and `cursor` of a webhook's deliveries.

    Raises:
        Problem: 400 invalid-parameters.
    """
    _only(params, {"status", "limit", "cursor"})
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
        if examined == query.limit * _EXAMINED_PER_ENTRY:
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


def encode_cursor(scope: str, position: str) -> str:
    """An opaque cursor: the position, bound by a digest to the query it belongs to.

    The digest is no secret: it catches mistakes and mixed-up queries. A forged position gives
    nothing that `from` and `to` do not.
    """
    raw = _digest(scope, position) + position.encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(scope: str, cursor: str, pattern: re.Pattern[str]) -> str:
    """The position in a cursor that `encode_cursor` made for the same scope, or 400."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        position = raw[_DIGEST_BYTES:].decode("ascii")
    except (binascii.Error, UnicodeError):
        raise _invalid_cursor() from None
    genuine = hmac.compare_digest(raw[:_DIGEST_BYTES], _digest(scope, position))
    # Re-encoding refuses a second spelling: base64 ignores the last character's spare bits.
    if not (genuine and pattern.fullmatch(position) and encode_cursor(scope, position) == cursor):
        raise _invalid_cursor()
    return position


def _merged(query: VideoQuery, low: str, high: str) -> Iterator[Video]:
    shards = [_shard(query, shard, low, high) for shard in range(keys.SHARDS)]
    return heapq.merge(*shards, key=_created_key, reverse=True)


def _shard(query: VideoQuery, shard: int, low: str, high: str) -> Iterator[Video]:
    """Lazily, one shard's videos in [low, high), newest first."""
    # A shard holds a quarter of the newest videos on average; a few more spare a second request.
    page_size = query.limit // keys.SHARDS + 4
    within = Item.created_key.between(low, high)
    if query.status is None:
        index, partition = Item.by_created, keys.created_shard(shard)
        found = index.query(partition, within, scan_index_forward=False, page_size=page_size)
    else:
        partition = keys.status_shard(query.status.value, shard)
        found = Item.by_status.query(
            partition, within, scan_index_forward=False, page_size=page_size
        )
    return (item for item in found if isinstance(item, Video) and _created_key(item) < high)


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


def _time(params: Mapping[str, str], name: str, *, day_end: bool) -> datetime | None:
    """An ISO 8601 date or time; UTC unless it says otherwise. A bare date as an upper bound
    means the end of that day: "to=2026-05-31" is meant to include the 31st."""
    text = params.get(name)
    if text is None:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = date.fromisoformat(text) + timedelta(days=1 if day_end else 0)
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        else:
            parsed = datetime.fromisoformat(text)
            moment = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year not in _YEARS:
        message = f"'{name}' is a date or time such as 2026-05-31 or 2026-05-31T12:00:00Z."
        raise invalid_parameter(name, "not_a_time", message)
    return moment


def _only(params: Mapping[str, str], known: set[str]) -> None:
    unknown = sorted(set(params) - known)
    if unknown:
        # A misspelt filter that is ignored would list everything and look right.
        errors = [
            FieldError(name[:64], "unknown", f"Known are {', '.join(sorted(known))}.")
            for name in unknown[:10]
        ]
        detail = "There is a query parameter that this address does not have."
        raise Problem(ProblemType.INVALID_PARAMETERS, detail, errors=errors)


def _digest(scope: str, position: str) -> bytes:
    return hashlib.sha256(f"cursor-1|{scope}|{position}".encode()).digest()[:_DIGEST_BYTES]


def _invalid_cursor() -> Problem:
    detail = "Take next_cursor from the page before, unchanged, with the same filters."
    return Problem(ProblemType.INVALID_CURSOR, detail)
