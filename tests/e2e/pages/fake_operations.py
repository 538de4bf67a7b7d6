"""The part of the stand-in API that is the operator's: figures, workers, traces, dead letters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.e2e.pages.fake_answers import caller, conditional, problem, refusal
from tests.e2e.pages.fake_state import State

Answer = Callable[[web.Request], Awaitable[web.Response]]


class Operations:
    def __init__(self, state: State) -> None:
        self.state = state

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/stats", self._for_admins(self._stats)),
            web.get("/api/workers", self._for_admins(self._workers)),
            web.get("/api/videos/{id}/trace", self._trace),
            web.get("/api/dead-letters", self._for_admins(self._letters)),
            web.post("/api/dead-letters/redrive", self._for_admins(self._redrive)),
        ]

    def _for_admins(self, answer: Answer) -> Answer:
        async def guarded(request: web.Request) -> web.Response:
            if refused := refusal(self.state, request):
                return refused
            if "admin" not in (caller(self.state, request) or {})["roles"]:
                return problem(403, "role-missing", "This needs the role admin.")
            if self.state.operations_error:
                return problem(self.state.operations_error, "unavailable", "Busy.")
            return await answer(request)

        return guarded

    async def _stats(self, request: web.Request) -> web.Response:
        return conditional(request, self.state.stats(request.query["range"]))

    async def _workers(self, request: web.Request) -> web.Response:
        return conditional(request, {"at": "", "workers": self.state.workers})

    async def _trace(self, request: web.Request) -> web.Response:
        if self.state.operations_error:
            return problem(self.state.operations_error, "unavailable", "Busy.")
        trace = self.state.traces.get(request.match_info["id"])
        if trace is None:
            return problem(404, "video-not-found", "There is no such video.")
        if request.query.get("format") == "otlp":
            return conditional(request, {"resourceSpans": []})
        return conditional(request, trace)

    async def _letters(self, request: web.Request) -> web.Response:
        found = self._found(request.query.get("queue"), request.query.get("video_id"))
        start = int(request.query.get("cursor", "0"))
        limit = int(request.query.get("limit", "24"))
        more = start + limit < len(found)
        return conditional(
            request,
            {
                "dead_letters": found[start : start + limit],
                "next_cursor": str(start + limit) if more else None,
            },
        )

    def _found(self, queue: str | None, video_id: str | None) -> list[dict[str, Any]]:
        return [
            letter
            for letter in self.state.letters
            if queue in (None, letter["queue"]) and video_id in (None, letter["video_id"])
        ]

    async def _redrive(self, request: web.Request) -> web.Response:
        wish = await request.json()
        if self.state.deed_error:
            return problem(self.state.deed_error, "not-retryable", "It is being deleted.")
        self.state.redrives.append(wish)
        found = self._found(wish.get("queue"), wish.get("video_id"))
        some, rest = found[: self.state.redrive_page], found[self.state.redrive_page :]
        videos = sorted({letter["video_id"] for letter in some} - self.state.stuck)
        self.state.letters = [
            letter for letter in self.state.letters if letter["video_id"] not in videos
        ]
        left = sorted({letter["video_id"] for letter in some} & self.state.stuck)
        more = [letter for letter in rest if letter["video_id"] not in videos]
        answer = {"redriven": videos, "skipped": left, "next_cursor": "on" if more else None}
        return web.json_response(answer, status=202)
