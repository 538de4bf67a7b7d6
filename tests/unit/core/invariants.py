"""What must hold of a video at any moment, whatever was done to it and by whoever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from millrace import catalogue, counters, keys, outputs, steering, tally, videos
from millrace.counters import Held
from millrace.model import Entry, Item, Task, TaskKind, TaskStatus, Transaction, Video, VideoStatus
from millrace.replay import observed, replay
from millrace.rollup import SAMPLE, Level
from tests.harness.counted import states
from tests.harness.growth import Growth
from tests.unit.core.harness import SITE, TABLE, Cloud

_TOLD_BY = {
    "uploaded": ["video.uploaded"],
    "completed": ["video.completed"],
    "failed": ["video.failed"],
    "cancelled": ["video.cancelled"],
    "retries": ["task.retried", "task.lost"],
    "lost_workers": ["task.lost"],
    "dead_letters": ["task.failed", "task.dead"],
    "backups": ["task.doubled"],
    "redriven": ["task.redriven"],
}
"""What each counter counts of the log."""
_LIVE = (TaskStatus.PENDING, TaskStatus.RUNNING)


@dataclass
class Observer:
    """Looks at a video again and again; remembers what was published."""

    cloud: Cloud
    video_id: str
    _segments: dict[str, bytes] = field(default_factory=dict)
    """What was named by a playlist so far, with its bytes."""
    _growth: Growth = field(default_factory=Growth)
    _parsed: dict[tuple[str, str], tuple[dict[str, Any], Item]] = field(default_factory=dict)
    """Items as they were at the last look: most are the same at the next."""

    def check(self) -> None:
        """Everything, at once."""
        raw = self.cloud.database.items(TABLE)
        items = [self._parse(item) for item in raw]
        _check_counters(items, [counters.held(item) for item in raw if "TALLY" in item["pk"]["S"]])
        tasks = [item for item in items if isinstance(item, Task)]
        video = next((item for item in items if isinstance(item, Video)), None)
        if video is not None and not _is_partly_purged(video, items):
            _check_sums(video, tasks)
            _check_log(items, planned=bool(video.tasks_total))
        if video is not None:
            _check_ended(video, tasks)
            _check_due(video, tasks)
            _check_catalogue(video, items)
        _check_seats(tasks)
        objects = self._objects()
        if video is not None and video.status != VideoStatus.DELETING:
            _check_outputs(tasks, objects)
        self._check_published(objects)

    def _parse(self, raw: dict[str, Any]) -> Item:
        key = (raw["pk"]["S"], raw["sk"]["S"])
        known = self._parsed.get(key)
        if known is None or known[0] != raw:
            known = self._parsed[key] = (raw, Item.from_raw_data(raw))
        return known[1]

    def check_end(self) -> None:
        """What holds besides once the video is COMPLETED."""
        self.check()
        assert self._growth.media()
        assert all(self._growth.is_ended(path) for path in self._growth.media())

    def _objects(self) -> dict[str, bytes]:
        prefix = keys.media_prefix(self.video_id)
        found = self.cloud.objects(SITE).items()
        return {key.removeprefix(prefix): body for key, body in found if key.startswith(prefix)}

    def _check_published(self, objects: Mapping[str, bytes]) -> None:
        playlists = {path: text for path, text in objects.items() if ".m3u8" in path}
        for path in set(self._growth.lines) - set(playlists):
            self._growth.forget(path)  # withdrawn
        for path, text in playlists.items():
            self._segments |= {name: objects[name] for name in self._growth.see(path, text)}
        for name in [name for name in self._segments if name not in objects]:
            assert not playlists, f"{name} is gone, and there are still playlists"
            del self._segments[name]
        for name, body in self._segments.items():
            assert objects[name] == body, f"{name} was published and has changed"


def _check_catalogue(video: Video, items: list[Item]) -> None:
    """A video can be found from its first moment on, and by its duration once it is planned."""
    if video.status == VideoStatus.DELETING:
        return  # a purge removes the entries before the video itself
    entries = catalogue.title_entries(video.video_id, video.title, video.created_at)
    if video.media is not None:
        duration_s = video.media["format"]["duration_s"]
        entries.append(catalogue.duration_entry(video.video_id, duration_s, video.created_at))
    there = {item.sk: item.created_key for item in items if isinstance(item, Entry)}
    assert there == {entry.sk: entry.created_key for entry in entries}


def _check_counters(items: list[Item], held: list[Held]) -> None:
    """They say what the items say, however these came to be as they are; and what has happened is
    what the log tells, as long as it is there."""
    totals = _sum(each for each in held if each.sk == keys.TALLY_TOTAL_SK)
    assert _only(totals, lambda name: name in tally.STATES) == states(items)
    happened = _only(totals, lambda name: name not in tally.STATES)
    left = _sum(each for each in held if each.sk.startswith("MINUTE#"))
    for level in Level:
        rolled_up = _sum(each for each in held if each.pk == level.pk)
        seen = _only(rolled_up, lambda name: not name.startswith(SAMPLE)) + left
        assert seen == happened, level
    video = next((item for item in items if isinstance(item, Video)), None)
    if video is not None and not _is_partly_purged(video, items):
        told = Counter(item.event for item in items if isinstance(item, Transaction))
        for name, events in _TOLD_BY.items():
            assert happened[name] == sum(told[event] for event in events), name


def _sum(held: Iterable[Held]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in held:
        found.update(each.counts)
    return found


def _only(counts: Counter[str], wanted: Callable[[str], bool]) -> Counter[str]:
    return Counter({name: n for name, n in counts.items() if n and wanted(name)})


def _is_partly_purged(video: Video, items: list[Item]) -> bool:
    """A purge takes the log, the oldest lines first, and the tasks before the video itself; it was
    interrupted."""
    if video.status != VideoStatus.DELETING:
        return False
    log = sorted(
        (item for item in items if isinstance(item, Transaction)), key=lambda line: str(line.sk)
    )
    if not log or log[0].event != "upload.created":
        return True
    tasks = sum(isinstance(item, Task) for item in items)
    planned = int(video.tasks_total) + 1 if video.tasks_total else len(replay(log).tasks)
    return tasks < planned


def _check_sums(video: Video, tasks: list[Task]) -> None:
    made = [task for task in tasks if task.task_kind != TaskKind.PROBE]
    assert video.units_done == sum(int(task.units_done) for task in made)
    assert video.growths == sum(int(task.growths) for task in made)
    assert video.tasks_done == sum(task.status == TaskStatus.DONE for task in made)
    if video.status == VideoStatus.COMPLETED:
        assert video.tasks_done == video.tasks_total
        assert video.units_done == video.units_total


def _check_ended(video: Video, tasks: list[Task]) -> None:
    """A video under way has no ended task, or is being revived and the monitor knows."""
    if video.status in videos.ACTIVE and video.reviving_since is None:
        assert not [task for task in tasks if task.status in steering._ENDED]
    if video.status in videos.ACTIVE and video.reviving_since is not None:
        assert video.due_at is not None


def _check_due(video: Video, tasks: list[Task]) -> None:
    """Somebody will look at what is unfinished."""
    unfinished = (VideoStatus.AWAITING_UPLOAD, VideoStatus.PROCESSING, VideoStatus.DELETING)
    assert video.status not in unfinished or video.due_at is not None
    for task in tasks:
        planned = task.task_kind == TaskKind.PROBE or video.tasks_total
        if task.status in _LIVE and planned:
            assert task.due_at is not None, task.task_id


def _check_seats(tasks: list[Task]) -> None:
    for task in tasks:
        waits = task.status == TaskStatus.PENDING
        assert not (waits and task.backup_worker), f"{task.task_id} waits and has a worker"
        assert task.backup_worker is None or task.backup_attempt != task.attempt


def _check_log(items: list[Item], *, planned: bool) -> None:
    log = [item for item in items if isinstance(item, Transaction)]
    if not log:
        return
    told, seen = replay(sorted(log, key=lambda line: str(line.sk))), observed(items)
    if not planned:  # tasks are put before the video is PROCESSING
        fresh = (TaskStatus.PENDING.value, 0)
        seen.tasks = {
            name: state
            for name, state in seen.tasks.items()
            if name in told.tasks or state != fresh
        }
    assert told == seen
    assert told.completions <= 1
    done = Counter(line.task_id for line in log if line.event == "task.done")
    assert max(done.values(), default=0) <= 1, "a task was done twice"
    given = Counter(
        (line.task_id, line.attempt)
        for line in log
        if line.event in ("task.started", "task.doubled")
    )
    assert max(given.values(), default=0) <= 1, "an attempt's number was given twice"


def _check_outputs(tasks: list[Task], objects: Mapping[str, bytes]) -> None:
    """What a task says of its files, done or growing, is true of the files. (While a video is being
    deleted files go before the items, and a late worker may store another, which goes as well.)"""
    for task in tasks:
        if "tracks" not in (task.output or {}):
            continue
        for name, track in outputs.tracks_from_json(task.output).items():
            for index, segment in enumerate(track.segments, start=track.first):
                body = objects[f"{name}/{index:05d}.m4s"]
                assert segment.size_bytes == len(body)
                assert segment.iframe_bytes == len(body) // 2
