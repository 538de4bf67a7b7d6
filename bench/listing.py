"""Listings at 100 and at 100,000 videos: time and consumed read units, side by side.

    python -m bench.listing

The product's own listings and searches (`millrace.searching`), as the API's function asks them:
over HTTP, of two tables of a running `./millrace up` of its own. The two take turns. Target: p95
and read units at 100,000 at most 1.2 times those at 100: titles and cursors are a little longer,
and consumption is rounded up by request. Only pages that both have are
compared: the 100 newest of 100 are all there are, and need no look at what comes after.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.markdown import table
from bench.own import own_pipeline
from cli import aws
from millrace import catalogue, keys, model, searching
from millrace.model import Item, VideoStatus
from millrace.video_query import Sort, VideoQuery

FEW, MANY = 100, 100_000
TARGET = 1.2
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_RARE = 50
"""The one film with a word in its title that no other has."""
_PLAN_BYTES = 2500
"""With the rest about as long as the item of a real video."""
_STATUSES = (VideoStatus.COMPLETED,) * 8 + (VideoStatus.PROCESSING, VideoStatus.FAILED)


class Table:
    """A table of so many videos, and a connection that counts what it consumes."""

    def __init__(self, count: int) -> None:
        self.count, self.read_units = count, 0.0
        self._name = f"listing-{count}"
        model.bind(self._name, aws.REGION)
        self._connection = Item._connection
        Item.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        _fill(count)
        events = Item._get_connection().connection.client.meta.events
        for operation in ("Query", "BatchGetItem"):
            events.register(f"provide-client-params.dynamodb.{operation}", _ask_for_units)
            events.register(f"after-call.dynamodb.{operation}", self._count)
        self.listings = _listings(count)

    def use(self) -> None:
        """Have the models mean this table."""
        Item.Meta.table_name, Item._connection = self._name, self._connection
        self.read_units = 0.0

    def _count(self, parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed["ConsumedCapacity"]
        for one in consumed if isinstance(consumed, list) else [consumed]:
            self.read_units += float(one["CapacityUnits"])


def _ask_for_units(params: dict[str, Any], **_: Any) -> None:
    params["ReturnConsumedCapacity"] = "TOTAL"


@dataclass
class Sample:
    """Calls of one listing at one size."""

    took_ms: list[float] = field(default_factory=list)
    read_units: list[float] = field(default_factory=list)

    @property
    def p95_ms(self) -> float:
        return statistics.quantiles(self.took_ms, n=20)[18]

    @property
    def units(self) -> float:
        return statistics.fmean(self.read_units)


def _fill(count: int) -> None:
    """`count` videos in the table in use, a minute between one and the next."""
    chance = random.Random(count)
    with Item.batch_write() as batch:
        for number in range(count):
            video = _video(number, chance)
            found = (video.video_id, video.created_at)
            batch.save(video)
            batch.save(catalogue.duration_entry(found[0], chance.uniform(1, 7200), found[1]))
            for entry in catalogue.title_entries(found[0], video.title, found[1]):
                batch.save(entry)


def _video(number: int, chance: random.Random) -> model.Video:
    video_id = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=26))
    created = keys.timestamp(_BEGIN + timedelta(minutes=number))
    status, shard = _STATUSES[number % len(_STATUSES)], keys.shard_of(video_id)
    return model.Video(
        keys.video_pk(video_id),
        keys.VIDEO_SK,
        video_id=video_id,
        status=status.value,
        status_shard=keys.status_shard(status.value, shard),
        created_shard=keys.created_shard(shard),
        created_key=keys.created_key(created, video_id),
        created_at=created,
        updated_at=created,
        title=f"Film {number}" + (" Zanzibar" if number == _RARE else ""),
        filename="film.mp4",
        upload_key=keys.upload_key(video_id, ".mp4"),
        plan={"filler": "x" * _PLAN_BYTES},
    )


def _listings(count: int) -> dict[str, Callable[[], object]]:
    """What is asked, by name."""
    middle = _BEGIN + timedelta(minutes=count // 2)

    def ask(query: VideoQuery) -> Callable[[], object]:
        return lambda: searching.videos_of(query, lambda _video: True)

    cursor = searching.videos_of(VideoQuery(), lambda _video: True).next_cursor
    return {
        "newest 24": ask(VideoQuery()),
        "second page": ask(VideoQuery(cursor=cursor)),
        "from the middle on": ask(VideoQuery(created_before=middle, limit=10)),
        "completed": ask(VideoQuery(status=VideoStatus.COMPLETED, limit=24)),
        "oldest 24": ask(VideoQuery(sort=Sort.OLDEST)),
        "by title": ask(VideoQuery(sort=Sort.TITLE)),
        "longest": ask(VideoQuery(sort=Sort.LONGEST)),
        "a word of all": ask(VideoQuery(words=("film",))),
        "and one of one": ask(VideoQuery(words=("film", "zanzibar"))),
    }


def measure(rounds: int) -> dict[str, dict[int, Sample]]:
    with own_pipeline("listing") as pipeline:
        os.environ.update(aws.environment(pipeline.port))
        tables = [Table(count) for count in (FEW, MANY)]
        samples = {name: {one.count: Sample() for one in tables} for name in tables[0].listings}
        for turn in range(rounds + 1):
            for name in samples:
                for one in tables if turn % 2 else reversed(tables):
                    _ask(one, name, samples[name][one.count], kept=turn > 0)
    return samples


def _ask(asked: Table, name: str, sample: Sample, *, kept: bool) -> None:
    asked.use()
    began = time.perf_counter()
    asked.listings[name]()
    took_ms = 1000 * (time.perf_counter() - began)
    if kept:  # the first warms up
        sample.took_ms.append(took_ms)
        sample.read_units.append(asked.read_units)


def report(samples: dict[str, dict[int, Sample]]) -> str:
    rows = []
    for name, by_count in samples.items():
        few, many = by_count[FEW], by_count[MANY]
        ratio = many.p95_ms / few.p95_ms
        rows.append(
            (
                *(name, f"{few.p95_ms:.2f} ms", f"{many.p95_ms:.2f} ms", f"{ratio:.2f}"),
                *(f"{few.units:.1f}", f"{many.units:.1f}", _verdict(ratio, few, many)),
            )
        )
    head = (f"p95 at {FEW:,}", f"p95 at {MANY:,}", "ratio", f"units at {FEW:,}")
    return table(("listing", *head, f"units at {MANY:,}", f"target {TARGET}"), rows)


def _verdict(ratio: float, few: Sample, many: Sample) -> str:
    return "met" if ratio <= TARGET and many.units <= TARGET * few.units else "MISSED"


def main() -> None:
    parser = argparse.ArgumentParser(description="Listings at 100 and at 100,000 videos.")
    parser.add_argument("--rounds", type=int, default=200)
    print(report(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
