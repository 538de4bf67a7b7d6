"""What AWS charges for it: `prices.json` has every price, its page and the day it was read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.scaling.scenarios import Consumed

FILE = Path(__file__).with_name("prices.json")
ARCHITECTURES = ("x86_64", "arm64")
_SQS_REQUESTS_PER_INVOCATION = 3
"""Send, receive, delete; empty polls cost the same whatever is done, and are left out."""


def prices(path: Path = FILE) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars."""

    compute: float
    requests: float
    table: float
    objects: float
    queues: float

    @property
    def total(self) -> float:
        return self.compute + self.requests + self.table + self.objects + self.queues


def cost(used: Consumed, architecture: str, table: dict[str, Any] | None = None) -> Cost:
    """Without storage, delivery and the free tier."""
    price = table or prices()
    function, objects = price["lambda"], price["s3_standard"]
    return Cost(
        compute=used.gb_s * function["per_gb_s"][architecture],
        requests=used.invocations * function["per_million_requests"] / 1e6,
        table=used.table_units * price["dynamodb_on_demand"]["per_million_write_units"] / 1e6,
        objects=used.s3_writes * objects["per_thousand_writes"] / 1e3
        + used.s3_reads * objects["per_thousand_reads"] / 1e3,
        queues=used.invocations
        * _SQS_REQUESTS_PER_INVOCATION
        * price["sqs"]["per_million_requests"]
        / 1e6,
    )
