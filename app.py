"""The REST API: routes only. Each parses, calls the domain and returns; what goes wrong becomes an
RFC 9457 problem in one place. docs/API.md tells how to use it, docs/reference/openapi.json exactly
what it says; tests hold all three together.
"""

from __future__ import annotations

from functools import cache

from chalice.app import Chalice, Response

import millrace
from millrace import (
    auth,
    clients,
    config,
    deliveries,
    exposition,
    history,
    listing,
    problems,
    readiness,
    redriving,
    searching,
    stats,
    trace_views,
    tracing,
    uploads,
    video_query,
    videos,
    views,
    webhook_requests,
    webhooks,
    workers,
)
from millrace.auth import Role
from millrace.config import Settings
from millrace.queues import TASK_QUEUES, Queues
from millrace.targets import Policy
from millrace.uploads import Uploads
from millrace.web import LIVENESS, NO_STORE, Web, answer, redirect

app = Chalice(app_name="millrace", configure_logs=False)


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


web = Web(app, settings)  # the settings bind the table, before any view reads it
route = web.route


# --- access -----------------------------------------------------------------------------------


@route("/token", "GET")
def get_token() -> Response:
    """Tell whose a token is and what it may do."""
    return answer(auth.describe(auth.verify(web.header("authorization"))), headers=NO_STORE)


# --- uploads ----------------------------------------------------------------------------------


@route("/uploads", "GET")
def upload_rules() -> Response:
    """What may be uploaded: types, sizes, settings."""
    return answer(uploads.rules(settings().max_upload_bytes))


@route("/upload", "POST")
@route("/uploads", "POST")
def create_upload() -> Response:
    """Begin an upload."""
    caller = web.require(Role.UPLOADER)
    upload = upload_service().create(web.body(), caller, web.header("idempotency-key"))
    return answer(upload, 201, {**NO_STORE, "Location": f"videos/{upload['video_id']}"})


@route("/uploads/{video_id}/parts", "POST")
def part_urls(video_id: str) -> Response:
    """Presign some parts of a multipart upload."""
    caller = web.require(Role.UPLOADER)
    parts = upload_service().part_urls(video_id, web.body(), caller)
    return answer({"parts": parts}, headers=NO_STORE)


@route("/uploads/{video_id}/parts", "GET")
def stored_parts(video_id: str) -> Response:
    """List the parts that are stored already."""
    caller = web.require(Role.UPLOADER)
    return answer(upload_service().stored_parts(video_id, caller), headers=NO_STORE)


@route("/uploads/{video_id}/complete", "POST")
def complete_upload(video_id: str) -> Response:
    """Put the parts of a multipart upload together."""
    caller = web.require(Role.UPLOADER)
    video = upload_service().complete(video_id, web.body(), caller)
    return answer(views.video(video, settings().site_url), 202, NO_STORE)


@route("/uploads/{video_id}", "DELETE")
def abort_upload(video_id: str) -> Response:
    """Abort an upload."""
    caller = web.require(Role.UPLOADER)
    upload_service().abort(video_id, caller)
    return Response("", status_code=204)


# --- videos -----------------------------------------------------------------------------------


@route("/videos", "GET")
def list_videos() -> Response:
    """List videos: those asked for, in the order asked for."""
    caller = web.caller()
    everything = caller is not None and caller.is_admin
    statuses = views.ALL_STATUSES if everything else views.PUBLIC_STATUSES
    query = video_query.parse(web.query(), statuses)
    page = searching.videos_of(query, lambda video: everything or views.is_public(video))
    cards = [views.card(video, settings().site_url) for video in page.entries]
    return web.conditional({"videos": cards, "next_cursor": page.next_cursor})


@route("/videos/{video_id}", "GET")
def get_video(video_id: str) -> Response:
    """Tell everything about one video."""
    video = views.find(video_id, web.caller())
    return web.conditional(views.video(video, settings().site_url))


@route("/videos/{video_id}", "DELETE")
def delete_video(video_id: str) -> Response:
    """Delete a video and all its files."""
    caller = web.require(Role.ADMIN)
    views.find(video_id, caller)
    video = videos.request_delete(queues(), video_id, caller.name)
    if video is None:
        raise problems.video_not_found(video_id)
    return answer(views.progress(video), 202, NO_STORE)


@route("/videos/{video_id}/cancel", "POST", body=False)
def cancel_video(video_id: str) -> Response:
    """Stop the work on a video."""
    caller = web.require(Role.ADMIN)
    views.check_id(video_id)
    return answer(views.progress(redriving.cancel(queues(), video_id, caller.name)), 202, NO_STORE)


@route("/videos/{video_id}/retry", "POST", body=False)
def retry_video(video_id: str) -> Response:
    """Set a failed or cancelled video going again."""
    caller = web.require(Role.ADMIN)
    views.check_id(video_id)
    return answer(views.progress(redriving.retry(queues(), video_id, caller.name)), 202, NO_STORE)


@route("/videos/{video_id}/events", "GET")
def list_events(video_id: str) -> Response:
    """List the transaction log of a video, oldest first."""
    caller = web.caller()
    video = views.find(video_id, caller)
    limit, cursor = listing.parse_event_query(web.query())
    page = listing.list_events(video_id, limit, cursor)
    whole = caller is not None and caller.owns(video.owner)
    events = [views.event(entry, whole=whole) for entry in page.entries]
    return answer({"events": events, "next_cursor": page.next_cursor}, headers=NO_STORE)


@route("/videos/{video_id}/trace", "GET")
def get_trace(video_id: str) -> Response:
    """Tell a video's way as spans of time, for the dashboard or for OpenTelemetry."""
    caller = web.caller()
    video = views.find(video_id, caller)
    show = trace_views.otlp if trace_views.wants_otlp(web.query()) else trace_views.plain
    whole = caller is not None and caller.owns(video.owner)
    trace = tracing.of(video_id, history.log_of(video_id))
    return answer(show(video, trace, whole=whole), headers=NO_STORE)


# --- operation --------------------------------------------------------------------------------


@route("/stats", "GET")
def get_stats() -> Response:
    """Tell what is going on, and what went on in a range of time."""
    web.require(Role.ADMIN)
    return answer(stats.view(queues(), stats.parse_range(web.query())), headers=NO_STORE)


@route("/workers", "GET")
def list_workers() -> Response:
    """List the workers that were heard of lately."""
    web.require(Role.ADMIN)
    return answer(workers.view(), headers=NO_STORE)


@route("/metrics", "GET")
def get_metrics() -> Response:
    """Tell the same to Prometheus."""
    web.require(Role.METRICS)
    text = exposition.text(queues())
    return Response(text, {"Content-Type": exposition.CONTENT_TYPE, **NO_STORE}, 200)


@route("/health/ready", "GET")
def ready() -> Response:
    """Say whether everything the API depends on answers."""
    found = readiness.check(settings())
    if found["status"] == "ready":
        return answer(found, headers=NO_STORE)
    return answer(found, 503, {**NO_STORE, "Retry-After": "1"})


# --- dead letters -----------------------------------------------------------------------------


@route("/dead-letters", "GET")
def list_dead_letters() -> Response:
    """List the tasks that failed, newest first."""
    web.require(Role.ADMIN)
    page = listing.list_letters(listing.parse_letter_query(web.query(), TASK_QUEUES))
    titles = listing.titles({task.video_id for task in page.entries})
    letters = [views.letter(task, titles.get(task.video_id, "")) for task in page.entries]
    return answer({"dead_letters": letters, "next_cursor": page.next_cursor}, headers=NO_STORE)


@route("/dead-letters/redrive", "POST")
def redrive() -> Response:
    """Set failed videos going again: one, or all that have dead letters."""
    caller = web.require(Role.ADMIN)
    done = redriving.redrive(queues(), redriving.parse(web.body()), caller.name)
    told = {"redriven": done.video_ids, "skipped": done.skipped, "next_cursor": done.next_cursor}
    return answer(told, 202, NO_STORE)


# --- webhooks ---------------------------------------------------------------------------------


@route("/webhooks", "POST")
def create_webhook() -> Response:
    """Have an address told of events. Its secret is in this answer and in no other."""
    caller = web.require(Role.ADMIN)
    made = webhook_requests.create(web.body(), hook_policy(), caller.name)
    return answer(made, 201, {**NO_STORE, "Location": f"webhooks/{made['id']}"})


@route("/webhooks", "GET")
def list_webhooks() -> Response:
    """List all webhooks, oldest first."""
    web.require(Role.ADMIN)
    found = [webhook_requests.view(webhook) for webhook in webhooks.everything()]
    return answer({"webhooks": found}, headers=NO_STORE)


@route("/webhooks/{webhook_id}", "GET")
def get_webhook(webhook_id: str) -> Response:
    """Tell how a webhook is doing."""
    web.require(Role.ADMIN)
    return answer(webhook_requests.view(webhook_requests.find(webhook_id)), headers=NO_STORE)


@route("/webhooks/{webhook_id}", "DELETE")
def delete_webhook(webhook_id: str) -> Response:
    """Delete a webhook."""
    web.require(Role.ADMIN)
    webhook_requests.delete(webhook_id)
    return Response("", status_code=204)


@route("/webhooks/{webhook_id}/enable", "POST", body=False)
def enable_webhook(webhook_id: str) -> Response:
    """Enable a disabled webhook, or end its rest."""
    web.require(Role.ADMIN)
    webhooks.enable(webhook_requests.find(webhook_id))
    return answer(webhook_requests.view(webhook_requests.find(webhook_id)), headers=NO_STORE)


@route("/webhooks/{webhook_id}/secret", "POST", body=False)
def rotate_webhook_secret(webhook_id: str) -> Response:
    """Give a webhook a new secret; the one before signs for another day."""
    web.require(Role.ADMIN)
    secret = webhooks.rotate(webhook_requests.find(webhook_id))
    return answer({"id": webhook_id, "secret": secret}, headers=NO_STORE)


@route("/webhooks/{webhook_id}/test", "POST", body=False)
def test_webhook(webhook_id: str) -> Response:
    """Send a test event."""
    web.require(Role.ADMIN)
    event_id = webhooks.send_test(queues(), webhook_requests.find(webhook_id))
    return answer({"event_id": event_id}, 202, NO_STORE)


@route("/webhooks/{webhook_id}/deliveries", "GET")
def list_deliveries(webhook_id: str) -> Response:
    """List what was sent to a webhook, newest first."""
    web.require(Role.ADMIN)
    webhook_requests.find(webhook_id)
    page = listing.list_deliveries(listing.parse_delivery_query(web.query(), webhook_id))
    found = [deliveries.view(delivery) for delivery in page.entries]
    return answer({"deliveries": found, "next_cursor": page.next_cursor}, headers=NO_STORE)


@route("/webhooks/{webhook_id}/redrive", "POST")
def redrive_deliveries(webhook_id: str) -> Response:
    """Send again what a webhook did not take: one event, or all."""
    web.require(Role.ADMIN)
    done = webhook_requests.redrive(queues(), webhook_id, web.body())
    told = {"redriven": done.event_ids, "next_cursor": done.next_cursor}
    return answer(told, 202, NO_STORE)


# --- short forms ------------------------------------------------------------------------------


@route("/status/{job_id}", "GET")
def get_status(job_id: str) -> Response:
    """Tell how far a video is."""
    return web.conditional(views.progress(views.find(job_id, web.caller())))


@route("/gallery", "GET")
def gallery() -> Response:
    """Redirect to the gallery."""
    return redirect(f"{settings().site_url}/index.html")


@route("/watch/{video_id}", "GET")
def watch(video_id: str) -> Response:
    """Redirect to the page that plays a video."""
    views.check_id(video_id)
    return redirect(views.watch_url(video_id, settings().site_url))


@route(LIVENESS, "GET")
def health() -> Response:
    """Say that the API answers. It looks at nothing else: a probe must not cost or cascade."""
    return answer({"status": "ok", "version": millrace.__version__}, headers=NO_STORE)


web.close()
