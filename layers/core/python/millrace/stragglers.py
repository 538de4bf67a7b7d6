"""Stragglers: a chunk far slower than its siblings is given a second attempt beside the first.

**Far slower** is decided when three quarters of a video's chunks are done and none waits for a
worker any more. What the chunk should take, E, follows from the median pace of those that are done.
It is slow from max(2 E, E + 10 s) after its start on, unless it will be done sooner than a new
attempt would be (in less than E), as far as its progress tells.

**How**: the publisher, which looks at all tasks whenever a sibling is done, notes when each chunk
that still runs would become slow, and sends the chunk's message so that it comes then. Mostly the
chunk is done by then, and the message changes nothing. The monitor sends the message again, every
minute, for what is slow and still has no second attempt.

**Bounds**: one backup per attempt, backups for a tenth of a video's chunks (but one), and none
while any message waits for a worker: those come first.

The quorum and "twice as slow" are usual (Spark's `spark.speculation.quantile` and `.multiplier`,
0.75 and 1.5 to 3), the comparison of the time left is that of LATE (Zaharia et al., OSDI 2008).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from statistics import median

from aws_lambda_powertools import Logger

from millrace import clock, seats, transact, videos
from millrace.errors import TransitionRefused
from millrace.events import TaskMessage
from millrace.metrics import Metric, record
from millrace.model import Task, TaskKind, TaskStatus, Video, VideoStatus
from millrace.queues import LONGEST_DELAY_S, Queues, queue_of
from millrace.tasks import Lease

QUORUM = Fraction(3, 4)
"""Part of a video's chunks that must be done before the others are compared with them."""
FACTOR = 2
LEAST_DELAY_S = 10.0
"""No chunk is slow that is less behind: beginning anew costs some seconds, too."""
PART_WITH_BACKUP = Fraction(1, 10)

log = Logger(child=True)


def watch(queues: Queues, all_tasks: Sequence[Task]) -> None:
    """Have a worker look at each chunk that still runs, at the moment it becomes slow.

    Args:
        all_tasks: those of one video.
    """
    for chunk, expected_s in _watched(all_tasks):
        if chunk.slow_at is None:
            _foresee(queues, chunk, expected_s)


def remind(queues: Queues, video: Video) -> None:
    """Have a worker look at each chunk that is slow and has no backup all the same: the message
    that was to see to it was lost, or came while others waited."""
    if video.tasks_done < QUORUM * int(video.tasks_total):
        return  # far from the end; spares reading the tasks
    for chunk, expected_s in _watched(videos.tasks_of(video.video_id)):
        if chunk.slow_at is None or is_slow(chunk):
            _foresee(queues, chunk, expected_s)


def back_up(queues: Queues, task: Task, worker: str) -> tuple[Lease, Task, Video] | None:
    """Begin a second attempt beside a slow one, if this is the time for it.

    Returns:
        What `tasks.start` gives; None if the task is not slow, has had its backup, or if workers
        are needed elsewhere.
    """
    alone = seats.highest(task) == int(task.attempt)
    if not (alone and is_slow(task)):
        return None
    video = videos.get(task.video_id)
    if video is None:
        return None
    if not queues.is_idle(queue_of(TaskKind(task.task_kind))):
        return None  # the monitor reminds
    lease = Lease(TaskMessage.of(task), int(task.attempt) + 1, worker, clock.stamp())
    try:
        _begin(lease, task, allowed=_allowed(video))
    except TransitionRefused:
        return None
    log.warning("task.doubled", extra={"attempt": lease.attempt})
    record(Metric.TASKS_DOUBLED)
    return lease, task, video


def is_slow(task: Task) -> bool:
    """Whether a running attempt is as late as was foreseen, and has some way to go."""
    if task.status != TaskStatus.RUNNING or task.slow_at is None or task.slow_at > clock.stamp():
        return False
    done = Fraction(int(task.units_done), int(task.units))
    left_s = _elapsed_s(task) * (1 - done) / done if done else math.inf
    return left_s > float(task.expected_s)


def _watched(all_tasks: Sequence[Task]) -> Iterator[tuple[Task, float]]:
    """The chunks that run alone near the end of a video's work, and how long each should take."""
    chunks = [task for task in all_tasks if task.task_kind == TaskKind.TRANSCODE]
    done = [chunk for chunk in chunks if chunk.status == TaskStatus.DONE]
    near = len(done) >= QUORUM * len(chunks)
    if not done or not near or any(chunk.status == TaskStatus.PENDING for chunk in chunks):
        return
    pace = median(_seconds(chunk) / int(chunk.units) for chunk in done)
    for chunk in chunks:
        if chunk.status == TaskStatus.RUNNING and seats.highest(chunk) == int(chunk.attempt):
            yield chunk, pace * int(chunk.units)


def _foresee(queues: Queues, chunk: Task, expected_s: float) -> None:
    """The message first, the note second: a crash in between sends it twice, never not at all."""
    slow_after_s = max(FACTOR * expected_s, expected_s + LEAST_DELAY_S)
    wait_s = max(0.0, slow_after_s - _elapsed_s(chunk))
    queues.send_task(TaskMessage.of(chunk), delay_s=min(math.ceil(wait_s), LONGEST_DELAY_S))
    slow_at = clock.stamp(wait_s)
    actions = [Task.slow_at.set(slow_at), Task.expected_s.set(round(expected_s, 1))]
    with suppress(TransitionRefused):
        transact.update_once(
            Task(chunk.pk, chunk.sk), actions, seats.free_for_backup(int(chunk.attempt))
        )


def _begin(lease: Lease, task: Task, *, allowed: int) -> None:
    detail = {
        "from": TaskStatus.RUNNING,
        "to": TaskStatus.RUNNING,
        "elapsed_s": round(_elapsed_s(task), 1),
        "expected_s": float(task.expected_s),
        "worker": lease.worker,
    }
    few = Video.backups.does_not_exist() | (Video.backups < allowed)
    transact.commit(
        [lease.entry("task.doubled", detail)],
        transact.update(
            lease.key,
            seats.take_backup(lease.attempt, lease.worker),
            seats.free_for_backup(int(task.attempt)),
        ),
        transact.update(
            videos.key_of(lease.task.video_id),
            [Video.backups.add(1)],
            (Video.status == VideoStatus.PROCESSING) & few,
        ),
    )


def _allowed(video: Video) -> int:
    return max(1, int(PART_WITH_BACKUP * int((video.plan or {}).get("chunk_count", 1))))


def _elapsed_s(task: Task) -> float:
    return clock.age_s(task.started_at or task.created_at)


def _seconds(done: Task) -> float:
    return clock.age_s(done.started_at) - clock.age_s(done.ended_at)
