"""Burying failed tasks: the dead letter is sent at least once, and the table knows that it was."""

from __future__ import annotations

from contextlib import suppress

from millrace import clock, transact, videos
from millrace.errors import TransitionRefused
from millrace.model import Task, TaskStatus
from millrace.queues import Queues


def awaits_burial(task: Task) -> bool:
    """Whether a task's end has no dead letter yet, as far as the table knows."""
    return task.status in (TaskStatus.FAILED, TaskStatus.DEAD) and task.dead_lettered_at is None


def bury(queues: Queues, task: Task) -> None:
    """Send the dead letter of a failed task, unless it is known to have been sent.

    The letter first, the mark second: a crash in between sends it twice, never not at all. Until
    the mark is there the task is due at the monitor. Only workers of the task's own queue do
    this: nobody else may write to its dead-letter queue, they send its message again instead.
    """
    if not awaits_burial(task):
        return
    queues.send_dead_letter(task)
    actions = [Task.dead_lettered_at.set(clock.stamp()), *videos.not_due(Task)]
    # The attempt, because the task may have been redriven and have failed again meanwhile.
    same = (Task.status == task.status) & (Task.attempt == int(task.attempt))
    with suppress(TransitionRefused):
        transact.update_once(Task(task.pk, task.sk), actions, same)
