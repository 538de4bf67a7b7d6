"""Listings at 100 and at 100,000 videos: time and consumed read units, side by side.

    python -m bench.listing

The product's own listings (`millrace.listing`) on the tables of `./millrace up` (`local/dynamodb`),
in this process: HTTP, which costs both the same, would hide a difference. The two take turns.
Target: p95 at 100,000 at most 1.2 times that at 100, and the same read units. Only pages that both
have are compared: the 100 newest of 100 are all there are, and need no look at what comes after.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import botocore.client

from bench.markdown import table
from millrace import keys, listing, model
from millrace.listing import VideoQuery
from millrace.model import Item, VideoStatus
from tests.harness.quick_moto import quick_moto
from tests.unit.core.database import Database

TABLE = "millrace"
FEW, MANY = 100, 100_000
TARGET = 1.2
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_PLAN_BYTES = 2500
"""With the rest about as long as the item of a real video."""
_STATUSES = (VideoStatus.COMPLETED,) * 8 + (VideoStatus.PROCESSING, VideoStatus.FAILED)
_CLIENT: Any = botocore.client.BaseClient


@dataclass
class Meter:
    """Answers AWS clients from the database in use; counts what a call consumes."""

    database: Database
    read_units: float = 0.0

    @contextmanager
    def attached(self) -> Iterator[None]:
        by_moto = _CLIENT._make_api_call

        def call(client: Any, operation: str, request: dict[str, Any]) -> Any:
            if not self.database.answers(operation):
                return by_moto(client, operation, request)
            counted = {**request, "ReturnConsumedCapacity": "TOTAL"}
            answer = self.database.call(client, operation, counted)
            consumed = answer.get("ConsumedCapacity") or {}
            if isinstance(consumed, dict):
                self.read_units += float(consumed.get("CapacityUnits", 0))
            return answer

        with mock.patch.object(_CLIENT, "_make_api_call", call):
            yield


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


def fill(count: int) -> None:
    """`count` videos in the database in use, a minute between one and the next."""
    chance = random.Random(count)
    with Item.batch_write() as batch:
        for number in range(count):
            batch.save(_video(number, chance))


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
        title=f"Film {number}",
        filename="film.mp4",
        upload_key=keys.upload_key(video_id, ".mp4"),
        plan={"filler": "x" * _PLAN_BYTES},
    )


def listings(count: int) -> dict[str, Callable[[], object]]:
    """What is asked, by name."""
    middle = _BEGIN + timedelta(minutes=count // 2)

    def ask(query: VideoQuery) -> Callable[[], object]:
        return lambda: listing.list_videos(query, lambda _video: True)

    cursor = listing.list_videos(VideoQuery(), lambda _video: True).next_cursor
    return {
        "newest 24": ask(VideoQuery()),
        "second page": ask(VideoQuery(cursor=cursor)),
        "from the middle on": ask(VideoQuery(created_before=middle, limit=10)),
        "completed": ask(VideoQuery(status=VideoStatus.COMPLETED, limit=24)),
    }


def measure(rounds: int) -> dict[str, dict[int, Sample]]:
    with quick_moto():
        databases = {count: Database() for count in (FEW, MANY)}
        meter = Meter(databases[FEW])
        with meter.attached():
            model.bind(TABLE)
            Item.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
            asked = {}
            for count, database in databases.items():
                meter.database = database
                database.learn_tables()
                fill(count)
                asked[count] = listings(count)
            return _take_turns(meter, databases, asked, rounds)


def _take_turns(
    meter: Meter,
    databases: dict[int, Database],
    asked: dict[int, dict[str, Callable[[], object]]],
    rounds: int,
) -> dict[str, dict[int, Sample]]:
    samples = {name: {count: Sample() for count in databases} for name in asked[FEW]}
    for turn in range(rounds):
        for name, count in ((name, count) for name in samples for count in databases):
            meter.database, meter.read_units = databases[count], 0.0
            began = time.thread_time()
            asked[count][name]()
            took_ms = 1000 * (time.thread_time() - began)
            if turn:  # the first warms up
                samples[name][count].took_ms.append(took_ms)
                samples[name][count].read_units.append(meter.read_units)
    return samples


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
    rounds = parser.parse_args().rounds
    fake = {
        "AWS_ACCESS_KEY_ID": "t",
        "AWS_SECRET_ACCESS_KEY": "t",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ.update(fake)
    print(report(measure(rounds)))


if __name__ == "__main__":
    main()
