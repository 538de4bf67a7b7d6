"""What the stand-in API answers, and its videos."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.pages import operations

TOKEN = "mr_" + "t" * 43


@dataclass
class State:
    """What the fake answers; tests change it while a page is open."""

    videos: list[dict[str, Any]] = field(default_factory=list)
    """Newest first."""
    media: Path | None = None
    """Served below /media: an HLS sample."""
    config_gate: asyncio.Event | None = None
    """While it is not set, the site does not tell where its API is."""
    listing_error: int | None = None
    listing_gate: asyncio.Event | None = None
    """While it is not set, listings do not answer."""
    deed_error: int | None = None
    """What deleting, cancelling and retrying are answered with."""
    deed_gate: asyncio.Event | None = None
    """While it is not set, they are not answered."""
    empty_pages: int = 0
    """So many pages hold nothing, as when hidden videos lie before those asked for."""
    single_post_bytes: int = 16 * 1024 * 1024
    part_size_bytes: int = 8 * 1024 * 1024
    part_failures: Counter[int] = field(default_factory=Counter)
    """How often a PUT of this part is answered 500."""
    expired_parts: set[int] = field(default_factory=set)
    """Parts whose first URL is refused as expired."""
    storage_gate: asyncio.Event | None = None
    """While it is not set, storage takes no bytes."""
    parts_held: int = 0
    """How many parts wait at it now."""
    media_error: int | None = None
    tokens: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {TOKEN: {"name": "ann", "roles": ["uploader"], "expires_at": None}}
    )
    """What `GET /token` says of each good one."""
    refusals: Counter[str] = field(default_factory=Counter)
    """How often a request ("POST /api/uploads") is answered 503, to be repeated after
    `retry_after_s`."""
    retry_after_s: int = 1
    expires_at: str = "2999-01-01T00:00:00.000000Z"
    max_bytes: int = 50 * 1024**3
    media_failures: Counter[str] = field(default_factory=Counter)
    """How often this path of a segment is answered 503."""
    requests: list[str] = field(default_factory=list)
    """Every request to API and storage: "METHOD path → status"."""
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: dict[str, dict[int, bytes]] = field(default_factory=dict)

    stats: Callable[[str], dict[str, Any]] = operations.stats
    """What `GET /stats` answers, by range."""
    workers: list[dict[str, Any]] = field(default_factory=operations.workers)
    traces: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id of the video."""
    letters: list[dict[str, Any]] = field(default_factory=list)
    """Newest first."""
    operations_error: int | None = None
    """What an operator's requests are answered with."""
    redrives: list[dict[str, Any]] = field(default_factory=list)
    """What was asked for."""
    redrive_page: int = 50
    """So many letters are redriven by one request."""
    stuck: set[str] = field(default_factory=set)
    """Videos that cannot be redriven."""

    def gates(self) -> list[asyncio.Event | None]:
        return [self.config_gate, self.listing_gate, self.deed_gate, self.storage_gate]

    def count(self, start: str) -> int:
        return sum(line.startswith(start) for line in self.requests)


def video(number: int, status: str = "completed", **more: Any) -> dict[str, Any]:
    """A video as the API lists it."""
    entry: dict[str, Any] = {
        "id": f"video{number:021d}",
        "title": f"Video {number}",
        "status": status,
        "percent": 100 if status == "completed" else 0,
        "playable": status == "completed",
        "created_at": "2026-05-12T10:00:00.000000Z",
        "duration_s": 12.0,
        "width": 640,
        "height": 360,
        "poster_url": None,
        "storyboard_url": None,
        "watch_url": "",
    }
    return entry | more
