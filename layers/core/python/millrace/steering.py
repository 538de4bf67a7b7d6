"""What an operator does to a video on its way: cancel it, or set a failed or cancelled one going
again, with every task that did not come to its end.

The request is one conditional write. What follows from it for up to thousands of tasks is done by
the publisher, which the video's messages reach one after another; until it is done the video is
due at the monitor, so that a death in between is healed like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pynamodb.expressions.update import Action

from millrace import clock, seats, tasks, transact, videos
from millrace.errors import TransitionRefused
from millrace.events import TaskMessage
from millrace.model import Task, TaskKind, TaskStatus, Transaction, Video, VideoStatus
from millrace.queues import Queues
from millrace.videos import ACTIVE

HALTED = (VideoStatus.FAILED, VideoStatus.CANCELLED)
"""What can be set going again."""
_ENDED = (TaskStatus.FAILED, TaskStatus.DEAD, TaskStatus.CANCELLED)
"""Tasks that a video under way must not have: it could never be completed."""
_AT_ONCE = 40
"""Tasks in one transaction, each with its line; DynamoDB takes 100 items."""


def cancel(queues: Queues, video_id: str, actor: str) -> Video | None:
    """QUEUED or PROCESSING → CANCELLED. Its running workers stop within seconds, its playlists are
    withdrawn; what was made stays, for a retry. Repeatable.

    Args:
        actor: name of who asked, for the log.

    Returns:
        The video, now CANCELLED, or None if there is none.

    Raises:
        TransitionRefused: it is in another state.
    """
    while (video := videos.get(video_id)) is not None:
        if video.status == VideoStatus.CANCELLED:
            break
        if video.status not in ACTIVE:
            raise TransitionRefused(f"{video_id} is {video.status}")
        moved = [*videos.moved(video_id, VideoStatus.CANCELLED), Video.playable.set(False)]
        actions = [*moved, *videos.due(Video, video_id, clock.stamp(videos.LOOK_AGAIN_S))]
        detail = {"from": video.status, "to": "CANCELLED", "playable": False, "actor": actor}
        log = transact.entry(video_id, "video.cancelled", detail=detail)
        if _moved(video, log, actions):
            break
    if video is None:
        return None
    queues.send_publish(video_id, clock.stamp())  # if this never happens, the monitor does it
    return videos.get(video_id)


def retry(
    queues: Queues, video_id: str, actor: str, allowed: Sequence[VideoStatus] = HALTED
) -> Video | None:
    """FAILED or CANCELLED → PROCESSING, or QUEUED if it was not planned yet. Each of its tasks that
    failed or was cancelled gets all of its attempts anew. Repeatable: a video that is under way
    stays as it is.

    Args:
        actor: name of who asked, for the log.
        allowed: states it may be set going from.

    Returns:
        The video, under way, or None if there is none.

    Raises:
        TransitionRefused: it is in another state, or was refused when it arrived.
    """
    while (video := videos.get(video_id)) is not None:
        if video.status in ACTIVE:
            return video
        if video.status not in allowed or not was_tried(video):
            raise TransitionRefused(f"{video_id} is {video.status}")
        to = VideoStatus.PROCESSING if video.plan else VideoStatus.QUEUED
        log = transact.entry(
            video_id, "video.retried", detail={"from": video.status, "to": to, "actor": actor}
        )
        if _moved(video, log, _going_again(video_id, to)):
            queues.send_publish(video_id, clock.stamp())  # else the monitor does it
            return videos.get(video_id)
    return None


def was_tried(video: Video) -> bool:
    """Whether any work was done on a video, or could have been: not if its upload never came, or
    was refused as it arrived. Trying such a one would pass over the limits."""
    if video.uploaded_at is None:
        return False
    probe = tasks.get(TaskMessage(video.video_id, TaskKind.PROBE, 0))
    return probe is not None and not (probe.status == TaskStatus.FAILED and not probe.attempt)


def revive(queues: Queues, video: Video) -> None:
    """Make every ended task of a video that was set going PENDING, and announce it. Doing so once
    more, or after a death half-way, revives the rest.

    Raises:
        TransitionRefused: the video is not under way any more.
    """
    ended = [task for task in videos.tasks_of(video.video_id) if task.status in _ENDED]
    ended.sort(key=_urgency)
    for batch in _batches(iter(ended)):
        _revive_together(batch)
        queues.send_tasks([TaskMessage.of(task) for task in batch])
    actions: list[Action] = [Video.reviving_since.remove()]
    if video.status == VideoStatus.QUEUED:
        actions += videos.not_due(Video)  # the probe task carries the due time
    same = (Video.status == video.status) & (Video.reviving_since == video.reviving_since)
    transact.update_once(videos.key_of(video.video_id), actions, same)


def _moved(video: Video, log: Transaction, actions: list[Action]) -> bool:
    """Whether the move was made; if not, it was another one's turn: look again."""
    write = transact.update(videos.key_of(video.video_id), actions, Video.status == video.status)
    try:
        transact.commit([log], write)
    except TransitionRefused:
        return False
    return True


def _going_again(video_id: str, to: VideoStatus) -> list[Action]:
    now = clock.stamp()
    return [
        *videos.moved(video_id, to),
        Video.reviving_since.set(now),
        Video.published_steps.set(-1),  # its playlists were withdrawn
        Video.unpublished_since.remove(),
        Video.reason.remove(),
        Video.reason_message.remove(),
        *videos.due(Video, video_id, clock.stamp(videos.LOOK_AGAIN_S)),
    ]


def _urgency(task: Task) -> tuple[int, bool]:
    """The head goes first, as it does in a plan."""
    return int(task.index), task.task_kind != TaskKind.TRANSCODE


def _batches(ended: Iterator[Task]) -> Iterator[list[Task]]:
    while batch := list(islice(ended, _AT_ONCE)):
        yield batch


def _revive_together(batch: Sequence[Task]) -> None:
    try:
        _revive(batch)
    except TransitionRefused:
        for task in batch:
            _revive_one(task)


def _revive_one(task: Task) -> None:
    try:
        _revive([task])
    except TransitionRefused:
        now = tasks.get(TaskMessage.of(task))
        if now is not None and now.status in _ENDED:
            raise  # so it is the video that has changed


def _revive(batch: Sequence[Task]) -> None:
    video_id = batch[0].video_id
    under_way = transact.check(videos.key_of(video_id), Video.status.is_in(*ACTIVE))
    writes = [_revival(task) for task in batch]
    transact.commit([_entry(task) for task in batch], under_way, *writes)


def _revival(task: Task) -> transact.Write:
    """The history stays; `forgiven_attempts` takes it off the account."""
    actions = [
        Task.status.set(TaskStatus.PENDING.value),
        Task.forgiven_attempts.set(seats.highest(task)),
        Task.resends.set(0),
        *seats.vacate_backup(),
        *(gone.remove() for gone in (Task.reason, Task.reason_message, Task.ended_at)),
        *(gone.remove() for gone in (Task.dead_lettered_at, Task.created_shard)),
        *tasks.ready(task),
        *videos.due(Task, task.video_id, clock.stamp(tasks.RESEND_AFTER_S)),
    ]
    unchanged = (Task.status == task.status) & (Task.attempt == int(task.attempt))
    return transact.update(Task(task.pk, task.sk), actions, unchanged)


def _entry(task: Task) -> Transaction:
    return transact.entry(
        task.video_id,
        "task.redriven",
        task_id=task.task_id,
        attempt=int(task.attempt),
        detail={"kind": task.task_kind, "from": task.status, "to": TaskStatus.PENDING},
    )
