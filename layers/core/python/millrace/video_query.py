"""What `GET /videos` is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from millrace import catalogue, keys
from millrace.model import VideoStatus
from millrace.paging import DEFAULT_LIMIT, only, parse_limit
from millrace.problems import invalid_parameter

MAX_SEARCH_CHARS = 100
_YEARS = range(1970, 9999)
"""Outside of these, creation keys would no longer sort as text."""


class Sort(StrEnum):
    """The orders a listing can have."""

    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"
    LONGEST = "longest"
    SHORTEST = "shortest"

    @property
    def by_time(self) -> bool:
        return self in (Sort.NEWEST, Sort.OLDEST)

    @property
    def ascending(self) -> bool:
        return self in (Sort.OLDEST, Sort.TITLE, Sort.SHORTEST)


@dataclass(frozen=True, slots=True)
class VideoQuery:
    """What to list. Times are aware; `created_from` is inclusive, `created_before` exclusive."""

    status: VideoStatus | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    words: tuple[str, ...] | None = None
    """Each must begin a word of the title; None: any title. No words at all are in no title."""
    sort: Sort = Sort.NEWEST
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @property
    def scope(self) -> str:
        """What a cursor is bound to: it means nothing under other filters."""
        bounds = [keys.timestamp(t) if t else "" for t in (self.created_from, self.created_before)]
        found = " ".join(self.words) if self.words is not None else "*"
        return "|".join(["videos", self.status or "", *bounds, self.sort, found])

    def holds_time(self, created_key: str) -> bool:
        """Whether a creation key lies within the two dates."""
        low, high = self.times
        return low < created_key < high

    @property
    def times(self) -> tuple[str, str]:
        """The two dates as bounds of creation keys. Those are longer than a timestamp alone, so
        none of them equals a bound, and those made at that very time are above it."""
        low = keys.timestamp(self.created_from) if self.created_from else keys.CREATED_FIRST
        high = keys.timestamp(self.created_before) if self.created_before else keys.CREATED_LAST
        return low, high


def parse(params: Mapping[str, str], statuses: Mapping[str, VideoStatus]) -> VideoQuery:
    """Read `status`, `from`, `to`, `q`, `sort`, `limit` and `cursor`.

    Args:
        params: the query string, decoded.
        statuses: the names this caller may filter by.

    Raises:
        Problem: 400 invalid-parameters.
    """
    only(params, {"status", "from", "to", "q", "sort", "limit", "cursor"})
    status = params.get("status")
    if status is not None and status not in statuses:
        raise invalid_parameter("status", "unknown", f"status is one of {', '.join(statuses)}.")
    created_from = _time(params, "from", day_end=False)
    created_before = _time(params, "to", day_end=True)
    if created_from and created_before and created_from >= created_before:
        raise invalid_parameter("to", "before_from", "'to' must be later than 'from'.")
    words = _words(params)
    return VideoQuery(
        status=statuses[status] if status is not None else None,
        created_from=created_from,
        created_before=created_before,
        words=words,
        sort=_sort(params, searching=words is not None),
        limit=parse_limit(params),
        cursor=params.get("cursor"),
    )


def _words(params: Mapping[str, str]) -> tuple[str, ...] | None:
    text = params.get("q")
    if text is None:
        return None
    if len(text) > MAX_SEARCH_CHARS:
        raise invalid_parameter("q", "too_long", f"q has {MAX_SEARCH_CHARS} characters at most.")
    return catalogue.words(text)


def _sort(params: Mapping[str, str], *, searching: bool) -> Sort:
    try:
        sort = Sort(params.get("sort", Sort.NEWEST))
    except ValueError:
        message = f"sort is one of {', '.join(Sort)}."
        raise invalid_parameter("sort", "unknown", message) from None
    if searching and not sort.by_time:
        message = "What is found by words is sorted by time: newest or oldest."
        raise invalid_parameter("sort", "not_with_q", message)
    return sort


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
