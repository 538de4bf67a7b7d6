"""The counters' items, and what is added to them in the transaction of each move.

A move adds to two items of one of `keys.TALLY_SHARDS` partitions: the running total, and the
present minute. Which partition, its line's random key decides, so that workers of one video seldom
meet at the same item. `rollup` moves what closed minutes hold on, so that there are few of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from millrace import clock, keys, tally
from millrace.model import Item, Tally, Task, Transaction, Video

_OF_THE_ITEM = ("moves", "ttl")
"""Numbers that are no counters."""
_AT = "at_s"


@dataclass(frozen=True, slots=True)
class Held:
    """A counters' item as it was read."""

    pk: str
    sk: str
    moves: int
    counts: Counter[str]


@dataclass(slots=True)
class Present:
    """All running totals, and the minutes that are not rolled up yet, by their beginning."""

    totals: Counter[str] = field(default_factory=Counter)
    minutes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    items: list[Held] = field(default_factory=list)
    """The minutes' items themselves."""
    served: Counter[str] = field(default_factory=Counter)
    """What `served` counts."""
    monitor_at: int | None = None
    """When the monitor did its work last, in seconds of Unix time; None: it never did."""


class Increment:
    """One more write of a transaction: counters that go up or down, whatever they are."""

    def __init__(self, pk: str, sk: str, amounts: Mapping[str, int], *also: Action) -> None:
        self._item = Tally(pk, sk)
        added = [Path(name).add(amount) for name, amount in sorted(amounts.items())]
        self._actions: list[Action] = [*added, Path("kind").set("tally"), *also]

    def __call__(self, transaction: TransactWrite) -> None:
        transaction.update(self._item, self._actions)


def of_lines(lines: Sequence[Transaction]) -> list[Increment]:
    """What a move adds, by its lines of the log."""
    counted = tally.of(lines)
    pk = keys.tally_pk(keys.tally_shard(str(lines[0].sk)))
    minute = keys.tally_minute_sk(str(lines[0].at))
    totals = {**counted.states, **counted.happened}
    found = [Increment(pk, keys.TALLY_TOTAL_SK, totals)] if totals else []
    if counted.happened:
        found.append(Increment(pk, minute, {**counted.happened, "moves": 1}))
    return found


def of_removal(removed: Sequence[Video | Task]) -> Increment:
    """What goes down as a purge removes items that were counted."""
    amounts: Counter[str] = Counter()
    for item in removed:
        if isinstance(item, Video):
            amounts[tally.video_state(item.status)] -= 1
        else:
            amounts.subtract(tally.task_states(tally.kind_of(item.task_id), item.status))
    shard = keys.tally_shard(removed[0].video_id)
    return Increment(keys.tally_pk(shard), keys.TALLY_TOTAL_SK, amounts)


def of_monitor() -> Increment:
    """The note that the monitor did its work now."""
    at_s = Path(_AT).set(int(clock.now().timestamp()))
    return Increment(keys.tally_pk(0), keys.TALLY_MONITOR_SK, {}, at_s)


def present() -> Present:
    """The counters as they are now: as many consistent reads as there are partitions."""
    found = Present()
    for shard in range(keys.TALLY_SHARDS):
        for item in read(keys.tally_pk(shard), None):
            if item.sk == keys.TALLY_TOTAL_SK:
                found.totals.update(item.counts)
            elif item.sk == keys.TALLY_SERVED_SK:
                found.served.update(item.counts)
            elif item.sk == keys.TALLY_MONITOR_SK:
                found.monitor_at = item.counts[_AT]
            else:
                found.minutes[keys.tally_minute(item.sk)].update(item.counts)
                found.items.append(item)
    return found


def read(pk: str, between: Condition | None) -> Iterator[Held]:
    """The counters' items of a partition (consistent reads)."""
    start: dict[str, Any] | None = None
    while True:
        answer = Item._get_connection().query(
            pk, range_key_condition=between, consistent_read=True, exclusive_start_key=start
        )
        yield from map(held, answer["Items"])
        start = answer.get("LastEvaluatedKey")
        if not start:
            return


def held(raw: Mapping[str, Mapping[str, str]]) -> Held:
    """A counters' item as DynamoDB tells it. Its names are not known beforehand, so the model
    cannot read them."""
    counts = Counter(
        {
            name: int(value["N"])
            for name, value in raw.items()
            if "N" in value and name not in _OF_THE_ITEM
        }
    )
    return Held(raw["pk"]["S"], raw["sk"]["S"], int(raw.get("moves", {"N": "0"})["N"]), counts)
