"""The seats at a running task: who works on it. The first is its attempt's; the second is that of a
backup begun beside it because it was slow (`stragglers`), taken while `backup_worker` is there.

Either may bring the task to its end, by a write conditional on the seats as they were read, so that
of two results one counts. Who leaves while the other works takes nothing along: if the first goes,
the backup moves up. Whoever is still at it when the task has ended keeps the second seat until it
notices and signs off, so that a purge knows of it. Attempt numbers are never given twice.
"""

from __future__ import annotations

from enum import Enum

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from millrace import clock
from millrace.model import Task, TaskStatus

LOST_AFTER_S = 60
"""A worker without a heartbeat for this long is taken for dead."""


class Seat(Enum):
    FIRST = "first"
    BACKUP = "backup"


def highest(task: Task) -> int:
    """The highest attempt number given out so far."""
    return max(int(task.attempt), int(task.backup_attempt or 0))


def seat_of(task: Task, attempt: int) -> Seat | None:
    """The seat of an attempt, whether or not the task still runs; None if it has none."""
    if int(task.attempt) == attempt:
        return Seat.FIRST
    taken = task.backup_worker is not None and int(task.backup_attempt or 0) == attempt
    return Seat.BACKUP if taken else None


def started_at(task: Task, attempt: int) -> str | None:
    backup = seat_of(task, attempt) is Seat.BACKUP
    return task.backup_started_at if backup else task.started_at


def duration(task: Task, attempt: int) -> dict[str, float]:
    """For the log: how long an attempt that ends now has run, in seconds."""
    begun = started_at(task, attempt)
    return {"duration_s": round(clock.age_s(begun), 3)} if begun else {}


def held(attempt: int) -> Condition:
    """The task runs and the attempt has a seat, whichever."""
    return _both(_running(), (Task.attempt == attempt) | _has_backup(attempt))


def held_in(seat: Seat, attempt: int) -> Condition:
    mine = Task.attempt == attempt if seat is Seat.FIRST else _has_backup(attempt)
    return _both(_running(), mine)


def as_seen(task: Task) -> Condition:
    """Nothing that matters to an end of the task has changed since it was read: only heartbeats
    may have."""
    first = (Task.status == task.status) & (Task.attempt == int(task.attempt))
    second = (
        Task.backup_worker.does_not_exist()
        if task.backup_worker is None
        else _has_backup(int(task.backup_attempt))
    )
    return _both(_both(first, second), Task.units_done == int(task.units_done))


def left_behind(attempt: int) -> Condition:
    """The task has ended and the attempt has not signed off."""
    return _both(Task.status != TaskStatus.RUNNING, _has_backup(attempt))


def free_for_backup(attempt: int) -> Condition:
    """The attempt runs alone and always did: each gets one backup at most."""
    never = Task.backup_attempt.does_not_exist() | (Task.backup_attempt <= attempt)
    alone = _both(held_in(Seat.FIRST, attempt), Task.backup_worker.does_not_exist())
    return _both(alone, never)


def is_fresh(heartbeat_at: str | None) -> bool:
    return heartbeat_at is not None and clock.age_s(heartbeat_at) < LOST_AFTER_S


def other_works(task: Task, attempt: int) -> bool:
    """Whether somebody else than this attempt works on the task and was heard of lately."""
    if seat_of(task, attempt) is Seat.BACKUP:
        return is_fresh(task.heartbeat_at)
    return task.backup_worker is not None and is_fresh(task.backup_heartbeat_at)


def take_backup(attempt: int, worker: str) -> list[Action]:
    now = clock.stamp()
    return [
        Task.backup_attempt.set(attempt),
        Task.backup_worker.set(worker),
        Task.backup_started_at.set(now),
        Task.backup_heartbeat_at.set(now),
    ]


def vacate_backup() -> list[Action]:
    """The second seat becomes free."""
    attributes = (Task.backup_worker, Task.backup_started_at, Task.backup_heartbeat_at)
    return [attribute.remove() for attribute in attributes]


def leave(task: Task, attempt: int) -> list[Action]:
    """An attempt goes, the other stays: the first seat is never empty."""
    if seat_of(task, attempt) is Seat.BACKUP:
        return vacate_backup()
    return [*_first_from_backup(task), *vacate_backup()]


def stay_alone(task: Task, attempt: int) -> list[Action]:
    """An attempt stays; whoever has the other seat was not heard of lately and loses it."""
    if seat_of(task, attempt) is Seat.BACKUP:
        return [*_first_from_backup(task), *vacate_backup()]
    return vacate_backup()


def settle(task: Task, attempt: int) -> list[Action]:
    """Who ends the task gets the first seat: what is told of the task is told of them. The other
    has the second until it signs off."""
    if seat_of(task, attempt) is not Seat.BACKUP:
        return []
    return [
        *_first_from_backup(task),
        Task.backup_attempt.set(int(task.attempt)),
        Task.backup_worker.set(task.worker),
        Task.backup_started_at.set(task.started_at),
        Task.backup_heartbeat_at.set(task.heartbeat_at),
    ]


def _first_from_backup(task: Task) -> list[Action]:
    return [
        Task.attempt.set(int(task.backup_attempt)),
        Task.worker.set(task.backup_worker),
        Task.started_at.set(task.backup_started_at),
        Task.heartbeat_at.set(task.backup_heartbeat_at),
    ]


def _has_backup(attempt: int) -> Condition:
    return _both(Task.backup_worker.exists(), Task.backup_attempt == attempt)


def _running() -> Condition:
    return Task.status == TaskStatus.RUNNING


def _both(one: Condition, other: Condition) -> Condition:
    both: Condition = one & other
    return both
