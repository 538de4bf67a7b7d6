"""What every route of the API shares: reading the request, making the answer, and the one place
where exceptions become RFC 9457 problems. Chalice's own refusals are put in our words."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger
from chalice.app import Chalice, CORSConfig, Request, Response

from millrace import allowance, auth, problems, trace_ids
from millrace.auth import Caller, Role
from millrace.config import Settings
from millrace.errors import MillraceError, RetryableError, TransitionRefused
from millrace.metrics import record_request
from millrace.problems import Problem, ProblemType
from millrace.served import Served

View = Callable[..., Any]

MAX_BODY_BYTES = 2 * 1024 * 1024
"""A list of 10,000 parts has 0.8 MB; nothing else comes near it."""
ANY_METHOD = "x-amazon-apigateway-any-method"
"""API Gateway's own name for "every other method". Chalice passes it through to the API's
definition, so that unknown routes and methods arrive here instead of getting the gateway's
"Missing Authentication Token"; Chalice then finds no such method and answers 405."""
UNKNOWN_ROUTE = "/{proxy+}"
LIVENESS = "/health"
"""Answered without the table, whatever happens to that."""
_LONG_MS = 3000
NO_STORE = {"Cache-Control": "no-store"}
CORS = CORSConfig(
    allow_origin="*",
    allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"],
    expose_headers=["ETag", "Location", "Retry-After", "WWW-Authenticate", "Allow"],
    max_age=3600,
)
_EVERYWHERE = {**CORS.get_access_control_headers(), "X-Content-Type-Options": "nosniff"}
"""Headers of every answer: any page may read it, and none may take it for anything but its type."""

logger = Logger()


class Refusal(Response):
    """A problem on its way out. `slug` is for the log."""

    def __init__(self, problem: Problem) -> None:
        headers = {"Content-Type": problems.CONTENT_TYPE, **NO_STORE, **problem.headers}
        super().__init__(json.dumps(problem.document()), {**headers}, problem.kind.status)
        self.slug = problem.kind.slug


class Web:
    """A Chalice application whose views parse, call and return."""

    def __init__(self, app: Chalice, settings: Callable[[], Settings]) -> None:
        """
        Args:
            settings: is called before each view; binds the table.
        """
        self._app, self._settings = app, settings
        self._served = Served()
        app.api.cors = CORS
        app.api.binary_types = []  # no byte of a video comes through here
        app.middleware("http")(self._observe)

    def route(self, path: str, method: str, *, body: bool = True) -> Callable[[View], View]:
        """Register a view whose exceptions become problems. `body`: whether its POST takes one."""

        def register(view: View) -> View:
            @wraps(view)
            def guarded(**parameters: str) -> Any:
                return self._guard(view, parameters)

            # Only what has a body is asked for its type; a GET with an odd header is still a GET.
            content_types = ["application/json"] if method == "POST" and body else []
            self._app.route(path, methods=[method], content_types=content_types)(guarded)
            return view

        return register

    def close(self) -> None:
        """After all routes: whatever else is asked for is answered here, too."""
        for path in [*self._app.routes, "/", UNKNOWN_ROUTE]:
            self._app.route(path, methods=[ANY_METHOD], cors=False, content_types=[])(_unknown)

    @property
    def request(self) -> Request:
        assert self._app.current_request is not None  # inside a route there is one
        return self._app.current_request

    def header(self, name: str) -> str | None:
        value: str | None = self.request.headers.get(name)
        return value

    def require(self, role: Role) -> Caller:
        return auth.require(self.header("authorization"), role)

    def caller(self) -> Caller | None:
        return auth.optional(self.header("authorization"))

    def query(self) -> Mapping[str, str]:
        return dict(self.request.query_params or {})

    def body(self) -> dict[str, Any]:
        """
        Raises:
            Problem: 400 invalid-json, 413 body-too-large.
        """
        try:
            raw = self.request.raw_body
            if len(raw) > MAX_BODY_BYTES:
                detail = f"Send at most {MAX_BODY_BYTES} bytes; a video goes to S3, not here."
                raise Problem(ProblemType.BODY_TOO_LARGE, detail)
            body = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise Problem(ProblemType.INVALID_JSON, "The body cannot be parsed.") from error
        if not isinstance(body, dict):
            raise Problem(ProblemType.INVALID_JSON, "The body must be an object: {…}.")
        return body

    def conditional(self, body: Any) -> Response:
        """200 with an ETag, or 304 when the client has this very answer."""
        response = answer(body)
        etag = f'"{hashlib.sha256(response.body.encode()).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Authorization"}
        given = (self.header("if-none-match") or "").split(",")
        known = [tag.strip().removeprefix("W/") for tag in given]
        if etag in known or "*" in known:
            return Response("", {**headers}, 304)
        response.headers.update(headers)
        return response

    def _guard(self, view: View, parameters: Mapping[str, str]) -> Response:
        """The one place where exceptions become answers."""
        try:
            self._settings()
            response = self._view(view, parameters)
        except Problem as problem:
            return Refusal(problem)
        except TransitionRefused:
            return Refusal(Problem(ProblemType.CONFLICT, "Read it again, then decide."))
        except RetryableError:
            logger.warning("the request could not be served now", exc_info=True)
            return _unavailable()
        except Exception as error:  # the edge: nothing may leave as a stack trace
            if problems.is_passing(error):
                logger.warning("throttled", exc_info=True)
                return _unavailable()
            logger.exception("unhandled")
            request_id = self.request.context.get("requestId")
            extensions = {"request_id": request_id} if request_id else {}
            detail = "It is logged; try again later."
            return Refusal(Problem(ProblemType.INTERNAL, detail, extensions=extensions))
        return response

    def _view(self, view: View, parameters: Mapping[str, str]) -> Response:
        """Its answer. A wrong token is counted, a right one costs nothing."""
        try:
            response: Response = view(**parameters)
        except Problem as problem:
            if problem.kind in allowance.WRONG_TOKEN:
                identity = self.request.context.get("identity") or {}
                allowance.guess(
                    str(identity.get("sourceIp")), self._settings().wrong_tokens_per_minute
                )
            raise
        return response

    def _observe(
        self, request: Request | None, get_response: Callable[[Any], Response]
    ) -> Response:
        """Log and measure each request once, and turn Chalice's own refusals into problems."""
        if request is None:  # invoked by hand, not by API Gateway
            return get_response(request)
        logger.refresh_sample_rate_calculation()
        began = time.perf_counter()
        with logger.append_context_keys(request_id=request.context.get("requestId")):
            response = self._in_our_words(request, get_response(request))
            for name, value in _EVERYWHERE.items():
                response.headers.setdefault(name, value)
            video_id = _video_id(request, response)
            duration_ms = round((time.perf_counter() - began) * 1000, 1)
            logger.info(
                "request",
                method=request.method,
                route=request.path,
                video_id=video_id,
                trace_id=trace_ids.trace_id(video_id) if video_id else None,
                status=response.status_code,
                problem=response.slug if isinstance(response, Refusal) else None,
                duration_ms=duration_ms,
            )
        record_request(duration_ms, response.status_code)
        self._served.request(duration_ms, response.status_code)
        # Who failed after long may have waited for the table: it is not to wait for it again.
        hopeless = response.status_code >= 500 and duration_ms > _LONG_MS
        if request.path != LIVENESS and not hopeless:
            self._tell()
        return response

    def _tell(self) -> None:
        try:
            self._settings()  # a request for nothing we have has called no view
        except MillraceError:
            return  # misconfigured, as the answer has said
        self._served.tell()

    def _in_our_words(self, request: Request, response: Response) -> Response:
        if not (isinstance(response.body, dict) and {"Code", "Message"} <= set(response.body)):
            return response  # one of ours
        if request.path in ("/", UNKNOWN_ROUTE):
            return Refusal(Problem(ProblemType.ROUTE_NOT_FOUND, "docs/API.md lists every address."))
        if response.status_code == 405:
            routes = self._app.routes[request.path]
            allow = ", ".join(sorted([*(m for m in routes if m != ANY_METHOD), "OPTIONS"]))
            problem = Problem(
                ProblemType.METHOD_NOT_ALLOWED, f"It takes {allow}.", headers={"Allow": allow}
            )
            return Refusal(problem)
        if response.status_code == 415:
            detail = "Send the header 'Content-Type: application/json'."
            return Refusal(Problem(ProblemType.UNSUPPORTED_MEDIA_TYPE, detail))
        return Refusal(Problem(ProblemType.INTERNAL, "It is logged; try again later."))


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    text = json.dumps(body, separators=(",", ":"))
    return Response(text, {"Content-Type": "application/json", **(headers or {})}, status)


def redirect(url: str) -> Response:
    return Response("", {"Location": url, "Cache-Control": "no-cache"}, 302)


def _unknown() -> None:
    """Never called: Chalice looks for the method that was really sent, and finds none."""


def _unavailable() -> Response:
    detail = "Try again in a second."
    return Refusal(Problem(ProblemType.UNAVAILABLE, detail, headers={"Retry-After": "1"}))


def _video_id(request: Request, response: Response) -> str | None:
    """Of the video that the path names, or that was made: `Location` names that."""
    parameters = request.uri_params or {}
    named = parameters.get("video_id") or parameters.get("job_id")
    kind, _, made = str(response.headers.get("Location", "")).partition("/")
    if not named and response.status_code == 201 and kind == "videos":
        named = made
    return (named or "")[:64] or None
