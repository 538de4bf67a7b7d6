"""The REST API: routes only. Each parses, calls the domain and returns; what goes wrong becomes an
RFC 9457 problem in one place. docs/API.md tells how to use it, docs/reference/openapi.json exactly
what it says; tests hold all three together.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

from aws_lambda_powertools import Logger
from chalice.app import Chalice, CORSConfig, Request, Response

import millrace
from millrace import (
    auth,
    clients,
    config,
    deliveries,
    listing,
    problems,
    redriving,
    searching,
    uploads,
    video_query,
    videos,
    views,
    webhook_requests,
    webhooks,
)
from millrace.auth import Caller, Role
from millrace.config import Settings
from millrace.errors import RetryableError, TransitionRefused
from millrace.problems import Problem, ProblemType
from millrace.queues import TASK_QUEUES, Queues
from millrace.targets import Policy
from millrace.uploads import Uploads

View = Callable[..., Any]

MAX_BODY_BYTES = 2 * 1024 * 1024
"""A list of 10,000 parts has 0.8 MB; nothing else comes near it."""
ANY_METHOD = "x-amazon-apigateway-any-method"
"""API Gateway's own name for "every other method". Chalice passes it through to the API's
definition, so that unknown routes and methods arrive here instead of getting the gateway's
"Missing Authentication Token"; Chalice then finds no such method and answers 405."""
UNKNOWN_ROUTE = "/{proxy+}"
_NO_STORE = {"Cache-Control": "no-store"}

cors = CORSConfig(
    allow_origin="*",
    allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"],
    expose_headers=["ETag", "Location", "Retry-After", "WWW-Authenticate", "Allow"],
    max_age=3600,
)
app = Chalice(app_name="millrace", configure_logs=False)
app.api.cors = cors
app.api.binary_types = []  # no byte of a video comes through here
logger = Logger()


@cache
def settings() -> Settings:
    """Read at the first request, not on import: packaging imports this file without them."""
    return config.load("api")


def upload_service() -> Uploads:
    return Uploads(clients.s3(), queues(), settings())


def queues() -> Queues:
    return Queues(clients.sqs(), settings())


def hook_policy() -> Policy:
    return Policy.parse(settings().webhook_networks, plain_http=settings().webhook_plain_http)


def route(path: str, method: str, *, body: bool = True) -> Callable[[View], View]:
    """Register a view whose exceptions become problems. `body`: whether its POST takes one."""

    def register(view: View) -> View:
        @wraps(view)
        def guarded(**parameters: str) -> Any:
            return _guard(view, parameters)

        # Only what has a body is asked for its type; a GET with an odd header is still a GET.
        content_types = ["application/json"] if method == "POST" and body else []
        app.route(path, methods=[method], content_types=content_types)(guarded)
        return view

    return register


# --- access -----------------------------------------------------------------------------------


@route("/token", "GET")
def get_token() -> Response:
    """Tell whose a token is and what it may do."""
    return _json(auth.describe(auth.verify(_header("authorization"))), headers=_NO_STORE)


# --- uploads ----------------------------------------------------------------------------------


@route("/uploads", "GET")
def upload_rules() -> Response:
    """What may be uploaded: types, sizes, settings."""
    return _json(uploads.rules(settings().max_upload_bytes))


@route("/upload", "POST")
@route("/uploads", "POST")
def create_upload() -> Response:
    """Begin an upload."""
    caller = _require(Role.UPLOADER)
    answer = upload_service().create(_body(), caller, _header("idempotency-key"))
    return _json(answer, 201, {**_NO_STORE, "Location": f"videos/{answer['video_id']}"})


@route("/uploads/{video_id}/parts", "POST")
def part_urls(video_id: str) -> Response:
    """Presign some parts of a multipart upload."""
    caller = _require(Role.UPLOADER)
    parts = upload_service().part_urls(video_id, _body(), caller)
    return _json({"parts": parts}, headers=_NO_STORE)


@route("/uploads/{video_id}/parts", "GET")
def stored_parts(video_id: str) -> Response:
    """List the parts that are stored already."""
    caller = _require(Role.UPLOADER)
    return _json(upload_service().stored_parts(video_id, caller), headers=_NO_STORE)


@route("/uploads/{video_id}/complete", "POST")
def complete_upload(video_id: str) -> Response:
    """Put the parts of a multipart upload together."""
    caller = _require(Role.UPLOADER)
    video = upload_service().complete(video_id, _body(), caller)
    return _json(views.video(video, settings().site_url), 202, _NO_STORE)


@route("/uploads/{video_id}", "DELETE")
def abort_upload(video_id: str) -> Response:
    """Abort an upload."""
    caller = _require(Role.UPLOADER)
    upload_service().abort(video_id, caller)
    return Response("", status_code=204)


# --- videos -----------------------------------------------------------------------------------


@route("/videos", "GET")
def list_videos() -> Response:
    """List videos: those asked for, in the order asked for."""
    caller = _caller()
    everything = caller is not None and caller.is_admin
    statuses = views.ALL_STATUSES if everything else views.PUBLIC_STATUSES
    query = video_query.parse(_query(), statuses)
    page = searching.videos_of(query, lambda video: everything or views.is_public(video))
    cards = [views.card(video, settings().site_url) for video in page.entries]
    return _conditional({"videos": cards, "next_cursor": page.next_cursor})


@route("/videos/{video_id}", "GET")
def get_video(video_id: str) -> Response:
    """Tell everything about one video."""
    video = views.find(video_id, _caller())
    return _conditional(views.video(video, settings().site_url))


@route("/videos/{video_id}", "DELETE")
def delete_video(video_id: str) -> Response:
    """Delete a video and all its files."""
    caller = _require(Role.ADMIN)
    views.find(video_id, caller)
    video = videos.request_delete(queues(), video_id, caller.name)
    if video is None:
        raise problems.video_not_found(video_id)
    return _json(views.progress(video), 202, _NO_STORE)


@route("/videos/{video_id}/cancel", "POST", body=False)
def cancel_video(video_id: str) -> Response:
    """Stop the work on a video."""
    caller = _require(Role.ADMIN)
    views.check_id(video_id)
    return _json(views.progress(redriving.cancel(queues(), video_id, caller.name)), 202, _NO_STORE)


@route("/videos/{video_id}/retry", "POST", body=False)
def retry_video(video_id: str) -> Response:
    """Set a failed or cancelled video going again."""
    caller = _require(Role.ADMIN)
    views.check_id(video_id)
    return _json(views.progress(redriving.retry(queues(), video_id, caller.name)), 202, _NO_STORE)


@route("/videos/{video_id}/events", "GET")
def list_events(video_id: str) -> Response:
    """List the transaction log of a video, oldest first."""
    caller = _caller()
    video = views.find(video_id, caller)
    limit, cursor = listing.parse_event_query(_query())
    page = listing.list_events(video_id, limit, cursor)
    whole = caller is not None and caller.owns(video.owner)
    events = [views.event(entry, whole=whole) for entry in page.entries]
    return _json({"events": events, "next_cursor": page.next_cursor}, headers=_NO_STORE)


# --- dead letters -----------------------------------------------------------------------------


@route("/dead-letters", "GET")
def list_dead_letters() -> Response:
    """List the tasks that failed, newest first."""
    _require(Role.ADMIN)
    page = listing.list_letters(listing.parse_letter_query(_query(), TASK_QUEUES))
    letters = [views.letter(task) for task in page.entries]
    return _json({"dead_letters": letters, "next_cursor": page.next_cursor}, headers=_NO_STORE)


@route("/dead-letters/redrive", "POST")
def redrive() -> Response:
    """Set failed videos going again: one, or all that have dead letters."""
    caller = _require(Role.ADMIN)
    done = redriving.redrive(queues(), redriving.parse(_body()), caller.name)
    answer = {"redriven": done.video_ids, "skipped": done.skipped, "next_cursor": done.next_cursor}
    return _json(answer, 202, _NO_STORE)


# --- webhooks ---------------------------------------------------------------------------------


@route("/webhooks", "POST")
def create_webhook() -> Response:
    """Have an address told of events. Its secret is in this answer and in no other."""
    caller = _require(Role.ADMIN)
    made = webhook_requests.create(_body(), hook_policy(), caller.name)
    return _json(made, 201, {**_NO_STORE, "Location": f"webhooks/{made['id']}"})


@route("/webhooks", "GET")
def list_webhooks() -> Response:
    """List all webhooks, oldest first."""
    _require(Role.ADMIN)
    found = [webhook_requests.view(webhook) for webhook in webhooks.everything()]
    return _json({"webhooks": found}, headers=_NO_STORE)


@route("/webhooks/{webhook_id}", "GET")
def get_webhook(webhook_id: str) -> Response:
    """Tell how a webhook is doing."""
    _require(Role.ADMIN)
    return _json(webhook_requests.view(webhook_requests.find(webhook_id)), headers=_NO_STORE)


@route("/webhooks/{webhook_id}", "DELETE")
def delete_webhook(webhook_id: str) -> Response:
    """Delete a webhook."""
    _require(Role.ADMIN)
    webhook_requests.delete(webhook_id)
    return Response("", status_code=204)


@route("/webhooks/{webhook_id}/enable", "POST", body=False)
def enable_webhook(webhook_id: str) -> Response:
    """Enable a disabled webhook, or end its rest."""
    _require(Role.ADMIN)
    webhooks.enable(webhook_requests.find(webhook_id))
    return _json(webhook_requests.view(webhook_requests.find(webhook_id)), headers=_NO_STORE)


@route("/webhooks/{webhook_id}/secret", "POST", body=False)
def rotate_webhook_secret(webhook_id: str) -> Response:
    """Give a webhook a new secret; the one before signs for another day."""
    _require(Role.ADMIN)
    secret = webhooks.rotate(webhook_requests.find(webhook_id))
    return _json({"id": webhook_id, "secret": secret}, headers=_NO_STORE)


@route("/webhooks/{webhook_id}/test", "POST", body=False)
def test_webhook(webhook_id: str) -> Response:
    """Send a test event."""
    _require(Role.ADMIN)
    event_id = webhooks.send_test(queues(), webhook_requests.find(webhook_id))
    return _json({"event_id": event_id}, 202, _NO_STORE)


@route("/webhooks/{webhook_id}/deliveries", "GET")
def list_deliveries(webhook_id: str) -> Response:
    """List what was sent to a webhook, newest first."""
    _require(Role.ADMIN)
    webhook_requests.find(webhook_id)
    page = listing.list_deliveries(listing.parse_delivery_query(_query(), webhook_id))
    found = [deliveries.view(delivery) for delivery in page.entries]
    return _json({"deliveries": found, "next_cursor": page.next_cursor}, headers=_NO_STORE)


@route("/webhooks/{webhook_id}/redrive", "POST")
def redrive_deliveries(webhook_id: str) -> Response:
    """Send again what a webhook did not take: one event, or all."""
    _require(Role.ADMIN)
    done = webhook_requests.redrive(queues(), webhook_id, _body())
    answer = {"redriven": done.event_ids, "next_cursor": done.next_cursor}
    return _json(answer, 202, _NO_STORE)


# --- short forms ------------------------------------------------------------------------------


@route("/status/{job_id}", "GET")
def get_status(job_id: str) -> Response:
    """Tell how far a video is."""
    return _conditional(views.progress(views.find(job_id, _caller())))


@route("/gallery", "GET")
def gallery() -> Response:
    """Redirect to the gallery."""
    return _redirect(f"{settings().site_url}/index.html")


@route("/watch/{video_id}", "GET")
def watch(video_id: str) -> Response:
    """Redirect to the page that plays a video."""
    views.check_id(video_id)
    return _redirect(views.watch_url(video_id, settings().site_url))


@route("/health", "GET")
def health() -> Response:
    """Say that the API answers. It looks at nothing else: a probe must not cost or cascade."""
    return _json({"status": "ok", "version": millrace.__version__}, headers=_NO_STORE)


def unknown_method() -> None:
    """Never called: Chalice looks for the method that was really sent, and finds none."""


for known_path in [*app.routes, "/", UNKNOWN_ROUTE]:
    app.route(known_path, methods=[ANY_METHOD], cors=False, content_types=[])(unknown_method)


# --- the request ------------------------------------------------------------------------------


def _request() -> Request:
    assert app.current_request is not None  # inside a route there is one
    return app.current_request


def _header(name: str) -> str | None:
    value: str | None = _request().headers.get(name)
    return value


def _require(role: Role) -> Caller:
    return auth.require(_header("authorization"), role)


def _caller() -> Caller | None:
    return auth.optional(_header("authorization"))


def _query() -> Mapping[str, str]:
    return dict(_request().query_params or {})


def _body() -> dict[str, Any]:
    try:
        raw = _request().raw_body
        if len(raw) > MAX_BODY_BYTES:
            detail = f"Send at most {MAX_BODY_BYTES} bytes; a video goes to S3, not here."
            raise Problem(ProblemType.BODY_TOO_LARGE, detail)
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Problem(ProblemType.INVALID_JSON, "The body cannot be parsed.") from error
    if not isinstance(body, dict):
        raise Problem(ProblemType.INVALID_JSON, "The body must be an object: {…}.")
    return body


# --- the answer -------------------------------------------------------------------------------


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(body, separators=(",", ":"))
    return Response(text, {"Content-Type": "application/json", **(headers or {})}, status)


def _conditional(body: Any) -> Response:
    """200 with an ETag, or 304 when the client has this very answer."""
    response = _json(body)
    etag = f'"{hashlib.sha256(response.body.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Authorization"}
    known = [tag.strip().removeprefix("W/") for tag in (_header("if-none-match") or "").split(",")]
    if etag in known or "*" in known:
        return Response("", {**headers}, 304)
    response.headers.update(headers)
    return response


def _redirect(url: str) -> Response:
    return Response("", {"Location": url, "Cache-Control": "no-cache"}, 302)


class Refusal(Response):
    """A problem on its way out. `slug` is for the log."""

    def __init__(self, problem: Problem) -> None:
        headers = {"Content-Type": problems.CONTENT_TYPE, **_NO_STORE, **problem.headers}
        super().__init__(json.dumps(problem.document()), {**headers}, problem.kind.status)
        self.slug = problem.kind.slug


def _guard(view: View, parameters: Mapping[str, str]) -> Response:
    """The one place where exceptions become answers."""
    try:
        settings()  # binds the table, before any view reads it
        response: Response = view(**parameters)
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
        request_id = _request().context.get("requestId")
        extensions = {"request_id": request_id} if request_id else {}
        detail = "It is logged; try again later."
        return Refusal(Problem(ProblemType.INTERNAL, detail, extensions=extensions))
    return response


def _unavailable() -> Response:
    detail = "Try again in a second."
    return Refusal(Problem(ProblemType.UNAVAILABLE, detail, headers={"Retry-After": "1"}))


@app.middleware("http")
def observe(request: Request | None, get_response: Callable[[Any], Response]) -> Response:
    """Log each request once, and turn Chalice's own refusals into problems."""
    if request is None:  # invoked by hand, not by API Gateway
        return get_response(request)
    began = time.perf_counter()
    with logger.append_context_keys(request_id=request.context.get("requestId")):
        response = _in_our_words(request, get_response(request))
        for name, value in cors.get_access_control_headers().items():
            response.headers.setdefault(name, value)
        logger.info(
            "request",
            method=request.method,
            route=request.path,
            video_id=_video_id(request),
            status=response.status_code,
            problem=response.slug if isinstance(response, Refusal) else None,
            duration_ms=round((time.perf_counter() - began) * 1000, 1),
        )
    return response


def _video_id(request: Request) -> str | None:
    parameters = request.uri_params or {}
    return (parameters.get("video_id") or parameters.get("job_id") or "")[:64] or None


def _in_our_words(request: Request, response: Response) -> Response:
    if not (isinstance(response.body, dict) and {"Code", "Message"} <= set(response.body)):
        return response  # one of ours
    if request.path in ("/", UNKNOWN_ROUTE):
        return Refusal(Problem(ProblemType.ROUTE_NOT_FOUND, "docs/API.md lists every address."))
    if response.status_code == 405:
        methods = [method for method in app.routes[request.path] if method != ANY_METHOD]
        allow = ", ".join(sorted([*methods, "OPTIONS"]))
        return Refusal(
            Problem(ProblemType.METHOD_NOT_ALLOWED, f"It takes {allow}.", headers={"Allow": allow})
        )
    if response.status_code == 415:
        detail = "Send the header 'Content-Type: application/json'."
        return Refusal(Problem(ProblemType.UNSUPPORTED_MEDIA_TYPE, detail))
    return Refusal(Problem(ProblemType.INTERNAL, "It is logged; try again later."))
