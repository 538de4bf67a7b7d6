"""What the person in front of `./millrace up` sees: every video's way, as it happens."""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from cli.console import console, escape

POLL_BUSY_S = 2.0
POLL_IDLE_S = 3.0
TERMINAL = ("completed", "failed", "cancelled")


class Activity:
    """Follows the public video list and prints each change once, with bars on a terminal."""

    def __init__(self, api_url: str) -> None:
        self._url = f"{api_url}/videos?limit=50"
        self._etag: str | None = None
        self._seen: dict[str, str] = {}
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("  [busy]{task.description}[/]"),
            BarColumn(bar_width=28),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def follow(self, stop: threading.Event) -> None:
        """Poll until `stop` is set. A silent API is not an error here: LocalStack may restart."""
        first = True
        with self._progress:
            while not stop.wait(0 if first else self._interval()):
                videos = self._fetch()
                if videos is None:
                    continue
                for video in reversed(videos):
                    self._show(video, quiet=first)
                first = False

    def _interval(self) -> float:
        return POLL_BUSY_S if self._bars else POLL_IDLE_S

    def _fetch(self) -> list[dict[str, Any]] | None:
        headers = {"If-None-Match": self._etag} if self._etag else {}
        request = urllib.request.Request(self._url, headers=headers)  # noqa: S310 - our own API
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                self._etag = response.headers.get("ETag")
                videos: list[dict[str, Any]] = json.load(response)["videos"]
                return videos
        except (OSError, ValueError, KeyError):
            return None

    def _show(self, video: dict[str, Any], quiet: bool) -> None:
        video_id, status = video["id"], video["status"]
        changed = self._seen.get(video_id) != status
        self._seen[video_id] = status
        if status == "processing":
            self._bar(video)
        elif video_id in self._bars:
            self._progress.remove_task(self._bars.pop(video_id))
        if changed and not (quiet and status in TERMINAL):
            console.print(_line(video))

    def _bar(self, video: dict[str, Any]) -> None:
        if video["id"] not in self._bars:
            title = escape(video["title"][:40])
            self._bars[video["id"]] = self._progress.add_task(title, total=100)
        self._progress.update(self._bars[video["id"]], completed=video["percent"])


def _line(video: dict[str, Any]) -> str:
    title = f"[bold]{escape(video['title'])}[/] [faint]{video['id']}[/]"
    match video["status"]:
        case "completed":
            return f"  [good]✓[/] {title} completed"
        case "failed":
            reason = video.get("reason") or {}
            return f"  [bad]✗[/] {title} failed: {escape(str(reason.get('message', '')))}"
        case status:
            return f"  [busy]•[/] {title} {status}"
