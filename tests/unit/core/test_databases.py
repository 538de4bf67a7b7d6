"""The tests' database against another DynamoDB: moto's, which nobody here wrote."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from millrace import heart, keys, steering, tally, videos
from millrace.model import VideoStatus
from millrace.queues import Queues
from tests.unit.core.database import ACCOUNT, REGION, Database
from tests.unit.core.fake_engine import FakeEngine
from tests.unit.core.harness import TABLE, Cloud, pretended_aws

COMPLETED, RETRIED, CANCELLED, DELETED = (letter * 26 for letter in "bcde")


class MotoDatabase(Database):
    """Leaves everything to moto."""

    def answers(self, operation: str) -> bool:
        return False

    def items(self, table: str) -> list[dict[str, Any]]:
        stored = dynamodb_backends[ACCOUNT][REGION].tables[table].all_items()
        return [item.to_json()["Attributes"] for item in stored]


def live(cloud: Cloud) -> None:
    """Four videos with what can befall one: deaths, retries, cancellation, deletion."""
    queues = Queues(cloud.sqs, cloud.settings("api"))
    cloud.wire.kill_at = 14
    cloud.upload(COMPLETED)
    cloud.heal()
    cloud.engine.fails("transcode-chunk-1", message="Frame 30 is damaged.")
    cloud.upload(RETRIED)
    cloud.heal()
    assert cloud.video(RETRIED).status == VideoStatus.FAILED
    steering.retry(queues, RETRIED, "admin")
    cloud.heal()
    for video_id in (CANCELLED, DELETED):
        cloud.upload(video_id)
        cloud.deliver("ingest")
        cloud.deliver("probe")
    steering.cancel(queues, CANCELLED, "admin")
    videos.request_delete(queues, DELETED, "admin")
    cloud.heal()


def told(cloud: Cloud) -> list[str]:
    """What the table says, without times and what the machine was like; of the counters, which
    chance and the clock spread over several items, what the states add up to."""
    left_out = re.compile(
        "at|sk|ttl|.*_at|.*_key|due_.*|detail|worker|attempts|cpu.*|memory.*|source_e.*"
    )
    items = cloud.database.items(TABLE)
    states: Counter[str] = Counter()
    for item in items:
        if item["sk"]["S"] == keys.TALLY_TOTAL_SK:
            states.update({name: int(item[name]["N"]) for name in tally.STATES if name in item})
    lines = [
        json.dumps({n: v for n, v in sorted(item.items()) if not left_out.fullmatch(n)})
        for item in items
        if item["kind"]["S"] != "tally"
    ]
    return sorted([*lines, *(f"{name}: {count}" for name, count in states.items() if count)])


def test_all_videos_end_alike_when_another_dynamodb_keeps_them(
    engine: FakeEngine, aws_environment: pytest.MonkeyPatch
) -> None:
    # Heartbeats come by the machine's clock: a slow one would have more of them.
    aws_environment.setattr(heart, "interval_s", lambda *_: 3600.0)
    seen = []
    for database in (Database, MotoDatabase):
        with pretended_aws(engine, aws_environment.setenv, database) as cloud:
            live(cloud)
            assert cloud.crashes == 1
            seen.append((cloud.wire.moments, cloud.invocations, told(cloud)))
    assert seen[0] == seen[1]
