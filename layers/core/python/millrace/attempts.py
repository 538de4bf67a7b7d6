"""How an attempt at a task ends without a result: given back, failed, dead or cancelled.

Every ending keeps the attempt in the task's history and takes its units back out of the video. But
if another attempt works beside it (`seats`), it only leaves: the task runs on, and so do its units.
"""

from __future__ import annotations

from typing import Any

from pynamodb.expressions.update import Action

from millrace import clock, seats, transact, videos
from millrace.errors import MillraceError, Reason, RetryableError, TransitionRefused
from millrace.metrics import Metric, record
from millrace.model import Task, TaskStatus, Transaction, Video, VideoStatus
from millrace.seats import LOST_AFTER_S, Seat
from millrace.tasks import (
    CONTENDERS,
    RESEND_AFTER_S,
    Lease,
    as_letter,
    committed,
    ended,
    get,
    is_held,
)

MAX_ATTEMPTS = 4
"""The first, and one after 1, 2 and 4 seconds."""
LOST = RetryableError(Reason.WORKER_LOST, "The worker stopped answering.")
"""Why an attempt ended whose worker died without a word."""
_LOG_CHARACTERS = 4096
_HISTORY = 20
"""Attempts kept; only restarts of the whole machine, which are free, can make them more."""
_EVENT_OF_END = {
    TaskStatus.PENDING: "task.retried",
    TaskStatus.FAILED: "task.failed",
    TaskStatus.DEAD: "task.dead",
    TaskStatus.CANCELLED: "task.cancelled",
}


def failures(task: Task) -> int:
    """Attempts that count against `MAX_ATTEMPTS`: those since the task was redriven, if it was."""
    since = [past for past in task.attempts or [] if past["attempt"] > task.forgiven_attempts]
    return sum(1 for past in since if past.get("counted", True))


def give_back(lease: Lease, error: MillraceError, *, counted: bool = True) -> Task:
    """An attempt came to nothing: RUNNING → PENDING, or → DEAD (and the video FAILED) after the
    last one; RUNNING it stays while another attempt works on it.

    Args:
        counted: False if the attempt ended through no fault of its own (the machine restarted):
            it uses up no retry.

    Returns:
        The task as it is now.

    Raises:
        TransitionRefused: the lease is void.
    """
    task = get(lease.task)
    used = failures(task) + 1 if task else 0
    to = TaskStatus.DEAD if counted and used >= MAX_ATTEMPTS else TaskStatus.PENDING
    return _end_attempt(lease, to, error, counted=counted)


def fail(lease: Lease, error: MillraceError) -> Task:
    """RUNNING → FAILED at once, and the video with it: trying again cannot help.

    Raises:
        TransitionRefused: the lease is void.
    """
    return _end_attempt(lease, TaskStatus.FAILED, error, counted=True)


def cancel(lease: Lease) -> Task:
    """RUNNING → CANCELLED: the video does not want it any more. RUNNING it stays while another
    attempt works on it.

    Raises:
        TransitionRefused: the lease is void, or the video is under way (again).
    """
    error = MillraceError(Reason.INTERNAL, "The video no longer needs this task.")
    return _end_attempt(lease, TaskStatus.CANCELLED, error, counted=False)


def _end_attempt(lease: Lease, to: TaskStatus, error: MillraceError, *, counted: bool) -> Task:
    for _ in range(CONTENDERS):
        task, video = get(lease.task), videos.get(lease.task.video_id)
        if task is None or video is None or not is_held(task, lease):
            break
        if to is TaskStatus.CANCELLED and video.status in videos.ACTIVE:
            break
        if to is not TaskStatus.FAILED and seats.other_works(task, lease.attempt):
            done = _leave(lease, task, error, counted=counted)
        else:
            done = _end(lease, task, video, to, error, counted=counted)
        if done and (now := get(lease.task)) is not None:
            return now
    raise TransitionRefused(f"task to {to}")


def _end(
    lease: Lease, task: Task, video: Video, to: TaskStatus, error: MillraceError, *, counted: bool
) -> bool:
    """Whether the task ended as it was seen."""
    task_actions = _attempt_actions(task, lease, to, error, counted=counted)
    video_actions: list[Action] = [Video.units_done.add(-int(task.units_done))]
    logs = [_attempt_entry(lease, task, to, error)]
    if to in (TaskStatus.FAILED, TaskStatus.DEAD) and video.status in videos.ACTIVE:
        video_actions += _video_fails(lease.task.video_id, error)
        detail = videos.failure_detail(video.status, error.reason, error.message)
        logs.append(transact.entry(lease.task.video_id, "video.failed", detail=detail))
    status = VideoStatus(video.status)
    done = committed(lease, task, logs, task_actions, video_actions, status)
    if done and len(logs) > 1:
        record(Metric.VIDEOS_FAILED)
    return done


def _leave(lease: Lease, task: Task, error: MillraceError, *, counted: bool) -> bool:
    """RUNNING → RUNNING by the other attempt alone. Returns whether the seats were as seen.

    A backup that comes to nothing uses up no retry: without it the task would be no worse off.
    """
    counted = counted and seats.seat_of(task, lease.attempt) is Seat.FIRST
    actions = [
        *seats.leave(task, lease.attempt),
        *_kept(task, lease, error, counted=counted),
        Task.slow_at.remove(),
        *videos.due(Task, task.video_id, clock.stamp(LOST_AFTER_S)),
    ]
    detail = _attempt_detail(lease, task, TaskStatus.RUNNING, error)
    log = lease.entry("task.left", detail)
    try:
        transact.commit([log], transact.update(lease.key, actions, seats.as_seen(task)))
    except TransitionRefused:
        return False
    return True


def _kept(task: Task, lease: Lease, error: MillraceError, *, counted: bool) -> list[Action]:
    """The attempt in the task's history, and the end of its engine's log."""
    past = {
        "attempt": lease.attempt,
        "worker": lease.worker,
        "started_at": seats.started_at(task, lease.attempt),
        "ended_at": clock.stamp(),
        "reason": error.reason.value,
        "message": error.message,
        "counted": counted,
    }
    history = [*(task.attempts or []), past][-_HISTORY:]
    log = error.engine_log[-_LOG_CHARACTERS:]
    return [Task.attempts.set(history), Task.engine_log.set(log)]


def _attempt_actions(
    task: Task, lease: Lease, to: TaskStatus, error: MillraceError, *, counted: bool
) -> list[Action]:
    attempt = lease.attempt
    settle = seats.settle if to is TaskStatus.FAILED else seats.stay_alone
    actions = [*ended(to), *_kept(task, lease, error, counted=counted), *settle(task, attempt)]
    actions.append(Task.units_done.set(0))
    if to is TaskStatus.CANCELLED:
        return [*actions, *videos.not_due(Task)]
    if to is TaskStatus.PENDING:
        actions.append(Task.resends.set(0))
    else:
        actions += [Task.reason.set(error.reason.value), Task.reason_message.set(error.message)]
        actions += as_letter(task)
    # PENDING: in case its message gets lost. FAILED and DEAD: until the dead letter is sent.
    return [*actions, *videos.due(Task, task.video_id, clock.stamp(RESEND_AFTER_S))]


def _attempt_entry(lease: Lease, task: Task, to: TaskStatus, error: MillraceError) -> Transaction:
    lost = error.reason is Reason.WORKER_LOST and to is TaskStatus.PENDING
    event = "task.lost" if lost else _EVENT_OF_END[to]
    return lease.entry(event, _attempt_detail(lease, task, to, error))


def _attempt_detail(
    lease: Lease, task: Task, to: TaskStatus, error: MillraceError
) -> dict[str, Any]:
    return {
        "from": TaskStatus.RUNNING,
        "to": to,
        "reason": error.reason,
        "message": error.message,
        **seats.duration(task, lease.attempt),
    }


def _video_fails(video_id: str, error: MillraceError) -> list[Action]:
    """The monitor is to see that its playlists are withdrawn and its other tasks stopped."""
    return [
        *videos.failed_actions(video_id, error.reason, error.message),
        *videos.due(Video, video_id, clock.stamp(videos.LOOK_AGAIN_S)),
    ]
