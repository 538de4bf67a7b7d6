"""Figures as the API gives them to an operator: a busy day, and an idle one."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

STEPS = {
    "1h": (60, 60),
    "6h": (300, 72),
    "24h": (300, 288),
    "7d": (3600, 168),
    "30d": (14_400, 180),
}
"""Seconds of a step and steps, by range."""
QUEUES = ("ingest", "probe", "transcode", "thumbnail", "publish", "notify")
BUCKETS_S = (1, 2, 3, 5, 8, 13, 20, 30, 45, 60, 90, 120, 180, 300, 600, None)
COUNTS = (2, 9, 21, 30, 17, 8, 4, 2, 1, 0, 1, 0, 0, 0, 0, 0)
NOW = datetime(2026, 5, 12, 14, 3, 20, tzinfo=UTC)


def stamp(seconds: float) -> str:
    """So many seconds after (before, if negative) the time that is shown."""
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def spread(factor: int) -> dict[str, Any]:
    buckets = [
        {"le": le, "count": count * factor} for le, count in zip(BUCKETS_S, COUNTS, strict=True)
    ]
    return {"count": sum(COUNTS) * factor, "p50": 4.3, "p95": 19.0, "buckets": buckets}


def no_spread() -> dict[str, Any]:
    buckets = [{"le": le, "count": 0} for le in BUCKETS_S]
    return {"count": 0, "p50": None, "p95": None, "buckets": buckets}


def wave(steps: int, height: float, turns: float, shift: float = 0) -> list[int]:
    return [
        max(0, round(height * (math.sin(turns * i / steps * 6.28 + shift) + 0.6 * math.sin(i))))
        for i in range(steps)
    ]


def stats(given: str) -> dict[str, Any]:
    """A busy time of the range asked for."""
    step_s, steps = STEPS[given]
    completed, failed = wave(steps, 4, 1.5), wave(steps, 0.9, 3, 1)
    retries, dead = wave(steps, 1.6, 4, 2), wave(steps, 0.5, 5)
    depth: dict[str, list[int | None]] = {
        name: [*wave(steps, 3 + 4 * i, 1 + i / 3, i)] for i, name in enumerate(QUEUES[:4])
    }
    depth["transcode"][steps // 2] = None
    active = wave(steps, 8, 1.5, 0.4)
    window = {
        "uploaded": sum(completed) + sum(failed) + 2,
        "completed": sum(completed),
        "failed": sum(failed),
        "retries": sum(retries),
        "dead_letters": sum(dead),
        "lost_workers": 1,
        "videos_per_hour": round(sum(completed) * 3600 / step_s / steps, 2),
        "error_rate": 0.1282,
        "bytes_in": 48_200_000_000,
        "bytes_out": 61_700_000_000,
        "source_seconds": 93_600,
        "cost_usd": 3.412,
        "cost_usd_per_source_minute": 0.00219,
        "time_to_playable_s": spread(1),
        "time_to_complete_s": spread(2),
    }
    return {
        "at": stamp(0),
        "range": given,
        "from": stamp(-step_s * steps),
        "step_s": step_s,
        "videos": {"awaiting_upload": 1, "queued": 5, "processing": 3, "completed": 1284}
        | {"failed": 17, "cancelled": 2, "deleting": 0},
        "tasks": {"pending": 64, "running": 12, "done": 41_230, "failed": 9, "dead": 8}
        | {"cancelled": 31},
        "window": window,
        "queues": [
            {
                "name": name,
                "waiting": (0, 0, 38, 4, 0, 1)[i],
                "in_flight": (0, 1, 8, 2, 1, 0)[i],
                "oldest_age_s": (None, None, 42.4, 3.1, None, 0.4)[i],
                "dead_letters": (0, 3, 14, 0, 0, 0)[i],
            }
            for i, name in enumerate(QUEUES)
        ],
        "series": {
            "at": [stamp(step_s * (i - steps)) for i in range(steps)],
            "uploaded": wave(steps, 5, 1.5, 0.2),
            "completed": completed,
            "failed": failed,
            "retries": retries,
            "dead_letters": dead,
            "cost_usd": [0.011 * value for value in completed],
            "queue_depth": depth,
            "active": active,
            "queued": [value // 3 for value in active],
        },
    }


def idle_stats(given: str) -> dict[str, Any]:
    """Nothing has ever happened."""
    busy = stats(given)
    steps = STEPS[given][1]
    nothing = [0] * steps
    window = dict.fromkeys(busy["window"], 0) | {
        "videos_per_hour": 0.0,
        "error_rate": None,
        "cost_usd_per_source_minute": None,
        "time_to_playable_s": no_spread(),
        "time_to_complete_s": no_spread(),
    }
    return busy | {
        "videos": dict.fromkeys(busy["videos"], 0),
        "tasks": dict.fromkeys(busy["tasks"], 0),
        "window": window,
        "queues": [
            {"name": name, "waiting": 0, "in_flight": 0, "oldest_age_s": None, "dead_letters": 0}
            for name in QUEUES
        ],
        "series": dict.fromkeys(busy["series"], nothing)
        | {"at": busy["series"]["at"], "active": [None] * steps, "queued": [None] * steps}
        | {"queue_depth": {name: [None] * steps for name in QUEUES}},
    }


def worker(number: int, status: str = "working", **more: Any) -> dict[str, Any]:
    busy = status != "idle"
    entry: dict[str, Any] = {
        "id": f"host-{number:02d}/4f1c{number:04x}",
        "function": "transcode",
        "status": status,
        "video_id": f"video{number:021d}" if busy else None,
        "task_id": f"transcode-{number:05d}" if busy else None,
        "attempt": 1 if busy else None,
        "percent": 40 if busy else None,
        "cpu_percent": 97.5 if busy else 0.4,
        "memory_bytes": 412_000_000 if busy else 61_000_000,
        "started_at": stamp(-40) if busy else None,
        "heartbeat_at": stamp(-3.2),
        "heartbeat_age_s": 3.2,
    }
    return entry | more


def workers() -> list[dict[str, Any]]:
    return [
        worker(3),
        worker(4, percent=82, cpu_percent=188.0, attempt=2, heartbeat_age_s=0.6),
        worker(7, "unresponsive", percent=12, cpu_percent=None, heartbeat_age_s=94.0),
        worker(5, "idle", function="probe", heartbeat_age_s=41.0),
    ]
