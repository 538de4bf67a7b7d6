"""The part of the stand-in API that takes files, and the storage they go to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from millrace import uploads
from tests.e2e.pages.fake_answers import etag, problem, refusal
from tests.e2e.pages.fake_state import State, video


class Uploads:
    """`origin` tells where the API is, once it is known."""

    def __init__(self, state: State, origin: Callable[[], str]) -> None:
        self.state = state
        self.origin = origin

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/uploads", self._rules),
            web.post("/api/uploads", self._create),
            web.post("/api/uploads/{id}/parts", self._sign),
            web.get("/api/uploads/{id}/parts", self._parts),
            web.post("/api/uploads/{id}/complete", self._complete),
            web.delete("/api/uploads/{id}", self._abort),
            web.post("/storage/{id}", self._store_whole),
            web.put("/storage/{id}/{part}", self._store_part),
        ]

    async def _rules(self, request: web.Request) -> web.Response:
        rules = {**uploads.rules(self.state.max_bytes)}
        return web.json_response(rules)

    async def _create(self, request: web.Request) -> web.Response:
        if refused := refusal(self.state, request):
            return refused
        body = await request.json()
        key = request.headers["Idempotency-Key"]
        video_id = "up" + hashlib.sha256(key.encode()).hexdigest()[:24]
        upload: dict[str, Any] = {
            "method": "post",
            "url": f"{self.origin()}/storage/{video_id}",
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
        if refused := refusal(self.state, request):
            return refused
        video_id = request.match_info["id"]
        numbers = (await request.json())["part_numbers"]
        serial = len(self.state.requests)
        parts = [
            {"part_number": n, "url": f"{self.origin()}/storage/{video_id}/{n}?serial={serial}"}
            for n in numbers
        ]
        return web.json_response({"parts": parts})

    async def _parts(self, request: web.Request) -> web.Response:
        video_id = request.match_info["id"]
        if refused := refusal(self.state, request) or self._closed(video_id):
            return refused
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
        if refused := refusal(self.state, request) or self._closed(video_id):
            return refused
        listed = (await request.json())["parts"]
        stored = self.state.stored.get(video_id, {})
        expected = [{"part_number": n, "etag": etag(d)} for n, d in sorted(stored.items())]
        if listed != expected:
            return problem(422, "parts-mismatch", "The listed parts are not the stored ones.")
        self._arrived(video_id)
        return web.json_response(self.state.videos[0], status=202)

    async def _abort(self, request: web.Request) -> web.Response:
        if refused := refusal(self.state, request):
            return refused
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
            self.state.parts_held += 1
            await self.state.storage_gate.wait()
            self.state.parts_held -= 1
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
