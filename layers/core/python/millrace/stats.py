"""`GET /stats`: what is going on, and what went on in a range of time. It reads the counters, as
many items whatever has happened, and asks each queue for its depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from millrace import clock, counters, keys, prices, rollup, tally, waits
from millrace.counters import Present
from millrace.model import TaskStatus, VideoStatus
from millrace.paging import only
from millrace.problems import invalid_parameter
from millrace.queues import ALL_QUEUES, TASK_QUEUES, Depth, Queues
from millrace.rollup import SAMPLE, Level

_HAPPENED = ("uploaded", "completed", "failed", "retries", "dead_letters", "lost_workers")
_SERIES = ("uploaded", "completed", "failed", "retries", "dead_letters")


@dataclass(frozen=True, slots=True)
class Range:
    """How far back, in steps of which length, read from which level."""

    seconds: int
    step_s: int
    level: Level

    def beginnings(self, now: datetime) -> list[datetime]:
        """Of all steps, oldest first; the last one is still running."""
        last = int(now.timestamp()) // self.step_s * self.step_s
        first = last - self.seconds + self.step_s
        return [
            datetime.fromtimestamp(second, UTC) for second in range(first, last + 1, self.step_s)
        ]


RANGES: Mapping[str, Range] = {
    "1h": Range(3600, 60, Level.MINUTE),
    "6h": Range(6 * 3600, 300, Level.FIVE_MINUTES),
    "24h": Range(24 * 3600, 300, Level.FIVE_MINUTES),
    "7d": Range(7 * 86_400, 3600, Level.HOUR),
    "30d": Range(30 * 86_400, 4 * 3600, Level.HOUR),
}
DEFAULT_RANGE = "24h"


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A queue at this moment."""

    name: str
    depth: Depth
    oldest_age_s: float | None
    """Of what has waited longest, among what was looked at; None if nothing waits, or nobody
    knows."""
    dead_letters: int

    @property
    def sampled_age_s(self) -> float | None:
        """As metrics tell it: 0 while nothing waits, and nothing where nobody knows."""
        return self.oldest_age_s if self.depth.waiting else self.oldest_age_s or 0.0


def parse_range(params: Mapping[str, str]) -> str:
    """Read `range`.

    Raises:
        Problem: 400 invalid-parameters.
    """
    only(params, {"range"})
    wanted = params.get("range", DEFAULT_RANGE)
    if wanted not in RANGES:
        raise invalid_parameter("range", "unknown", f"range is one of {', '.join(RANGES)}.")
    return wanted


def view(queues: Queues, wanted: str) -> dict[str, Any]:
    """The answer.

    Args:
        wanted: a name in `RANGES`.
    """
    chosen, now, present = RANGES[wanted], clock.now(), counters.present()
    beginnings = chosen.beginnings(now)
    steps = _steps(chosen, beginnings, present)
    seconds = (now - beginnings[0]).total_seconds()
    return {
        "at": keys.timestamp(now),
        "range": wanted,
        "from": keys.timestamp(beginnings[0]),
        "step_s": chosen.step_s,
        "videos": _states(present, "video", list(VideoStatus)),
        "tasks": _states(present, "task", list(TaskStatus)),
        "window": _window(sum(steps, Counter()), seconds),
        "queues": [queue_view(queue) for queue in queues_now(queues, present)],
        "series": _series(beginnings, steps),
    }


def queues_now(queues: Queues, present: Present) -> list[QueueNow]:
    """All queues, in the order of a video's way. What counts as a dead letter of a task queue is
    the table: the copies in the queue stay when their tasks are redriven."""
    depths = queues.depths()
    return [
        QueueNow(
            name,
            depths[name],
            waits.oldest_age_s(name, depths[name]),
            max(0, present.totals[f"letters_{name}"])
            if name in TASK_QUEUES
            else queues.letters(name),
        )
        for name in ALL_QUEUES
    ]


def queue_view(queue: QueueNow) -> dict[str, Any]:
    return {
        "name": queue.name,
        "waiting": queue.depth.waiting,
        "in_flight": queue.depth.in_flight,
        "oldest_age_s": queue.oldest_age_s,
        "dead_letters": queue.dead_letters,
    }


def _states(present: Present, of: str, states: Sequence[str]) -> dict[str, int]:
    return {state.lower(): max(0, present.totals[f"{of}_{state}"]) for state in states}


def _steps(chosen: Range, beginnings: Sequence[datetime], present: Present) -> list[Counter[str]]:
    """What is rolled up, and the minutes that are not yet, put together by step."""
    found: list[Counter[str]] = [Counter() for _ in beginnings]
    rolled_up = rollup.steps(chosen.level, beginnings[0])
    minutes = {f"{minute}:00+00:00": counts for minute, counts in present.minutes.items()}
    for at in sorted([*rolled_up, *minutes]):
        offset_s = (datetime.fromisoformat(at) - beginnings[0]).total_seconds()
        index = int(offset_s // chosen.step_s)
        if 0 <= index < len(found):
            _join(found[index], rolled_up.get(at) or minutes[at])
    return found


def _join(step: Counter[str], counts: Counter[str]) -> None:
    """Add up what can be; of samples the later counts."""
    for name, amount in counts.items():
        step[name] = amount if name.startswith(SAMPLE) else step[name] + amount


def _window(total: Counter[str], seconds: float) -> dict[str, Any]:
    ended = total["completed"] + total["failed"]
    cost_usd, source_s = total["cost_nano_usd"] / prices.NANO_USD, total["source_ms"] / 1000
    return {
        **{name: total[name] for name in _HAPPENED},
        "videos_per_hour": round(total["completed"] * 3600 / seconds, 2),
        "error_rate": round(total["failed"] / ended, 4) if ended else None,
        "bytes_in": total["bytes_in"],
        "bytes_out": total["bytes_out"],
        "source_seconds": round(source_s, 3),
        "cost_usd": round(cost_usd, 6),
        "cost_usd_per_source_minute": round(cost_usd * 60 / source_s, 6) if source_s else None,
        "time_to_playable_s": histogram(total, "playable"),
        "time_to_complete_s": histogram(total, "completed"),
    }


def histogram(total: Counter[str], name: str) -> dict[str, Any]:
    """A distribution of times: how many there are up to each bound and above the one before."""
    bounds: list[int | None] = [*tally.BOUNDS_S, None]
    counts = [total[tally.bucket(name, bound)] for bound in bounds]
    return {
        "count": sum(counts),
        "p50": quantile(counts, 0.5),
        "p95": quantile(counts, 0.95),
        "buckets": [
            {"le": bound, "count": count} for bound, count in zip(bounds, counts, strict=True)
        ],
    }


def quantile(counts: Sequence[int], part: float) -> float | None:
    """The time that this part of them is not above, as far as buckets tell: spread evenly within
    one; above all bounds, the last bound. None of none."""
    rank, seen, low = part * sum(counts), 0, 0
    if not rank:
        return None
    for bound, count in zip(tally.BOUNDS_S, counts, strict=False):
        if count and seen + count >= rank:
            return round(low + (bound - low) * (rank - seen) / count, 2)
        seen, low = seen + count, bound
    return float(tally.BOUNDS_S[-1])


def _series(beginnings: Sequence[datetime], steps: Sequence[Counter[str]]) -> dict[str, Any]:
    def sampled(name: str) -> list[int | None]:
        return [step.get(SAMPLE + name) for step in steps]

    return {
        "at": [keys.timestamp(at) for at in beginnings],
        **{name: [step[name] for step in steps] for name in _SERIES},
        "cost_usd": [round(step["cost_nano_usd"] / prices.NANO_USD, 6) for step in steps],
        "queue_depth": {name: sampled(f"depth_{name}") for name in ALL_QUEUES},
        "active": sampled("active"),
        "queued": sampled("queued"),
    }
