"""Whose turn it is: the most urgent task that waits, whatever message woke the worker.

A queue is only roughly first in, first out, so the hundreds of chunks of a film would hold up
whatever comes after them. Here the table keeps the order: each task that waits for its first
attempt is listed by its urgency, and a worker takes the most urgent of them. The message it was
woken by counts as the right to run one task of its queue. It need not be the task it names: that
one stays listed and is run by another message, at the latest by that of the task that was
preferred. docs/explanation/fairness.md argues it.

Urgency is, in this order: the priority of the video; what makes a video playable before the rest;
then by rounds, in each of which every video gets one chunk. A video that comes later begins with
the round that is under way, so no video waits for more than one chunk of each of the others.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge

from aws_lambda_powertools import Logger
from pynamodb.exceptions import PynamoDBException

from millrace import clock, keys, tasks
from millrace.events import TaskMessage
from millrace.model import ByStatus, Item, Task, TaskKind, TaskStatus
from millrace.queues import queue_of
from millrace.video_settings import Priority

log = Logger(child=True)

_RANK = {priority: rank for rank, priority in enumerate(Priority)}
_LAST_ROUND = 999_999
_LOOKED_AT = 8
"""Listed tasks that are read of each shard."""
_TRIES = 2
"""Preferred tasks that are tried before the one that the message names."""
_LAST = "\x7f"
"""Above every urgency."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a video stands among the others."""

    priority: Priority = Priority.NORMAL
    round: int = 0
    """That was under way when the video was planned."""

    def urgency(self, kind: TaskKind, index: int) -> str:
        """Sorts as text, the most urgent first."""
        if kind is TaskKind.TRANSCODE and index > 0:
            return f"{_tails(self.priority)}{min(self.round + index, _LAST_ROUND):06d}"
        return f"{_RANK[self.priority]}.0."


def current(priority: Priority) -> Turn:
    """The turn of a video of this priority that is planned now."""
    first = _tails(priority)
    last = f"{first}{_LAST_ROUND}~"
    waiting = next(_listed(queue_of(TaskKind.TRANSCODE), first, last), None)
    return Turn(priority, int(waiting.urgency.removeprefix(first)) if waiting else 0)


def order(named: TaskMessage) -> Iterator[TaskMessage]:
    """What to try to start, for a message that names a task: what is more urgent, then that task;
    nothing if that task waits no more.

    A task that was tried before is not listed, and its message is for it alone: it was held back
    for as long as the task was to wait.
    """
    task = tasks.get(named)
    if task is None or task.status != TaskStatus.PENDING:
        return
    if task.status_shard is not None:
        yield from _spread(_seen(named, task.urgency or "~"), named)[:_TRIES]
    yield named


def others(named: TaskMessage) -> Iterator[TaskMessage]:
    """What to try to start when the named task is not to be: some other message ran it, and left
    this one for what waits now. If all of that is taken, it is looked once more what came since."""
    for _ in range(2):
        yield from _spread(_seen(named, _LAST), named)


def oldest_age_s(queue: str) -> float | None:
    """How long the oldest of the tasks has been there that wait in a queue for their first
    attempt: of those that come next and of those that come last, between which it may be missed
    while very many wait. None if none does."""
    ends = [
        Item.by_status.query(
            keys.ready_shard(queue, shard), limit=_LOOKED_AT, scan_index_forward=forward
        )
        for shard in range(keys.SHARDS)
        for forward in (True, False)
    ]
    waiting = [item.created_at for end in ends for item in end if isinstance(item, Task)]
    return round(clock.age_s(min(waiting)), 1) if waiting else None


def _tails(priority: Priority) -> str:
    return f"{_RANK[priority]}.1."


def _seen(named: TaskMessage, below: str) -> list[Task]:
    """What waits in the queue of a message and is more urgent than `below`; nothing where the
    index cannot be read just now: what messages name is never wrong, only less fair."""
    try:
        return list(_listed(queue_of(named.kind), "!", below))
    except PynamoDBException:
        log.warning("turns.unknown", exc_info=True)
        return []


def _spread(found: list[Task], named: TaskMessage) -> list[TaskMessage]:
    """The most urgent one, then those as urgent, then the rest; both begin at a place that depends
    on the message: others look at the same list at the same moment."""
    where = zlib.crc32(named.body().encode())
    as_urgent = [task for task in found[1:] if task.urgency == found[0].urgency]
    rest = found[1 + len(as_urgent) :]
    return [
        TaskMessage.of(task) for task in (*found[:1], *_from(as_urgent, where), *_from(rest, where))
    ]


def _from(found: list[Task], where: int) -> list[Task]:
    """The same, beginning somewhere."""
    start = where % len(found) if found else 0
    return found[start:] + found[:start]


def _listed(queue: str, above: str, below: str) -> Iterator[Task]:
    """Tasks that wait, most urgent first; the index may be a moment behind."""
    between = ByStatus.created_key.between(above, below)
    shards = [
        Item.by_status.query(keys.ready_shard(queue, shard), between, limit=_LOOKED_AT)
        for shard in range(keys.SHARDS)
    ]
    for item in merge(*shards, key=lambda item: str(item.created_key)):
        if isinstance(item, Task):
            yield item
