"""What the counters of states must say, by the items themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from millrace.model import Item, Task, TaskKind, TaskStatus, Video
from millrace.queues import queue_of


def states(items: Sequence[Item]) -> Counter[str]:
    """Tasks that were put and whose video was never planned are no news to anybody."""
    videos_seen = [item for item in items if isinstance(item, Video)]
    planned = {video.video_id for video in videos_seen if video.tasks_total}
    found = Counter(f"video_{video.status}" for video in videos_seen)
    for task in items:
        if not isinstance(task, Task):
            continue
        if task.video_id in planned or task.task_kind == TaskKind.PROBE:
            found[f"task_{task.status}"] += 1
            if task.status in (TaskStatus.FAILED, TaskStatus.DEAD):
                found[f"letters_{queue_of(TaskKind(task.task_kind))}"] += 1
    return found
