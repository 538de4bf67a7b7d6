"""`POST /dead-letters/redrive`: which failed videos it means, and setting them going again.

The table is what counts: a dead letter is a task that is FAILED or DEAD. Its copy in the queue of
dead letters is for whoever looks there; nothing depends on it, so neither on what an emulator can
do with it. A video cannot be completed with a dead task, so redriving one letter redrives all of
its video.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from millrace import keys, listing, steering, tasks, videos
from millrace.errors import TransitionRefused
from millrace.events import TaskMessage
from millrace.listing import LetterQuery
from millrace.model import TaskKind, TaskStatus, Video, VideoStatus
from millrace.problems import (
    FieldError,
    Problem,
    ProblemType,
    validation_failed,
    video_not_found,
)
from millrace.queues import TASK_QUEUES, Queues

LETTERS_AT_ONCE = 50
"""Letters looked at in one request for a queue or for all; the rest is behind `next_cursor`."""
_ADVICE = {
    ProblemType.NOT_RETRYABLE: "Only a failed or cancelled one whose file was accepted can be; "
    "a cancelled one by POST /videos/{video_id}/retry alone.",
    ProblemType.NOT_CANCELLABLE: "Only a queued or processing one can be cancelled.",
}
_MEMBERS = ("video_id", "task_id", "queue", "all", "cursor")


@dataclass(frozen=True, slots=True)
class Selection:
    """What to redrive: one letter, a video's, or a page of a queue's or of all."""

    video_id: str | None = None
    task_id: str | None = None
    query: LetterQuery | None = None


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of a request."""

    video_ids: Sequence[str]
    skipped: Sequence[str] = ()
    """Videos that have dead letters and may not be redriven: cancelled, or being deleted."""
    next_cursor: str | None = None


def parse(body: Mapping[str, Any]) -> Selection:
    """Read the body: `video_id` and perhaps `task_id`, or `queue`, or `all`: true; with the latter
    two perhaps `cursor`.

    Raises:
        Problem: 422 validation-failed.
    """
    errors = [
        FieldError(name[:64], "unknown", f"Known are {', '.join(_MEMBERS)}.")
        for name in sorted(set(body) - set(_MEMBERS))[:10]
    ]
    for name in ("video_id", "task_id", "cursor"):
        if name in body and not isinstance(body[name], str):
            errors.append(FieldError(name, "not_text", f"{name} is text."))
    if "queue" in body and body["queue"] not in TASK_QUEUES:
        message = f"queue is one of {', '.join(TASK_QUEUES)}."
        errors.append(FieldError("queue", "unknown", message))
    if "all" in body and body["all"] is not True:
        errors.append(FieldError("all", "not_true", "all is true, or left out."))
    if sum(name in body for name in ("video_id", "queue", "all")) != 1:
        message = "Name either a video_id, or a queue, or all."
        errors.append(FieldError("video_id", "ambiguous", message))
    belonging = (("task_id", "video_id" in body), ("cursor", "video_id" not in body))
    for name, fits in belonging:
        if name in body and not fits:
            errors.append(FieldError(name, "misplaced", f"{name} does not belong here."))
    if errors:
        raise validation_failed(errors)
    if "video_id" in body:
        return Selection(body["video_id"], body.get("task_id"))
    return Selection(query=LetterQuery(body.get("queue"), LETTERS_AT_ONCE, body.get("cursor")))


def redrive(queues: Queues, wanted: Selection, actor: str) -> Redriven:
    """Set the videos going again that `wanted` means. Repeatable.

    Args:
        actor: name of who asked, for the log.

    Raises:
        Problem: 400 invalid-cursor; for a single video 404 video-not-found or letter-not-found,
            409 not-retryable.
    """
    if wanted.query is not None:
        return _redrive_page(queues, wanted.query, actor)
    assert wanted.video_id is not None  # `parse` gives one of the two
    video = videos.get(wanted.video_id) if keys.VIDEO_ID.fullmatch(wanted.video_id) else None
    if video is None:
        raise video_not_found(wanted.video_id)
    if wanted.task_id is not None:
        _check_letter(video, wanted.task_id)
    return Redriven([retry(queues, video.video_id, actor, [VideoStatus.FAILED]).video_id])


def retry(
    queues: Queues, video_id: str, actor: str, allowed: Sequence[VideoStatus] = steering.HALTED
) -> Video:
    """`steering.retry`, with problems for answers.

    Raises:
        Problem: 404 video-not-found, 409 not-retryable.
    """
    try:
        video = steering.retry(queues, video_id, actor, allowed)
    except TransitionRefused as refusal:
        raise _refused(ProblemType.NOT_RETRYABLE, video_id) from refusal
    if video is None:
        raise video_not_found(video_id)
    return video


def cancel(queues: Queues, video_id: str, actor: str) -> Video:
    """`steering.cancel`, with problems for answers.

    Raises:
        Problem: 404 video-not-found, 409 not-cancellable.
    """
    try:
        video = steering.cancel(queues, video_id, actor)
    except TransitionRefused as refusal:
        raise _refused(ProblemType.NOT_CANCELLABLE, video_id) from refusal
    if video is None:
        raise video_not_found(video_id)
    return video


def _redrive_page(queues: Queues, query: LetterQuery, actor: str) -> Redriven:
    page = listing.list_letters(query)
    redriven: list[str] = []
    skipped: list[str] = []
    for video_id in dict.fromkeys(task.video_id for task in page.entries):
        try:
            video = steering.retry(queues, video_id, actor, [VideoStatus.FAILED])
        except TransitionRefused:
            video = None
        (skipped if video is None else redriven).append(video_id)
    return Redriven(redriven, skipped, page.next_cursor)


def _check_letter(video: Video, task_id: str) -> None:
    """A letter that was redriven a moment ago is no letter any more; that is a success."""
    kind, _, index = task_id.rpartition("-")
    known = kind in tuple(TaskKind) and re.fullmatch("[0-9]{5}", index)
    task = tasks.get(TaskMessage(video.video_id, TaskKind(kind), int(index))) if known else None
    dead = task is not None and task.status in (TaskStatus.FAILED, TaskStatus.DEAD)
    if task is None or not (dead or video.status in videos.ACTIVE):
        detail = f"The video has no failed task {task_id[:64]!r}."
        raise Problem(ProblemType.LETTER_NOT_FOUND, detail)


def _refused(kind: ProblemType, video_id: str) -> Problem:
    video = videos.get(video_id)
    if video is None:
        return video_not_found(video_id)
    status = video.status.lower()
    return Problem(
        kind,
        f"The video is {status}. {_ADVICE[kind]}",
        extensions={"video_id": video_id, "video_status": status},
    )
