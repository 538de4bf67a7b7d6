"""What lines of the log add to the counters: a pure function, so that the counters can be proven
to say what the log says.

Two sorts of names. **States** go up and down: how many videos and tasks are in each, and how many
dead letters each queue has. **Happenings** only go up. All amounts are whole numbers, in the unit
that the name ends with (none: a count), so that adding them up in any order gives the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from millrace import prices
from millrace.model import TaskKind, TaskStatus, Transaction, VideoStatus
from millrace.queues import TASK_QUEUES, queue_of

BOUNDS_S = (1, 2, 3, 5, 8, 13, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600, 7200)
"""Upper bounds of the buckets of times to playable and to completed; above, there is one more."""
_LETTER = (TaskStatus.FAILED, TaskStatus.DEAD)
_HAPPENED: Mapping[str, tuple[str, ...]] = {
    "video.uploaded": ("uploaded",),
    "video.completed": ("completed",),
    "video.failed": ("failed",),
    "video.cancelled": ("cancelled",),
    "task.retried": ("retries",),
    "task.lost": ("retries", "lost_workers"),
    "task.failed": ("dead_letters",),
    "task.dead": ("dead_letters",),
    "task.doubled": ("backups",),
    "task.redriven": ("redriven",),
}
_AMOUNTS = {
    "bytes": ("bytes_in", 1),
    "bytes_out": ("bytes_out", 1),
    "bytes_read": ("bytes_read", 1),
    "source_s": ("source_ms", 1000),
}
"""Member of a line's detail → name, and how many of its unit are one of the detail's."""


@dataclass(slots=True)
class Tally:
    """Amounts by name; zeros are left out."""

    states: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)


def of(lines: Iterable[Transaction]) -> Tally:
    """What some lines of the log add."""
    tally = Tally()
    for line in lines:
        detail: Mapping[str, Any] = line.detail or {}
        if line.task_id is None:
            _count_video(tally, line.event, detail)
        else:
            _count_task(tally, line.event, kind_of(line.task_id), detail)
        tally.happened.update(_HAPPENED.get(line.event, ()))
        for member, (name, factor) in _AMOUNTS.items():
            tally.happened[name] += round(factor * detail.get(member, 0))
    return Tally(_without_zeros(tally.states), _without_zeros(tally.happened))


def kind_of(task_id: str) -> TaskKind:
    """The kind of the task of this name, e.g. of `transcode-00002`."""
    return TaskKind(task_id.rpartition("-")[0])


def video_state(status: str) -> str:
    """Name of the counter of videos in a state."""
    return f"video_{VideoStatus(status)}"


def task_states(kind: TaskKind, status: str) -> list[str]:
    """Names of the counters that a task in a state is in."""
    letters = [f"letters_{queue_of(kind)}"] if status in _LETTER else []
    return [f"task_{TaskStatus(status)}", *letters]


def bucket(name: str, bound_s: int | None) -> str:
    """Name of the counter of one bucket; None: of what is above all bounds."""
    return f"{name}_le_{bound_s or 'inf'}"


def _count_video(tally: Tally, event: str, detail: Mapping[str, Any]) -> None:
    if detail.get("from"):
        tally.states[video_state(detail["from"])] -= 1
    if detail.get("to"):
        tally.states[video_state(detail["to"])] += 1
    if event == "video.uploaded":
        tally.states.update(task_states(TaskKind.PROBE, TaskStatus.PENDING))
    if event == "video.planned":
        tally.states[f"task_{TaskStatus.PENDING}"] += sum(detail["tasks"].values())
    if event in ("video.playable", "video.completed") and "since_upload_s" in detail:
        name, seconds = event.removeprefix("video."), float(detail["since_upload_s"])
        bound = next((bound for bound in BOUNDS_S if seconds <= bound), None)
        tally.happened[bucket(name, bound)] += 1
        tally.happened[f"{name}_ms"] += round(1000 * seconds)


def _count_task(tally: Tally, event: str, kind: TaskKind, detail: Mapping[str, Any]) -> None:
    tally.states.subtract(task_states(kind, detail["from"]))
    tally.states.update(task_states(kind, detail["to"]))
    if "waited_s" in detail:
        tally.happened[f"waits_{kind}"] += 1
        tally.happened[f"wait_ms_{kind}"] += round(1000 * detail["waited_s"])
    if "duration_s" not in detail:
        return
    seconds, files = float(detail["duration_s"]), int(detail.get("files", 0))
    tally.happened["cost_nano_usd"] += prices.attempt_nano_usd(kind, seconds, files)
    tally.happened["busy_ms"] += round(1000 * seconds)
    if event == "task.done":
        tally.happened[f"done_{kind}"] += 1
        tally.happened[f"done_ms_{kind}"] += round(1000 * seconds)


def _without_zeros(amounts: Counter[str]) -> Counter[str]:
    return Counter({name: amount for name, amount in amounts.items() if amount})


STATES = (
    *(video_state(status) for status in VideoStatus),
    *(f"task_{status}" for status in TaskStatus),
    *(f"letters_{queue}" for queue in TASK_QUEUES),
)
"""All names that go up and down."""
