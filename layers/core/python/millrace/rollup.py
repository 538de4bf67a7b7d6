"""Closed minutes of the counters, moved on into steps of a minute, five minutes and an hour, so
that a range of any length is a bounded number of items.

A minute is moved in one transaction: its items are deleted, on condition that nothing was added
since they were read, and what they held is added to the three steps it belongs to. So the sum of
the steps and of the minutes that are left is at any moment the sum of all moves, whoever does this,
how often, and however late a move comes: it makes the minute's item anew, which is moved like any.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from millrace import clock, counters, keys, transact
from millrace.counters import Held, Increment
from millrace.model import Tally

_OPEN_S = 60
"""A minute is left alone for this long after its end: most late moves have come by then."""
SAMPLE = "sample_"
"""Begins the names of numbers that are not added up: what was seen last in a step counts."""


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    seconds: int
    kept: timedelta


class Level(Enum):
    """How long a step is, and how long it is kept."""

    MINUTE = _Step("minute", 60, timedelta(hours=3))
    FIVE_MINUTES = _Step("five", 300, timedelta(days=2))
    HOUR = _Step("hour", 3600, timedelta(days=400))

    @property
    def seconds(self) -> int:
        return self.value.seconds

    @property
    def pk(self) -> str:
        return keys.tally_pk(self.value.name)

    def beginning(self, at: datetime) -> datetime:
        """Of the step that a time is in."""
        seconds = int(at.timestamp()) // self.seconds * self.seconds
        return datetime.fromtimestamp(seconds, UTC)

    def sk(self, at: datetime) -> str:
        return keys.timestamp(self.beginning(at))

    def expires(self, at: datetime) -> Action:
        return Path("ttl").set(int((self.beginning(at) + self.value.kept).timestamp()))


def closed(items: list[Held]) -> Iterator[tuple[datetime, list[Held]]]:
    """The minutes that are over, oldest first, each with its items."""
    before = keys.timestamp(clock.now() - timedelta(seconds=60 + _OPEN_S))[:16]
    by_minute: dict[str, list[Held]] = defaultdict(list)
    for item in items:
        by_minute[keys.tally_minute(item.sk)].append(item)
    for minute in sorted(minute for minute in by_minute if minute <= before):
        yield datetime.fromisoformat(f"{minute}:00+00:00"), by_minute[minute]


def move_on(minute: datetime, items: list[Held]) -> Counter[str]:
    """Add a minute to its steps and remove its items.

    Returns:
        What they held. All that this ever returns is the sum of all moves, each of them once.

    Raises:
        TransitionRefused: something was added meanwhile, or somebody else did it; the next round
            sees.
    """
    amounts: Counter[str] = Counter()
    for item in items:
        amounts.update(item.counts)
    removed = [
        transact.remove(Tally(item.pk, item.sk), Tally.moves == item.moves) for item in items
    ]
    transact.commit_unlogged(*removed, *_added(minute, amounts))
    return amounts


def sample(values: Mapping[str, int]) -> None:
    """Keep what is seen now with the present steps; and that the monitor, who sees it, is there.

    Args:
        values: by name, without the prefix.
    """
    now = clock.now()
    seen = [Path(SAMPLE + name).set(value) for name, value in sorted(values.items())]
    steps = (Increment(level.pk, level.sk(now), {}, level.expires(now), *seen) for level in Level)
    transact.commit_unlogged(*steps, counters.of_monitor())


def steps(level: Level, begin: datetime) -> dict[str, Counter[str]]:
    """What is rolled up since a time, by the steps' beginnings."""
    found = counters.read(level.pk, Tally.sk >= level.sk(begin))
    return {item.sk: item.counts for item in found}


def _added(minute: datetime, amounts: Mapping[str, int]) -> list[Increment]:
    return [
        Increment(level.pk, level.sk(minute), amounts, level.expires(minute)) for level in Level
    ]
