"""A stand-in for the API and the storage, only to look at the pages in every state.

For work on the pages, `python -m tests.e2e.pages` serves them with it.
The site is served below a prefix and on another origin than the API, so that
relative paths, CORS and the Content-Security-Policy are as strict as anywhere.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.e2e.pages.fake_answers import caller, conditional, listed, problem, refusal, serve
from tests.e2e.pages.fake_operations import Operations
from tests.e2e.pages.fake_state import TOKEN, State, video
from tests.e2e.pages.fake_uploads import Uploads

__all__ = ["TOKEN", "Fake", "State", "video"]
FRONTEND = Path(__file__).resolve().parents[3] / "frontend"
PREFIX = "/millrace-site-local"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-None-Match",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Expose-Headers": "ETag, Retry-After",
    "Access-Control-Max-Age": "600",
}


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
        for gate in self.state.gates():
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
            if self.state.config_gate:
                await self.state.config_gate.wait()
            addresses = {"apiUrl": f"{self.api_origin}/api", "signalUrl": "ws://127.0.0.1:9/signal"}
            return web.json_response(addresses)
        return serve(FRONTEND / path)

    # ---- The API and the storage ----

    def _api(self) -> web.Application:
        app = web.Application(middlewares=[self._record], client_max_size=1 << 30)
        app.add_routes(
            [
                web.get("/api/token", self._token),
                web.get("/api/videos", self._list),
                web.get("/api/videos/{id}", self._get),
                web.delete("/api/videos/{id}", self._delete),
                web.post("/api/videos/{id}/{deed:cancel|retry}", self._steer),
                web.get("/media/{path:.*}", self._media),
                *Operations(self.state).routes(),
                *Uploads(self.state, lambda: self.api_origin).routes(),
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
        if refused := await self._refuse_deed(request):
            return refused
        gone = self._find(request)
        self.state.videos.remove(gone)
        return web.json_response(gone | {"status": "deleting"}, status=202)

    async def _steer(self, request: web.Request) -> web.Response:
        if refused := await self._refuse_deed(request):
            return refused
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
        return refusal(self.state, request)

    async def _token(self, request: web.Request) -> web.Response:
        if known := caller(self.state, request):
            return web.json_response(known)
        return problem(401, "token-unknown", "The token was never given out.")

    async def _media(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if self.state.media_error and path.endswith(".m4s"):
            return web.Response(status=self.state.media_error)
        if self.state.media_failures[path] > 0:
            self.state.media_failures[path] -= 1
            return web.Response(status=503)
        assert self.state.media is not None
        return serve(self.state.media / path)
