"""Traces and dead letters as the API gives them."""

from __future__ import annotations

from itertools import count
from typing import Any

from tests.e2e.pages.operations import stamp

LOG = "\n".join(
    f"[h264 @ 0x55d0] error while decoding MB {i % 40} {i % 22}, bytestream -{i}" for i in range(40)
)


class Spans:
    """A trace in the making; times are seconds since it begins."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []
        self._numbers = count(1)

    def add(self, name: str, kind: str, begin: float, end: float | None, **more: Any) -> None:
        span: dict[str, Any] = {
            "id": f"{next(self._numbers):016x}",
            "parent_id": None,
            "name": name,
            "kind": kind,
            "task_id": None,
            "attempt": None,
            "worker": None,
            "from": stamp(begin),
            "to": None if end is None else stamp(end),
            "outcome": "running" if end is None else "done",
            "reason": None,
            "message": None,
            "attributes": {},
        }
        self.made.append(span | more)

    def task(self, task_id: str, name: str, *tries: tuple[float, float | None, str]) -> None:
        """A task with the beginning, the end and the outcome of each attempt."""
        kind = task_id.split("-", maxsplit=1)[0]
        ready = tries[0][0] - 1.5
        for attempt, (begin, end, outcome) in enumerate(tries, 1):
            self.add(f"queue: {name}", "queue", ready, begin, task_id=task_id)
            bad = outcome in ("retried", "failed", "lost")
            reason = "WORKER_LOST" if outcome == "lost" else "ENGINE_CRASHED"
            self.add(
                name,
                kind,
                begin,
                end,
                task_id=task_id,
                attempt=attempt,
                worker=f"host-{(attempt + len(self.made)) % 4:02d}/4f1c",
                outcome=outcome,
                reason=reason if bad else None,
                message="The engine ended with signal 11." if bad else None,
                attributes={"bytes_read": 1_048_576, "segments": 4},
            )
            ready = end or begin


def trace(video_id: str, chunks: int = 9, **more: Any) -> dict[str, Any]:
    """A video with retries, a lost worker and several workers side by side."""
    spans = Spans()
    spans.add("video", "video", 0, 30)
    spans.add("upload", "upload", 0, 4)
    spans.task("probe-00000", "probe", (4.6, 5.9, "done"))
    spans.task("audio-00000", "audio 0", (7.6, 14.1, "done"))
    spans.task("thumbnail-00000", "thumbnails", (8.0, 12.4, "done"))
    for i in range(chunks):
        begin = 7.5 + (i // 4) * 5
        tries: list[tuple[float, float | None, str]] = [(begin, begin + 4.2 + i % 3, "done")]
        if i == 3:
            tries = [(begin, begin + 2, "retried"), (begin + 4, begin + 5.5, "retried")]
            tries += [(begin + 9, begin + 14, "done")]
        if i == 5:
            tries = [(begin, begin + 7, "lost"), (begin + 9, begin + 13, "done")]
        spans.task(f"transcode-{i:05d}", f"transcode chunk {i}", *tries)
    spans.add("publish", "publish", 12.0, 12.4)
    spans.add("publish", "publish", 29.2, 29.9)
    answer: dict[str, Any] = {
        "video_id": video_id,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "title": "Mill wheel",
        "status": "completed",
        "from": stamp(0),
        "to": stamp(30),
        "spans": spans.made,
        "marks": [
            {"at": stamp(12.4), "name": "playable"},
            *({"at": stamp(28 + i / 100), "name": "rendition.ready"} for i in range(3)),
        ],
    }
    return answer | more


def letter(number: int, queue: str = "transcode", **more: Any) -> dict[str, Any]:
    """A later one has a greater number."""
    attempts = [
        {
            "attempt": attempt,
            "worker": f"host-{attempt:02d}/4f1c",
            "started_at": stamp(number * 60 + attempt * 10),
            "ended_at": stamp(number * 60 + attempt * 10 + 4.2),
            "reason": "ENGINE_CRASHED",
            "message": "The engine ended with signal 11.",
            "counted": True,
        }
        for attempt in range(1, 5)
    ]
    entry: dict[str, Any] = {
        "video_id": f"video{number:021d}",
        "title": f"Mill wheel {number}",
        "task_id": f"{queue}-{number:05d}",
        "queue": queue,
        "status": "dead",
        "failed_at": stamp(number * 60 + 50),
        "reason": {"code": "ENGINE_CRASHED", "message": "The engine ended with signal 11."},
        "attempts": attempts,
        "engine_log": LOG,
    }
    return entry | more


def letters(how_many: int) -> list[dict[str, Any]]:
    """Newest first."""
    queues = ("transcode", "thumbnail", "transcode", "probe")
    kinds: list[dict[str, Any]] = [
        {},
        {"status": "failed", "reason": {"code": "CORRUPT", "message": "moov atom not found"}},
        {"reason": {"code": "WORKER_LOST", "message": "No heartbeat for 60 s."}},
    ]
    return [
        letter(number, queues[number % 4], **kinds[number % 3]) for number in range(how_many, 0, -1)
    ]
