"""A stand-in for the API and the storage, only to look at the pages in every state.

For work on the pages, `python -m tests.e2e.pages` serves them with it.
The site is served below a prefix and on another origin than the API, so that
relative paths, CORS and the Content-Security-Policy are as strict as anywhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import mimetypes
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from millrace import uploads

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"
PREFIX = "/millrace-site-local"
TOKEN = "mr_" + "t" * 43
TYPES = {".mjs": "text/javascript", ".m4s": "video/iso.segment", ".woff2": "font/woff2"} | {
    ".m3u8": "application/vnd.apple.mpegurl"
}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-None-Match",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Expose-Headers": "ETag, Retry-After",
    "Access-Control-Max-Age": "600",
}


@dataclass
class State:
    """What the fake answers; tests change it while a page is open."""

    videos: list[dict[str, Any]] = field(default_factory=list)
    """Newest first."""
    media: Path | None = None
    """Served below /media: an HLS sample."""
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


def problem(status: int, slug: str, detail: str) -> web.Response:
    body = {
        "type": f"https://millrace.dev/problems/{slug}",
        "title": slug,
        "status": status,
        "detail": detail,
    }
    return web.json_response(body, status=status, content_type="application/problem+json")


class Fake:
    """Two servers on a thread of their own: the site, and API with storage."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.loop = asyncio.new_event_loop()
        self.site_url = ""
        self.api_origin = ""
        self._runners: list[web.AppRunner] = []
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> Fake:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self.loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    def gate(self) -> asyncio.Event:
        """A closed gate, to be given to the state and opened with `open`."""
        return asyncio.Event()

    def open(self, gate: asyncio.Event) -> None:
        self.loop.call_soon_threadsafe(gate.set)

    @property
    def master_url(self) -> str:
        return f"{self.api_origin}/media/master.m3u8"

    async def _start(self) -> None:
        self.api_origin = await self._serve(self._api())
        self.site_url = await self._serve(self._site()) + PREFIX

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def _stop(self) -> None:
        for gate in (self.state.listing_gate, self.state.storage_gate, self.state.deed_gate):
            if gate:
                gate.set()
        for runner in self._runners:
            await runner.cleanup()

    # ---- The site: plain files, as a bucket serves them ----

    def _site(self) -> web.Application:
        app = web.Application()
        app.router.add_get(PREFIX + "/{path:.*}", self._file)
        return app

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path == "config.json":
            return web.json_response({"apiUrl": f"{self.api_origin}/api"})
        return serve(FRONTEND / path)

    # ---- The API and the storage ----

    def _api(self) -> web.Application:
        app = web.Application(middlewares=[self._record], client_max_size=1 << 30)
        app.add_routes(
            [
                web.get("/api/token", self._token),
                web.get("/api/uploads", self._rules),
                web.get("/api/videos", self._list),
                web.get("/api/videos/{id}", self._get),
                web.delete("/api/videos/{id}", self._delete),
                web.post("/api/videos/{id}/{deed:cancel|retry}", self._steer),
                web.post("/api/uploads", self._create),
                web.post("/api/uploads/{id}/parts", self._sign),
                web.get("/api/uploads/{id}/parts", self._parts),
                web.post("/api/uploads/{id}/complete", self._complete),
                web.delete("/api/uploads/{id}", self._abort),
                web.post("/storage/{id}", self._store_whole),
                web.put("/storage/{id}/{part}", self._store_part),
                web.get("/media/{path:.*}", self._media),
            ]
        )
        return app

    @web.middleware
    async def _record(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=CORS)
        line = f"{request.method} {request.path}"
        response: web.StreamResponse
        if self.state.refusals[line] > 0:
            self.state.refusals[line] -= 1
            response = problem(503, "unavailable", "Try again.")
            response.headers["Retry-After"] = str(self.state.retry_after_s)
        else:
            response = await handler(request)
        response.headers.update(CORS)
        self.state.requests.append(f"{request.method} {request.path} → {response.status}")
        return response

    async def _list(self, request: web.Request) -> web.Response:
        if self.state.listing_gate:
            await self.state.listing_gate.wait()
        if self.state.listing_error:
            return problem(self.state.listing_error, "unavailable", "The service is overloaded.")
        chosen = listed(self.state.videos, request.query)
        limit = int(request.query.get("limit", "24"))
        start = int(request.query.get("cursor", -self.state.empty_pages))
        if start < 0:
            return conditional(request, {"videos": [], "next_cursor": str(start + 1)})
        more = start + limit < len(chosen)
        return conditional(
            request,
            {
                "videos": chosen[start : start + limit],
                "next_cursor": str(start + limit) if more else None,
            },
        )

    async def _get(self, request: web.Request) -> web.Response:
        for each in self.state.videos:
            if each["id"] == request.match_info["id"]:
                return conditional(request, each)
        return problem(404, "video-not-found", "There is no such video.")

    async def _delete(self, request: web.Request) -> web.Response:
        if refusal := await self._refuse_deed(request):
            return refusal
        gone = self._find(request)
        self.state.videos.remove(gone)
        return web.json_response(gone | {"status": "deleting"}, status=202)

    async def _steer(self, request: web.Request) -> web.Response:
        if refusal := await self._refuse_deed(request):
            return refusal
        video = self._find(request)
        video["status"] = {"cancel": "cancelled", "retry": "queued"}[request.match_info["deed"]]
        return web.json_response(video, status=202)

    def _find(self, request: web.Request) -> dict[str, Any]:
        wanted = request.match_info["id"]
        return next(each for each in self.state.videos if each["id"] == wanted)

    async def _refuse_deed(self, request: web.Request) -> web.Response | None:
        if self.state.deed_gate:
            await self.state.deed_gate.wait()
        if self.state.deed_error:
            return problem(self.state.deed_error, "conflict", "Somebody was quicker.")
        return self._refuse(request)

    def _refuse(self, request: web.Request) -> web.Response | None:
        authorization = request.headers.get("Authorization", "")
        if authorization.removeprefix("Bearer ") in self.state.tokens:
            return None
        return problem(401, "token-expired", "It was valid until now.")

    async def _token(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token in self.state.tokens:
            return web.json_response(self.state.tokens[token])
        return problem(401, "token-unknown", "The token was never given out.")

    async def _rules(self, request: web.Request) -> web.Response:
        rules = {**uploads.rules(self.state.max_bytes)}
        return web.json_response(rules)

    async def _create(self, request: web.Request) -> web.Response:
        if refusal := self._refuse(request):
            return refusal
        body = await request.json()
        key = request.headers["Idempotency-Key"]
        video_id = "up" + hashlib.sha256(key.encode()).hexdigest()[:24]
        upload: dict[str, Any] = {
            "method": "post",
            "url": f"{self.api_origin}/storage/{video_id}",
            "fields": {"key": f"uploads/{video_id}/source", "policy": "p"},
        }
        if body["size_bytes"] > self.state.single_post_bytes:
            size = self.state.part_size_bytes
            upload = {
                "method": "multipart",
                "part_size_bytes": size,
                "part_count": -(-body["size_bytes"] // size),
            }
        self.state.uploads[video_id] = body | {"state": "open"}
        answer = {"video_id": video_id, "expires_at": self.state.expires_at, "upload": upload}
        return web.json_response(answer, status=201)

    async def _sign(self, request: web.Request) -> web.Response:
        if refusal := self._refuse(request):
            return refusal
        video_id = request.match_info["id"]
        numbers = (await request.json())["part_numbers"]
        serial = len(self.state.requests)
        parts = [
            {"part_number": n, "url": f"{self.api_origin}/storage/{video_id}/{n}?serial={serial}"}
            for n in numbers
        ]
        return web.json_response({"parts": parts})

    async def _parts(self, request: web.Request) -> web.Response:
        video_id = request.match_info["id"]
        if refusal := self._refuse(request) or self._closed(video_id):
            return refusal
        stored = self.state.stored.get(video_id, {})
        parts = [
            {"part_number": n, "etag": etag(data), "size_bytes": len(data)}
            for n, data in sorted(stored.items())
        ]
        return web.json_response({"parts": parts})

    def _closed(self, video_id: str) -> web.Response | None:
        if self.state.uploads[video_id]["state"] == "open":
            return None
        return problem(409, "upload-not-open", "Nothing more can be sent.")

    async def _complete(self, request: web.Request) -> web.Response:
        video_id = request.match_info["id"]
        if refusal := self._refuse(request) or self._closed(video_id):
            return refusal
        listed = (await request.json())["parts"]
        stored = self.state.stored.get(video_id, {})
        expected = [{"part_number": n, "etag": etag(d)} for n, d in sorted(stored.items())]
        if listed != expected:
            return problem(422, "parts-mismatch", "The listed parts are not the stored ones.")
        self._arrived(video_id)
        return web.json_response(self.state.videos[0], status=202)

    async def _abort(self, request: web.Request) -> web.Response:
        if refusal := self._refuse(request):
            return refusal
        self.state.uploads[request.match_info["id"]]["state"] = "aborted"
        return web.Response(status=204)

    async def _store_whole(self, request: web.Request) -> web.Response:
        if self.state.storage_gate:
            await self.state.storage_gate.wait()
        video_id = request.match_info["id"]
        data = b""
        reader = await request.multipart()
        while part := await reader.next():
            if getattr(part, "name", "") == "file":
                data = await part.read()  # type: ignore[union-attr]
        self.state.stored[video_id] = {1: bytes(data)}
        self._arrived(video_id)
        return web.Response(status=204)

    async def _store_part(self, request: web.Request) -> web.Response:
        number = int(request.match_info["part"])
        if self.state.storage_gate and number > 1:
            await self.state.storage_gate.wait()
        data = await request.read()
        if number in self.state.expired_parts:
            self.state.expired_parts.discard(number)
            body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
            return web.Response(status=403, text=body)
        if self.state.part_failures[number] > 0:
            self.state.part_failures[number] -= 1
            return web.Response(status=500, text="<Error><Code>InternalError</Code></Error>")
        self.state.stored.setdefault(request.match_info["id"], {})[number] = data
        return web.Response(headers={"ETag": etag(data)})

    def _arrived(self, video_id: str) -> None:
        upload = self.state.uploads[video_id]
        upload["state"] = "complete"
        title = Path(upload["filename"]).stem
        self.state.videos.insert(0, video(1, "queued") | {"id": video_id, "title": title})

    async def _media(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if self.state.media_error and path.endswith(".m4s"):
            return web.Response(status=self.state.media_error)
        if self.state.media_failures[path] > 0:
            self.state.media_failures[path] -= 1
            return web.Response(status=503)
        assert self.state.media is not None
        return serve(self.state.media / path)


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
