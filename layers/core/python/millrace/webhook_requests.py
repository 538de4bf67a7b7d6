"""The API's side of webhooks: what requests mean, what is wrong with them, what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from millrace import deliveries, keys, listing, news, targets, webhooks
from millrace.errors import TransitionRefused
from millrace.listing import DeliveryQuery
from millrace.model import DeliveryStatus, Webhook
from millrace.problems import FieldError, Problem, ProblemType, validation_failed
from millrace.queues import Queues
from millrace.targets import BadTarget, Policy

MAX_DESCRIPTION_CHARS = 200
AT_ONCE = 50
"""Deliveries redriven in one request; the rest is behind `next_cursor`."""
_MEMBERS = ("url", "events", "description")
_ENDED = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of a request."""

    event_ids: list[str]
    next_cursor: str | None = None


def create(body: Mapping[str, Any], policy: Policy, actor: str) -> dict[str, Any]:
    """Make an endpoint: `url`, perhaps `events` and a `description`.

    Returns:
        Its view, and its secret, which is not shown again.

    Raises:
        Problem: 422 validation-failed, 409 too-many-webhooks.
    """
    events = body.get("events", list(news.EVENTS))
    if errors := [*_unknown(body, _MEMBERS), *_bad_fields(body, policy), *_bad_events(events)]:
        raise validation_failed(errors)
    try:
        made = webhooks.create(body["url"], events, body.get("description"), actor)
    except TransitionRefused as refusal:
        detail = f"There are {webhooks.MAX_WEBHOOKS} already; delete one first."
        raise Problem(ProblemType.TOO_MANY_WEBHOOKS, detail) from refusal
    return {**view(made), "secret": made.secret}


def find(webhook_id: str) -> Webhook:
    """The endpoint.

    Raises:
        Problem: 404 webhook-not-found.
    """
    found = webhooks.get(webhook_id) if keys.WEBHOOK_ID.fullmatch(webhook_id) else None
    if found is None:
        raise Problem(ProblemType.WEBHOOK_NOT_FOUND, f"There is no webhook {webhook_id[:64]!r}.")
    return found


def delete(webhook_id: str) -> None:
    """Forget an endpoint.

    Raises:
        Problem: 404 webhook-not-found.
    """
    webhooks.delete(find(webhook_id).webhook_id)


def view(webhook: Webhook) -> dict[str, Any]:
    """What admins see of an endpoint: never a secret."""
    return {
        "id": webhook.webhook_id,
        "url": webhook.url,
        "events": webhook.events,
        "description": webhook.description,
        "created_at": webhook.created_at,
        "created_by": webhook.created_by,
        "enabled": webhook.disabled_at is None,
        "disabled_at": webhook.disabled_at,
        "failures": int(webhook.failures),
        "failing_since": webhook.failing_since,
        "resting_until": webhook.rest_until,
    }


def redrive(queues: Queues, webhook_id: str, body: Mapping[str, Any]) -> Redriven:
    """Send failed and cancelled deliveries of an endpoint again: one by its `event_id`, or `all`,
    page by page. Repeatable.

    Raises:
        Problem: 422 validation-failed, 404 webhook-not-found or delivery-not-found, 400
            invalid-cursor.
    """
    if errors := [*_unknown(body, ("event_id", "all", "cursor")), *_bad_choice(body)]:
        raise validation_failed(errors)
    webhook = find(webhook_id)
    if "event_id" in body:
        return _redrive_one(queues, webhook.webhook_id, body["event_id"])
    query = DeliveryQuery(webhook.webhook_id, _ENDED, AT_ONCE, body.get("cursor"))
    page = listing.list_deliveries(query)
    done = [found for found in page.entries if deliveries.redrive(queues, found)]
    return Redriven([found.event_id for found in done], page.next_cursor)


def _redrive_one(queues: Queues, webhook_id: str, event_id: str) -> Redriven:
    """One that is under way since a moment ago is a success; one that was delivered is left."""
    known = keys.EVENT_ID.fullmatch(event_id)
    found = deliveries.get(webhook_id, event_id) if known else None
    if found is None or found.status == DeliveryStatus.DELIVERED:
        detail = f"The webhook has no undelivered event {event_id[:64]!r}."
        raise Problem(ProblemType.DELIVERY_NOT_FOUND, detail)
    deliveries.redrive(queues, found)
    return Redriven([event_id])


def _unknown(body: Mapping[str, Any], members: tuple[str, ...]) -> list[FieldError]:
    return [
        FieldError(name[:64], "unknown", f"Known are {', '.join(members)}.")
        for name in sorted(set(body) - set(members))[:10]
    ]


def _bad_fields(body: Mapping[str, Any], policy: Policy) -> list[FieldError]:
    errors = []
    url, description = body.get("url"), body.get("description")
    if not isinstance(url, str):
        errors.append(FieldError("url", "missing", "url is the address to send events to."))
    else:
        try:
            targets.parse(url, policy)
        except BadTarget as error:
            errors.append(FieldError("url", error.code, error.message))
    fits = description is None or (
        isinstance(description, str)
        and len(description) <= MAX_DESCRIPTION_CHARS
        and description.isprintable()
    )
    if not fits:
        message = f"description is at most {MAX_DESCRIPTION_CHARS} printable characters."
        errors.append(FieldError("description", "not_text", message))
    return errors


def _bad_events(events: Any) -> list[FieldError]:
    known = ", ".join(news.EVENTS)
    if not isinstance(events, list) or not events:
        return [FieldError("events", "not_a_list", f"events is a list of some of {known}.")]
    if any(name not in news.EVENTS for name in events) or len(set(events)) != len(events):
        return [FieldError("events", "unknown", f"events are some of {known}, each once.")]
    return []


def _bad_choice(body: Mapping[str, Any]) -> list[FieldError]:
    errors = []
    for name in ("event_id", "cursor"):
        if name in body and not isinstance(body[name], str):
            errors.append(FieldError(name, "not_text", f"{name} is text."))
    if "all" in body and body["all"] is not True:
        errors.append(FieldError("all", "not_true", "all is true, or left out."))
    if ("event_id" in body) == ("all" in body):
        errors.append(FieldError("event_id", "ambiguous", "Name either an event_id, or all."))
    if "cursor" in body and "event_id" in body:
        errors.append(FieldError("cursor", "misplaced", "cursor does not belong here."))
    return errors
