"""The spans of a video's trace, from its upload to its end: a pure function of its log, which has
every move: retries, lost workers, backups and redrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from millrace.model import TaskKind, Transaction
from millrace.tally import kind_of
from millrace.trace_ids import root_id, span_id

_MARKS = ("video.playable", "rendition.ready", "video.retried")
_ENDS = {
    "video.completed": "done",
    "video.failed": "failed",
    "video.cancelled": "cancelled",
    "video.delete_requested": "cancelled",
    "upload.aborted": "cancelled",
}
_OUTCOMES = {
    "task.done": "done",
    "task.failed": "failed",
    "task.dead": "failed",
    "task.retried": "retried",
    "task.lost": "lost",
    "task.left": "retried",
    "task.cancelled": "cancelled",
}
_NAMES = {
    TaskKind.PROBE: "probe",
    TaskKind.TRANSCODE: "transcode chunk",
    TaskKind.AUDIO: "audio track",
    TaskKind.SUBTITLES: "subtitle track",
    TaskKind.THUMBNAIL: "thumbnails",
}
_ONE_OF_A_KIND = (TaskKind.PROBE, TaskKind.THUMBNAIL)
_TOLD_BEFORE = ("from", "to", "kind", "reason", "message", "worker", "playable")
"""Members of a line's detail that a span has a place of its own for, or none."""


@dataclass(slots=True)
class Span:
    id: str
    parent_id: str | None
    name: str
    kind: str
    begin: str
    end: str | None = None
    outcome: str = "running"
    task_id: str | None = None
    attempt: int | None = None
    worker: str | None = None
    reason: str | None = None
    message: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    def close(self, at: str, outcome: str) -> None:
        self.end, self.outcome = at, outcome


@dataclass(frozen=True, slots=True)
class Mark:
    at: str
    name: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Spans in the order they began, the whole video first."""

    video_id: str
    spans: Sequence[Span]
    marks: Sequence[Mark]


def of(video_id: str, log: Sequence[Transaction]) -> Trace:
    """The trace that the lines of a video's log, oldest first, tell of."""
    teller = _Teller(video_id)
    for line in log:
        teller.hear(line)
    spans = sorted(teller.spans, key=lambda span: (span.parent_id is not None, span.begin))
    return Trace(video_id, spans, teller.marks)


class _Teller:
    """Hears the lines one after another; knows what is open."""

    def __init__(self, video_id: str) -> None:
        self.spans: list[Span] = []
        self.marks: list[Mark] = []
        self._video_id = video_id
        self._whole: Span | None = None
        self._upload: Span | None = None
        self._planned: tuple[str, dict[str, int]] | None = None
        self._waiting: dict[str, Span] = {}
        self._working: dict[str, dict[int, Span]] = {}
        self._ended_last: str | None = None

    def hear(self, line: Transaction) -> None:
        if self._whole is None:
            self._whole = self._open(root_id(self._video_id), "video", "video", line.at)
        if line.task_id is None:
            self._hear_of_video(line)
        else:
            self._hear_of_task(line, line.task_id)

    def _hear_of_video(self, line: Transaction) -> None:
        detail: Mapping[str, Any] = line.detail or {}
        if line.event == "upload.created":
            self._upload = self._open(self._id("upload"), "upload", "upload", line.at)
        elif line.event == "video.uploaded":
            self._close_upload(line.at, "done", {"bytes": detail.get("bytes")})
            self._wait(TaskKind.PROBE, "probe-00000", line.at)
        elif line.event == "video.planned":
            for kind, count in detail["tasks"].items():
                for index in range(count):
                    self._wait(TaskKind(kind), f"{kind}-{index:05d}", line.at)
        elif line.event == "video.completed" and self._ended_last:
            span = self._open(self._id("publish", line.at), "publish", "publish", self._ended_last)
            span.close(line.at, "done")
        elif line.event == "video.retried":
            self._reopen()
        if line.event in _ENDS:
            self._end(line, _ENDS[line.event], detail)
        if line.event in _MARKS:
            name = line.event.partition(".")[2] if line.event != "rendition.ready" else line.event
            self.marks.append(Mark(line.at, name))

    def _hear_of_task(self, line: Transaction, task_id: str) -> None:
        if line.event in ("task.started", "task.doubled"):
            self._begin(line, task_id)
        elif line.event == "task.redriven":
            self._wait(kind_of(task_id), task_id, line.at)
        elif line.event in _OUTCOMES:
            self._finish(line, task_id)

    def _begin(self, line: Transaction, task_id: str) -> None:
        if waited := self._waiting.pop(task_id, None):
            waited.close(line.at, "done")
        detail, attempt = line.detail or {}, int(line.attempt or 0)
        kind = kind_of(task_id)
        span = self._open(
            self._id(task_id, str(attempt)), _name(kind, task_id), kind.value, line.at
        )
        span.task_id, span.attempt, span.worker = task_id, attempt, detail.get("worker")
        span.attributes = {**_attributes(detail), "backup": line.event == "task.doubled"}
        self._working.setdefault(task_id, {})[attempt] = span

    def _finish(self, line: Transaction, task_id: str) -> None:
        """An attempt's end; but of one that leaves another at work, that of the task."""
        detail, working = line.detail or {}, self._working.get(task_id, {})
        span = working.pop(int(line.attempt or 0), None)
        outcome = _OUTCOMES[line.event]
        if detail.get("reason") == "WORKER_LOST":
            outcome = "lost"
        if span is not None:
            _conclude(span, line.at, outcome, detail)
        if line.event == "task.left":
            return
        for other in working.values():
            other.close(line.at, "lost" if detail["to"] == "PENDING" else "cancelled")
        working.clear()
        if waited := self._waiting.pop(task_id, None):
            _conclude(waited, line.at, outcome, detail)
        if detail["to"] == "PENDING":
            self._wait(kind_of(task_id), task_id, line.at)
        if line.event == "task.done":
            self._ended_last = line.at

    def _end(self, line: Transaction, outcome: str, detail: Mapping[str, Any]) -> None:
        self._close_upload(line.at, outcome, {})
        if self._whole is not None and self._whole.end is None:
            _conclude(self._whole, line.at, outcome, detail)

    def _reopen(self) -> None:
        """A retried video goes on."""
        if self._whole is not None:
            self._whole.end, self._whole.outcome = None, "running"
            self._whole.reason = self._whole.message = None

    def _close_upload(self, at: str, outcome: str, attributes: dict[str, Any]) -> None:
        if self._upload is not None and self._upload.end is None:
            self._upload.close(at, outcome)
            self._upload.attributes = attributes

    def _wait(self, kind: TaskKind, task_id: str, at: str) -> None:
        name = f"queue: {_name(kind, task_id)}"
        span = self._open(self._id(task_id, "queue", at), name, "queue", at)
        span.task_id = task_id
        self._waiting[task_id] = span

    def _open(self, span_id: str, name: str, kind: str, at: str) -> Span:
        parent = None if kind == "video" else root_id(self._video_id)
        span = Span(span_id, parent, name, kind, at)
        self.spans.append(span)
        return span

    def _id(self, *parts: str) -> str:
        return span_id(self._video_id, *parts)


def _conclude(span: Span, at: str, outcome: str, detail: Mapping[str, Any]) -> None:
    span.close(at, outcome)
    span.reason, span.message = detail.get("reason"), detail.get("message")
    span.attributes |= _attributes(detail)


def _attributes(detail: Mapping[str, Any]) -> dict[str, Any]:
    known = (str, int, float, bool)
    return {
        name: value
        for name, value in detail.items()
        if name not in _TOLD_BEFORE and isinstance(value, known)
    }


def _name(kind: TaskKind, task_id: str) -> str:
    number = int(task_id.rpartition("-")[2])
    return _NAMES[kind] if kind in _ONE_OF_A_KIND else f"{_NAMES[kind]} {number}"
