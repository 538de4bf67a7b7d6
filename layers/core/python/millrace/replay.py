"""The state of a video as its transaction log tells it. A pure function, to prove that the log is
complete: replayed, it must give what the items say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from millrace import keys, seats
from millrace.model import Item, Task, TaskKind, TaskStatus, Transaction, Video


@dataclass(slots=True)
class Replayed:
    """What can be known from the log."""

    status: str = ""
    playable: bool = False
    tasks: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Status and number of attempts by task id."""
    completions: int = 0
    """How often the video became COMPLETED: never more than once."""


def replay(log: Iterable[Transaction]) -> Replayed:
    """Apply the lines of one video's log, oldest first."""
    state = Replayed()
    for line in log:
        detail = line.detail or {}
        if line.task_id is not None:
            # With two attempts side by side, a line may be of the earlier one.
            _, attempts = state.tasks.get(line.task_id, ("", 0))
            state.tasks[line.task_id] = (detail["to"], max(attempts, int(line.attempt or 0)))
            continue
        if line.event == "video.uploaded":
            state.tasks[keys.task_id(TaskKind.PROBE, 0)] = (TaskStatus.PENDING.value, 0)
        if line.event == "video.planned":
            _plan(state, detail["tasks"])
        state.playable = detail.get("playable", state.playable)
        state.status = detail.get("to", state.status)
        state.completions += line.event == "video.completed"
    return state


def observed(items: Iterable[Item]) -> Replayed:
    """The same, read from the items of a video themselves."""
    state = Replayed()
    for item in items:
        if isinstance(item, Video):
            state.status, state.playable = item.status, bool(item.playable)
        elif isinstance(item, Task):
            state.tasks[item.task_id] = (item.status, seats.highest(item))
        elif isinstance(item, Transaction):
            state.completions += item.event == "video.completed"
    return state


def _plan(state: Replayed, counts: dict[str, int]) -> None:
    for kind, count in counts.items():
        for index in range(count):
            state.tasks[keys.task_id(kind, index)] = (TaskStatus.PENDING.value, 0)
