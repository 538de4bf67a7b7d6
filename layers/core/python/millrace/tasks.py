"""A task's moves: PENDING → RUNNING → DONE | FAILED | DEAD | CANCELLED, and RUNNING → PENDING.

Who starts a task gets a `Lease`; its attempt number fences everything written under it: once the
task has been taken away (a lost worker), the former owner's writes are refused. The units of a
task's work count into its video in the same transactions, so the video's sum is always exactly
the sum of its tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from millrace import clock, keys, seats, transact, videos
from millrace.errors import Reason, TransitionRefused
from millrace.events import TaskMessage
from millrace.metrics import Metric, tell
from millrace.model import Task, TaskKind, TaskStatus, Transaction, Video, VideoStatus
from millrace.queues import queue_of
from millrace.seats import LOST_AFTER_S, Seat

RESEND_AFTER_S = 60
"""A PENDING task whose message did nothing for this long gets another one."""
_LONGEST_RESEND_S = 1800
CONTENDERS = 5
"""How often a move is rebuilt because the task changed between reading and writing it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a task; void as soon as the attempt has no seat at it any more."""

    task: TaskMessage
    attempt: int
    worker: str
    started_at: str | None = None

    @property
    def ran(self) -> dict[str, float]:
        """For the log: how long the attempt has run, in seconds."""
        return {"duration_s": round(clock.age_s(self.started_at), 3)} if self.started_at else {}

    @property
    def key(self) -> Task:
        return key_of(self.task)

    def held(self) -> Condition:
        return seats.held(self.attempt)

    def entry(self, event: str, detail: dict[str, Any]) -> Transaction:
        return transact.entry(
            self.task.video_id,
            event,
            task_id=self.task.task_id,
            attempt=self.attempt,
            detail={"kind": self.task.kind, **detail},
        )


@dataclass(frozen=True, slots=True)
class Load:
    """What a worker's processes use."""

    cpu_percent: float | None = None
    """100 is one core."""
    memory_bytes: int | None = None


def get(message: TaskMessage) -> Task | None:
    """The task as it is now (a consistent read), or None."""
    key = key_of(message)
    try:
        return Task.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def key_of(message: TaskMessage) -> Task:
    """The task's keys, to update it without reading it."""
    return Task(keys.video_pk(message.video_id), keys.task_sk(message.kind, message.index))


def new(video_id: str, kind: TaskKind, index: int, *, units: int, urgency: str) -> Task:
    """A PENDING task, not yet written. It is due at the monitor in case its message gets lost.

    Args:
        urgency: see `turns`.
    """
    now, shard = clock.stamp(), keys.shard_of(video_id)
    return Task(
        keys.video_pk(video_id),
        keys.task_sk(kind, index),
        video_id=video_id,
        task_id=keys.task_id(kind, index),
        task_kind=kind.value,
        index=index,
        status=TaskStatus.PENDING.value,
        units=units,
        urgency=urgency,
        status_shard=keys.ready_shard(queue_of(kind), shard),
        created_key=keys.ready_key(urgency, now, video_id, keys.task_id(kind, index)),
        created_at=now,
        due_shard=keys.due_shard(shard),
        due_at=clock.stamp(RESEND_AFTER_S),
    )


def mark_stillborn(task: Task, reason: Reason, message: str) -> None:
    """Make a task that was not written yet one that failed before any attempt."""
    task.status = TaskStatus.FAILED.value
    task.reason, task.reason_message = reason.value, message
    task.ended_at = clock.stamp()
    shard = keys.shard_of(task.video_id)
    task.status_shard = keys.queue_letters_shard(queue_of(TaskKind(task.task_kind)), shard)
    task.created_shard = keys.letters_shard(shard)
    task.created_key = keys.letter_key(task.ended_at, task.video_id, task.task_id)


def start(message: TaskMessage, worker: str) -> tuple[Lease, Task, Video]:
    """PENDING → RUNNING, for one worker.

    Raises:
        TransitionRefused: the task is not PENDING, or its video is not under way (any more).
    """
    video, task = videos.get(message.video_id), get(message)
    waits = task is not None and task.status == TaskStatus.PENDING
    if video is None or task is None or not waits or video.status != _working_status(message.kind):
        raise TransitionRefused("task.started")
    now = clock.stamp()
    lease = Lease(message, seats.highest(task) + 1, worker, now)
    actions = [
        Task.status.set(TaskStatus.RUNNING.value),
        Task.attempt.set(lease.attempt),
        Task.worker.set(worker),
        Task.started_at.set(now),
        Task.heartbeat_at.set(now),
        Task.units_done.set(0),
        *_not_ready(),
        Task.slow_at.remove(),
        *videos.due(Task, message.video_id, clock.stamp(LOST_AFTER_S)),
    ]
    pending = (Task.status == TaskStatus.PENDING) & (Task.attempt == int(task.attempt))
    moved = {"from": TaskStatus.PENDING, "to": TaskStatus.RUNNING}
    waited = _waited(task)
    log = lease.entry("task.started", {**moved, "worker": worker, **waited})
    transact.commit([log], transact.update(lease.key, actions, pending))
    if waited:
        tell({Metric.QUEUE_WAIT: waited["waited_s"]}, kind=message.kind.value)
    return lease, task, video


def _waited(task: Task) -> dict[str, float]:
    """For the log: for how long nobody worked on a task. When one was redriven is in the log only,
    so of its first attempt after that nothing is told."""
    if seats.highest(task) and seats.highest(task) == int(task.forgiven_attempts):
        return {}
    return {"waited_s": round(clock.age_s(task.ended_at or task.created_at), 3)}


def beat(
    lease: Lease, units_before: int, units_now: int, load: Load, seat: Seat = Seat.FIRST
) -> int:
    """Tell that the worker lives, what it uses, and how far it is.

    Args:
        seat: the worker's at the task, as far as it knows.

    Returns:
        The units now counted: `units_now`, or `units_before` when the video was too busy.

    Raises:
        TransitionRefused: the lease is void, or its seat another; the video is not under way; or
            `units_before` is not what the table has.
    """
    held, alive = seats.held_in(seat, lease.attempt), _alive(lease, load, seat)
    if units_now > units_before:
        video = transact.update(
            videos.key_of(lease.task.video_id),
            [Video.units_done.add(units_now - units_before)],
            Video.status == VideoStatus.PROCESSING,
        )
        task = transact.update(
            lease.key,
            [*alive, Task.units_done.set(units_now)],
            held & (Task.units_done == units_before),
        )
        if transact.commit_progress(task, video):
            return units_now
    transact.update_once(lease.key, alive, held)
    return units_before


def grow(lease: Lease, output: dict[str, Any], growths: int) -> bool:
    """Tell what an attempt has made so far, so that it can be published.

    Args:
        output: as `finish` takes it; never less than was told before.
        growths: how often the task was told of before.

    Returns:
        Whether it was written; False when the video was too busy.

    Raises:
        TransitionRefused: the lease is void, the video is not PROCESSING, or the task was told of
            by somebody else meanwhile.
    """
    told = [Task.output.set(output), Task.growths.set(growths + 1)]
    before = (Task.growths == growths) | Task.growths.does_not_exist()
    return transact.commit_progress(
        transact.update(lease.key, told, lease.held() & before),
        transact.update(
            videos.key_of(lease.task.video_id),
            [Video.growths.add(1), videos.unpublished()],
            Video.status == VideoStatus.PROCESSING,
        ),
    )


def finish(
    lease: Lease, output: dict[str, Any], *also: Action, told: Mapping[str, Any] | None = None
) -> None:
    """RUNNING → DONE, counted into the video in the same transaction.

    Args:
        output: what was made; playlists are a pure function of the outputs of done tasks.
        also: further changes of the video, e.g. its poster.
        told: what the log is to tell besides.

    Raises:
        TransitionRefused: the lease is void or the video is not PROCESSING.
    """
    for _ in range(CONTENDERS):
        task = get(lease.task)
        if task is None or not is_held(task, lease):
            break
        task_actions = [*ended(TaskStatus.DONE), *videos.not_due(Task)]
        task_actions += seats.settle(task, lease.attempt)
        task_actions += [Task.output.set(output), Task.units_done.set(int(task.units))]
        video_actions = [
            Video.tasks_done.add(1),
            Video.units_done.add(int(task.units) - int(task.units_done)),
            Video.updated_at.set(clock.stamp()),
            videos.unpublished(),
            *also,
        ]
        moved = {"from": TaskStatus.RUNNING, "to": TaskStatus.DONE}
        ran = seats.duration(task, lease.attempt)
        log = lease.entry("task.done", {**moved, **ran, **(told or {})})
        if committed(lease, task, [log], task_actions, video_actions, VideoStatus.PROCESSING):
            return
    raise TransitionRefused("task.done")


def sign_off(lease: Lease) -> None:
    """A worker that finds its task ended by the other one is out of it from now on."""
    left_behind = seats.left_behind(lease.attempt)
    with suppress(TransitionRefused):
        transact.update_once(lease.key, seats.vacate_backup(), left_behind)


def cancel_pending(task: Task) -> bool:
    """PENDING → CANCELLED. Returns False if it is not PENDING any more, or its video is under way
    (again): whoever calls saw both a moment ago."""
    log = transact.entry(
        task.video_id,
        "task.cancelled",
        task_id=task.task_id,
        attempt=int(task.attempt),
        detail={"kind": task.task_kind, "from": TaskStatus.PENDING, "to": TaskStatus.CANCELLED},
    )
    actions = [*ended(TaskStatus.CANCELLED), *_not_ready(), *videos.not_due(Task)]
    try:
        write = transact.update(Task(task.pk, task.sk), actions, Task.status == TaskStatus.PENDING)
        unwanted = ~Video.status.is_in(*videos.ACTIVE)
        transact.commit([log], write, transact.check(videos.key_of(task.video_id), unwanted))
    except TransitionRefused:
        return False
    return True


def resent(task: Task) -> None:
    """The monitor sent a PENDING task's message again: look later and later, because a message
    may just be waiting in a long queue."""
    wait_s = min(RESEND_AFTER_S * 2 ** (int(task.resends) + 1), _LONGEST_RESEND_S)
    unchanged = (Task.status == TaskStatus.PENDING) & (Task.due_at == task.due_at)
    actions = [Task.due_at.set(clock.stamp(wait_s)), Task.resends.add(1)]
    with suppress(TransitionRefused):
        transact.update_once(Task(task.pk, task.sk), actions, unchanged)


def look_again(task: Task, seconds: float) -> None:
    """Postpone the monitor's next look at a task, unless it moved meanwhile."""
    unchanged = (Task.status == task.status) & (Task.due_at == task.due_at)
    with suppress(TransitionRefused):
        actions = [Task.due_at.set(clock.stamp(seconds))]
        transact.update_once(Task(task.pk, task.sk), actions, unchanged)


def lease_of(task: Task) -> Lease:
    """The lease of whoever has the first seat at a task, to end it in their stead."""
    return Lease(TaskMessage.of(task), int(task.attempt), task.worker or "")


def is_lost(task: Task) -> bool:
    """Whether a RUNNING task's worker, in the first seat, has been silent for too long."""
    return task.status == TaskStatus.RUNNING and not seats.is_fresh(
        task.heartbeat_at or task.created_at
    )


def is_worked_on(task: Task) -> bool:
    """Whether anybody was heard of lately who works on a task, perhaps unaware that it ended."""
    first = task.status == TaskStatus.RUNNING and not is_lost(task)
    return first or (task.backup_worker is not None and seats.is_fresh(task.backup_heartbeat_at))


def _working_status(kind: TaskKind) -> VideoStatus:
    return VideoStatus.QUEUED if kind is TaskKind.PROBE else VideoStatus.PROCESSING


def is_held(task: Task, lease: Lease) -> bool:
    running = task.status == TaskStatus.RUNNING
    return running and seats.seat_of(task, lease.attempt) is not None


def _alive(lease: Lease, load: Load, seat: Seat) -> list[Action]:
    heartbeat_at = Task.heartbeat_at if seat is Seat.FIRST else Task.backup_heartbeat_at
    actions: list[Action] = [
        heartbeat_at.set(clock.stamp()),
        *videos.due(Task, lease.task.video_id, clock.stamp(LOST_AFTER_S)),
    ]
    if load.cpu_percent is not None:
        actions.append(Task.cpu_percent.set(round(load.cpu_percent, 1)))
    if load.memory_bytes is not None:
        actions.append(Task.memory_bytes.set(load.memory_bytes))
    return actions


def ready(task: Task) -> list[Action]:
    """Have a task listed among those that wait for their turn."""
    key = keys.ready_key(task.urgency or "~", task.created_at, task.video_id, task.task_id)
    queue = queue_of(TaskKind(task.task_kind))
    shard = keys.ready_shard(queue, keys.shard_of(task.video_id))
    return [Task.status_shard.set(shard), Task.created_key.set(key)]


def _not_ready() -> list[Action]:
    return [Task.status_shard.remove(), Task.created_key.remove()]


def as_letter(task: Task) -> list[Action]:
    """Have a task that fails now listed among the dead letters."""
    shard = keys.shard_of(task.video_id)
    queue = queue_of(TaskKind(task.task_kind))
    return [
        Task.status_shard.set(keys.queue_letters_shard(queue, shard)),
        Task.created_shard.set(keys.letters_shard(shard)),
        Task.created_key.set(keys.letter_key(clock.stamp(), task.video_id, task.task_id)),
    ]


def ended(status: TaskStatus) -> list[Action]:
    return [Task.status.set(status.value), Task.ended_at.set(clock.stamp())]


def committed(
    lease: Lease,
    seen: Task,
    logs: Sequence[Transaction],
    task_actions: Sequence[Action],
    video_actions: Sequence[Action],
    video_status: VideoStatus,
) -> bool:
    """Write both or nothing, if the task still has the units and the workers we saw (a heartbeat
    of our own may have come between, or another worker)."""
    task = transact.update(lease.key, task_actions, seats.as_seen(seen))
    video = transact.update(
        videos.key_of(lease.task.video_id), video_actions, Video.status == video_status
    )
    try:
        transact.commit(logs, task, video)
    except TransitionRefused:
        return False
    return True
