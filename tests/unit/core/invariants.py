"""What must hold of a video at any moment, whatever was done to it and by whoever."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname

from millrace import keys, outputs, steering, videos
from millrace.model import Item, Task, TaskKind, TaskStatus, Transaction, Video, VideoStatus
from millrace.replay import observed, replay
from tests.harness.playlists import check_text
from tests.unit.core.harness import SITE, Cloud

_LIVE = (TaskStatus.PENDING, TaskStatus.RUNNING)


@dataclass
class Observer:
    """Looks at a video again and again; remembers what was published."""

    cloud: Cloud
    video_id: str
    _segments: dict[str, bytes] = field(default_factory=dict)
    """What was named by a playlist so far, with its bytes."""
    _playlists: dict[str, list[str]] = field(default_factory=dict)

    def check(self) -> None:
        """Everything, at once."""
        items = self.cloud.items()
        tasks = [item for item in items if isinstance(item, Task)]
        video = next((item for item in items if isinstance(item, Video)), None)
        if video is not None:
            _check_sums(video, tasks)
            _check_ended(video, tasks)
            _check_due(video, tasks)
        _check_seats(tasks)
        _check_log(items, planned=video is not None and bool(video.tasks_total))
        objects = self._objects()
        _check_outputs(tasks, objects)
        self._check_published(objects)

    def check_end(self) -> None:
        """What holds besides once the video is COMPLETED."""
        self.check()
        assert self._playlists
        for path, lines in self._playlists.items():
            if "#EXT-X-STREAM-INF" not in "".join(lines):
                assert lines[-1] == "#EXT-X-ENDLIST", path
                assert "#EXT-X-PLAYLIST-TYPE:VOD" in lines, path

    def _objects(self) -> dict[str, bytes]:
        prefix = keys.media_prefix(self.video_id)
        found = self.cloud.objects(SITE).items()
        return {key.removeprefix(prefix): body for key, body in found if key.startswith(prefix)}

    def _check_published(self, objects: Mapping[str, bytes]) -> None:
        playlists = {path: text for path, text in objects.items() if ".m3u8" in path}
        for path in set(self._playlists) - set(playlists):
            del self._playlists[path]  # withdrawn
        for path, text in playlists.items():
            lines = check_text(path, text)
            if self._playlists.get(path) == lines:
                continue
            _check_growth(path, self._playlists.get(path, []), lines)
            self._playlists[path] = lines
            self._segments |= {name: objects[name] for name in _named(path, lines)}
        for name in [name for name in self._segments if name not in objects]:
            assert not playlists, f"{name} is gone, and there are still playlists"
            del self._segments[name]
        for name, body in self._segments.items():
            assert objects[name] == body, f"{name} was published and has changed"


def _named(path: str, lines: list[str]) -> Iterator[str]:
    """Whatever a playlist names must be there; this gives segments and init files."""
    for line in lines:
        name = line if line[:1] != "#" else "".join(re.findall('#EXT-X-MAP:URI="([^"]+)"', line))
        if name and not name.endswith(".m3u8"):
            yield f"{dirname(path)}/{name}"


def _check_growth(path: str, before: list[str], now: list[str]) -> None:
    """RFC 8216, 6.2.1: segments are only ever added, and none after the end."""
    old, new = ([line for line in lines if line[:1] != "#"] for lines in (before, now))
    assert new[: len(old)] == old, f"{path}: segments were removed"
    assert "#EXT-X-ENDLIST" not in before, f"{path}: changed after its end"
    master = any("STREAM-INF" in line for line in now)
    assert master or "#EXT-X-MEDIA-SEQUENCE:0" in now, path


def _check_sums(video: Video, tasks: list[Task]) -> None:
    made = [task for task in tasks if task.task_kind != TaskKind.PROBE]
    assert video.units_done == sum(int(task.units_done) for task in made)
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
    """What a done task says of its files is true of the files."""
    if not objects:
        return  # purged; the items follow
    for task in tasks:
        if task.status != TaskStatus.DONE or "tracks" not in (task.output or {}):
            continue
        for name, track in outputs.tracks_from_json(task.output).items():
            for index, segment in enumerate(track.segments, start=track.first):
                body = objects[f"{name}/{index:05d}.m4s"]
                assert segment.size_bytes == len(body)
                assert segment.iframe_bytes == len(body) // 2
