"""How the stand-in API answers: problems, conditional requests, files."""

from __future__ import annotations

import hashlib
import json
import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.e2e.pages.fake_state import State

TYPES = {".mjs": "text/javascript", ".m4s": "video/iso.segment", ".woff2": "font/woff2"} | {
    ".m3u8": "application/vnd.apple.mpegurl"
}


def problem(status: int, slug: str, detail: str) -> web.Response:
    body = {
        "type": f"https://millrace.dev/problems/{slug}",
        "title": slug,
        "status": status,
        "detail": detail,
    }
    return web.json_response(body, status=status, content_type="application/problem+json")


def caller(state: State, request: web.Request) -> dict[str, Any] | None:
    """Whose the token of a request is; None without one that is good."""
    return state.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))


def refusal(state: State, request: web.Request) -> web.Response | None:
    """The answer to a request that needs a token and has none."""
    if caller(state, request):
        return None
    return problem(401, "token-expired", "It was valid until now.")


ORDERS: dict[str, tuple[Callable[[dict[str, Any]], Any], bool]] = {
    "newest": (lambda video: video.get("created_at", ""), True),
    "oldest": (lambda video: video.get("created_at", ""), False),
    "title": (lambda video: video["title"].casefold(), False),
    "longest": (lambda video: video["duration_s"], True),
    "shortest": (lambda video: video["duration_s"], False),
}
"""Key, and whether the greatest comes first. Sorting is stable: videos of one time stay as the test
lists them."""


def listed(videos: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the API lists, in its order."""
    low, high = query.get("from", ""), query.get("to", "9")
    words = query.get("q", "").casefold().split()
    found = [
        video
        for video in videos
        if query.get("status") in (None, video["status"])
        and low <= video.get("created_at", "") < high
        and all(f" {word}" in f" {video['title'].casefold()}" for word in words)
    ]
    key, descending = ORDERS[query.get("sort", "newest")]
    return sorted(found, key=key, reverse=descending)


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def conditional(request: web.Request, body: dict[str, Any]) -> web.Response:
    """As the API answers: with an ETag, and 304 to who has it."""
    text = json.dumps(body)
    tag = etag(text.encode())
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Authorization"}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    return web.Response(text=text, content_type="application/json", headers=headers)


def serve(path: Path) -> web.StreamResponse:
    if not path.is_file():
        return web.Response(status=404)
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    headers = {"Content-Type": kind or "application/octet-stream", "Cache-Control": "no-cache"}
    return web.FileResponse(path, headers=headers)
