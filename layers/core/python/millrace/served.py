"""What the API and the calls' signalling answered, counted for `GET /metrics`.

Each process adds up what it served and tells the table's counters (`counters`) of it with the first
request and then once a second at most, so that a busy process makes one write a second, whatever it
serves, and reading the sum costs the same however many processes there were. A process that rests
keeps what it counted in its last second until its next request, and takes it with it if it ends. A
write whose answer gets lost is repeated: it may count twice.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.operand import Path

from millrace import keys
from millrace.model import Item

BOUNDS_MS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
"""Upper bounds of the buckets of the API's latency; above, there is one more."""
STATUSES = (2, 3, 4, 5)
"""First digits of the API's answers."""
PAUSE_S = 1.0

log = Logger(child=True)


class Counted(StrEnum):
    """What is counted of the signalling: names of counters."""

    CONNECTIONS = "signal_connections"
    DISCONNECTIONS = "signal_disconnections"
    MESSAGES = "signal_messages"
    REFUSALS = "signal_refusals"
    ERRORS = "signal_errors"


def status_name(digit: int) -> str:
    """Name of the counter of answers whose status begins with this digit."""
    return f"api_{digit}xx"


def bucket(bound_ms: int | None) -> str:
    """Name of the counter of one bucket; None: of what is above all bounds."""
    return f"api_le_{bound_ms or 'inf'}"


LATENCY_US = "api_us"
"""Name of the counter of the time that all answers took, in microseconds."""


class Served:
    """What one process has served and not told of yet.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: Counter[str] = Counter()
        self._told_at = -math.inf
        self._shard = random.randrange(keys.TALLY_SHARDS)  # noqa: S311 - to spread writes

    def request(self, duration_ms: float, status: int) -> None:
        """Count an answer of the API."""
        bound_ms = next((bound for bound in BOUNDS_MS if duration_ms <= bound), None)
        self._held.update((status_name(status // 100), bucket(bound_ms)))
        self._held[LATENCY_US] += round(1000 * duration_ms)

    def signal(self, what: Counted) -> None:
        """Count something of the signalling."""
        self._held[what.value] += 1

    def tell(self) -> None:
        """Add what is held to the table's counters, unless that was done a moment ago. It never
        fails: what the table does not take is told the next time."""
        now = self._clock()
        if not self._held or now - self._told_at < PAUSE_S:
            return
        self._told_at = now
        added = [Path(name).add(amount) for name, amount in sorted(self._held.items())]
        try:
            Item._get_connection().update_item(
                keys.tally_pk(self._shard),
                range_key=keys.TALLY_SERVED_SK,
                actions=[*added, Path("kind").set("tally")],
            )
        except (PynamoDBException, BotoCoreError, ClientError):
            log.warning("served.not_told", exc_info=True)
            return
        self._held.clear()
