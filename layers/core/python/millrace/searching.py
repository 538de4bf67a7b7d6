"""Videos by the words of their titles, by title or by duration: from the catalogue's entries to the
videos they stand for, page by page.

Several words are looked for in one of their partitions, the one where the next entries reach
furthest: there are the fewest of them. So a rare word beside a frequent one costs what the rare one
costs. What a request may cost has two bounds: entries looked at, which are small, and videos read.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from millrace import catalogue, keys, listing
from millrace.model import Entry, Item, Video
from millrace.paging import EXAMINED_PER_ENTRY, Page, decode_cursor, encode_cursor
from millrace.video_query import Sort, VideoQuery

EXAMINED = 1000
"""Entries that one request looks at; at 300 bytes each some 40 read units."""
_SOUNDED = 12
"""Entries looked at to learn how frequent a word is."""
_SOUNDED_WORDS = 4
_KEY = re.compile(rf"[^\x00-\x1f]{{0,400}}{keys.CREATED_KEY.pattern}")
_FIRST, _LAST = " ", "\U0010ffff"
"""Below and above every key of an entry."""

Visible = Callable[[Video], bool]


def videos_of(query: VideoQuery, visible: Visible) -> Page[Video]:
    """One page of the videos asked for that `visible` lets through.

    Raises:
        Problem: 400 invalid-cursor.
    """
    if query.words is None and query.sort.by_time:
        return listing.list_videos(query, visible)
    bounds = _Bounds(*query.times) if query.sort.by_time else _Bounds(_FIRST, _LAST)
    if query.cursor is not None:
        bounds = bounds.after(decode_cursor(query.scope, query.cursor, _KEY), query.sort)
    if query.words == ():
        return Page([], None)
    return _page(query, visible, _entries(query, bounds))


@dataclass(frozen=True, slots=True)
class _Bounds:
    """An open interval of keys."""

    low: str
    high: str

    def after(self, position: str, sort: Sort) -> _Bounds:
        """What comes later in an order."""
        if sort.ascending:
            return _Bounds(max(self.low, position), self.high)
        return _Bounds(self.low, min(self.high, position))


def _page(query: VideoQuery, visible: Visible, found: Iterator[Entry]) -> Page[Video]:
    chosen: list[Video] = []
    last: Entry | None = None
    looked_at = _Examined(found)
    size = query.limit + 1  # one more tells whether there is a next page
    for _ in range(EXAMINED_PER_ENTRY):
        batch = list(islice((e for e in looked_at if _matches(query, e)), size))
        videos = _videos(batch)
        for entry in batch:
            video = videos.get(entry.video_id)
            if video is not None and _is_wanted(query, video) and visible(video):
                if len(chosen) == query.limit:
                    return Page(chosen, _cursor(query, last))
                chosen.append(video)
            last = entry
        if len(batch) < size:
            break
    more = looked_at.last if len(batch) < size else last
    return Page(chosen, None if looked_at.ended else _cursor(query, more))


class _Examined:
    """Iterates over so many entries, and remembers which was the last."""

    def __init__(self, found: Iterator[Entry]) -> None:
        self._found = found
        self._left = EXAMINED
        self.last: Entry | None = None
        self.ended = False

    def __iter__(self) -> Iterator[Entry]:
        while self._left:
            entry = next(self._found, None)
            if entry is None:
                self.ended = True
                return
            self._left -= 1
            self.last = entry
            yield entry


def _matches(query: VideoQuery, entry: Entry) -> bool:
    if query.words is not None and not catalogue.names(entry.words or "", query.words):
        return False
    return query.holds_time(_created_part(_key(entry)))


def _is_wanted(query: VideoQuery, video: Video) -> bool:
    return query.status is None or video.status == query.status


def _cursor(query: VideoQuery, last: Entry | None) -> str | None:
    return encode_cursor(query.scope, _key(last)) if last is not None else None


def _videos(entries: list[Entry]) -> dict[str, Video]:
    wanted = [(keys.video_pk(entry.video_id), keys.VIDEO_SK) for entry in entries]
    # As old as an index may be, at most: half the cost of the newest.
    found = Video.batch_get(wanted) if wanted else ()
    return {video.video_id: video for video in found}


def _entries(query: VideoQuery, bounds: _Bounds) -> Iterator[Entry]:
    if query.words is not None:
        return _read(query, _rarest(query, bounds), bounds, query.limit * 2)
    shard = keys.titles_shard if query.sort is Sort.TITLE else keys.durations_shard
    size = query.limit // keys.SHARDS + 4
    parts = [_read(query, shard(n), bounds, size) for n in range(keys.SHARDS)]
    return heapq.merge(*parts, key=_key, reverse=not query.sort.ascending)


def _rarest(query: VideoQuery, bounds: _Bounds) -> str:
    """The partition to look in. The longest words are sounded, which are mostly the rarest."""
    longest = sorted(query.words or (), key=len, reverse=True)
    starts = dict.fromkeys(catalogue.beginning(word) for word in longest)
    partitions = [keys.words_partition(start) for start in starts][:_SOUNDED_WORDS]
    if len(partitions) == 1:
        return partitions[0]
    reach = {name: _reach(query, name, bounds) for name in partitions}
    return (max if query.sort.ascending else min)(partitions, key=lambda name: reach[name])


def _reach(query: VideoQuery, partition: str, bounds: _Bounds) -> str:
    """How far some entries go: to the end, if there are not as many."""
    sounded = list(islice(_read(query, partition, bounds, _SOUNDED), _SOUNDED))
    if len(sounded) < _SOUNDED:
        return bounds.high if query.sort.ascending else bounds.low
    return _key(sounded[-1])


def _read(query: VideoQuery, partition: str, bounds: _Bounds, size: int) -> Iterator[Entry]:
    """Lazily, a partition's entries within the bounds, in the query's order."""
    found = Item.by_created.query(
        partition,
        Item.created_key.between(bounds.low, bounds.high),
        scan_index_forward=query.sort.ascending,
        page_size=size,
    )
    inside = (item for item in found if bounds.low < (item.created_key or "") < bounds.high)
    return (item for item in inside if isinstance(item, Entry))


def _key(entry: Entry) -> str:
    return entry.created_key or ""  # never empty in an index that is sorted by it


def _created_part(key: str) -> str:
    """Title and duration go before the creation key, words have nothing but it."""
    return "#".join(key.rsplit("#", 2)[-2:])
