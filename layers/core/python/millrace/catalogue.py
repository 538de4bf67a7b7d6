"""What a video can be found and sorted by besides time and status: the words of its title, the
title, the duration. Each is an entry, an item of its own beside the video's in the index
`by_created`, in partitions of their own.

An entry is written in the transaction that settles what it holds: words and title are those the
video is made with, the duration is what it was planned with; neither changes later. A purge
removes entries as it removes all items of a video, and whoever finds one looks at the video: what
state that is in is nowhere but there.

A word has two entries, under its first letter and under its first three: whatever of it is typed,
one partition holds all that begins so, by time, and little else. An entry under each beginning
would cost as many writes as the word has letters; one under the whole word alone would be found
only when it is typed out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from millrace import keys
from millrace.model import Entry

MAX_WORDS = 16
"""Of a title, or of a search; later ones are not looked at. With two entries each, and with what is
written beside them, far below the 100 items of a transaction."""
_MAX_WORD_CHARS = 40
_MAX_SORT_CHARS = 200
_NUMBER_DIGITS = 10
# Scripts that put no spaces between words: each sign is a word of its own.
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SIGNS}]|[^\W_{_SIGNS}]+")
_SHORT, _LONG = 1, 3
"""Letters of a word that its two entries are kept under."""


def words(text: str) -> tuple[str, ...]:
    """The distinct words of a text as they are compared: without case, accents and compatibility
    forms, in their order."""
    found = (word[:_MAX_WORD_CHARS] for word in _WORD.findall(_plain(text)))
    return tuple(dict.fromkeys(found))[:MAX_WORDS]


def beginning(word: str) -> str:
    """Under which letters to look for the words that begin with this one."""
    return word[: _LONG if len(word) >= _LONG else _SHORT]


def names(text: str, wanted: tuple[str, ...]) -> bool:
    """Whether each wanted word begins a word of a text made of `words`."""
    return all(f" {word}" in f" {text}" for word in wanted)


def title_entries(video_id: str, title: str, created_at: str) -> list[Entry]:
    """To be put together with a new video."""
    created = keys.created_key(created_at, video_id)
    found = words(title)
    entries = [
        _entry(video_id, keys.word_sk(start), keys.words_partition(start), created, found)
        for start in _beginnings(found)
    ]
    shard = keys.titles_shard(keys.shard_of(video_id))
    entries.append(_entry(video_id, keys.TITLE_SK, shard, f"{_sortable(title)}#{created}"))
    return entries


def duration_entry(video_id: str, duration_s: float, created_at: str) -> Entry:
    """To be saved as a video is planned; that may happen again, with the same result."""
    key = f"{keys.duration_key(duration_s)}#{keys.created_key(created_at, video_id)}"
    shard = keys.durations_shard(keys.shard_of(video_id))
    return _entry(video_id, keys.DURATION_SK, shard, key)


def _entry(video_id: str, sk: str, partition: str, key: str, found: tuple[str, ...] = ()) -> Entry:
    text = " ".join(found) or None
    return Entry(
        keys.video_pk(video_id),
        sk,
        video_id=video_id,
        created_shard=partition,
        created_key=key,
        words=text,
    )


def _beginnings(found: tuple[str, ...]) -> Iterator[str]:
    starts = {word[:length] for word in found for length in (_SHORT, _LONG)}
    # A word of two letters is found under its first.
    yield from sorted(start for start in starts if len(start) in (_SHORT, _LONG))


def _sortable(title: str) -> str:
    """Text that sorts as people sort titles: "Part 2" before "Part 10". What parts words is above
    the "#" that ends it, so that a title goes before those that begin with it."""
    padded = (
        word.zfill(_NUMBER_DIGITS) if word.isdecimal() else word
        for word in _WORD.findall(_plain(title))
    )
    return "-".join(padded)[:_MAX_SORT_CHARS]


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in folded if unicodedata.category(c) != "Mn")
