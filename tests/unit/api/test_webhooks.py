"""Webhooks as an admin manages them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from millrace import clock, deliveries, news, webhooks
from millrace.model import Delivery, DeliveryStatus
from tests.unit.api.conftest import Cloud
from tests.unit.api.support import Api

URL = "https://hooks.example/in"


def create(api: Api, admin: str, **body: Any) -> dict[str, Any]:
    answer = api.post("/webhooks", {"url": URL, **body}, token=admin)
    assert answer.status == 201
    made: dict[str, Any] = answer.body
    return made


def deliver(webhook_id: str, status: DeliveryStatus = DeliveryStatus.FAILED) -> Delivery:
    """Put a delivery into the table, as it would have ended."""
    item = news.new("video.completed", clock.now(), "a" * 26)
    item.body = "{}"
    item.save()
    delivery = deliveries.new(item, webhook_id)
    delivery.status = status.value
    if status is not DeliveryStatus.PENDING:
        delivery.next_at = delivery.due_at = delivery.due_shard = None
        entry = {"attempt": 1, "at": clock.stamp(), "duration_ms": 12}
        delivery.attempt, delivery.attempts = 1, [{**entry, "status_code": 500, "error": None}]
    delivery.save()
    return delivery


def test_secret_is_shown_once_when_a_webhook_is_made(api: Api, admin: str) -> None:
    made = create(api, admin, events=["video.failed"], description="The CMS")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["secret"])
    assert (made["url"], made["events"], made["created_by"]) == (URL, ["video.failed"], "root")
    one = api.get(f"/webhooks/{made['id']}", token=admin).body
    (listed,) = api.get("/webhooks", token=admin).body["webhooks"]
    assert one == listed == {name: made[name] for name in made if name != "secret"}


def test_webhook_wants_everything_when_it_chooses_nothing(api: Api, admin: str) -> None:
    assert create(api, admin)["events"] == list(news.EVENTS)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"url": "missing"}),
        ({"url": 7}, {"url": "missing"}),
        ({"url": "http://hooks.example/"}, {"url": "not_https"}),
        ({"url": "https://127.0.0.1/"}, {"url": "not_allowed"}),
        ({"url": "https://169.254.169.254/latest"}, {"url": "not_allowed"}),
        ({"url": "https://2130706433/"}, {"url": "bad_host"}),
        ({"url": "https://[::ffff:10.0.0.1]/"}, {"url": "not_allowed"}),
        ({"url": URL, "events": []}, {"events": "not_a_list"}),
        ({"url": URL, "events": "video.failed"}, {"events": "not_a_list"}),
        ({"url": URL, "events": ["video.deleted"]}, {"events": "unknown"}),
        ({"url": URL, "events": [["video.failed"]]}, {"events": "unknown"}),
        ({"url": URL, "events": ["video.failed", "video.failed"]}, {"events": "unknown"}),
        ({"url": URL, "description": "a\nb"}, {"description": "not_text"}),
        ({"url": URL, "description": "a" * 201}, {"description": "not_text"}),
        ({"url": URL, "secret": "mine"}, {"secret": "unknown"}),
        (
            {"event": "x", "events": 1},
            {"event": "unknown", "url": "missing", "events": "not_a_list"},
        ),
    ],
)
def test_webhook_is_refused_with_every_reason_when_fields_are_wrong(
    api: Api, admin: str, body: dict[str, Any], wrong: dict[str, str]
) -> None:
    answer = api.post("/webhooks", body, token=admin)
    assert (answer.status, answer.problem) == (422, "validation-failed")
    assert answer.bad_fields == wrong
    assert api.get("/webhooks", token=admin).body == {"webhooks": []}


def test_webhook_is_refused_when_there_are_as_many_as_may_be(api: Api, admin: str) -> None:
    made = [create(api, admin) for _ in range(webhooks.MAX_WEBHOOKS)]
    assert api.post("/webhooks", {"url": URL}, token=admin).problem == "too-many-webhooks"
    assert api.delete(f"/webhooks/{made[0]['id']}", token=admin).status == 204
    create(api, admin)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/webhooks"),
        ("GET", "/webhooks"),
        ("GET", "/webhooks/{id}"),
        ("DELETE", "/webhooks/{id}"),
        ("POST", "/webhooks/{id}/enable"),
        ("POST", "/webhooks/{id}/secret"),
        ("POST", "/webhooks/{id}/test"),
        ("GET", "/webhooks/{id}/deliveries"),
        ("POST", "/webhooks/{id}/redrive"),
    ],
)
def test_webhooks_are_for_admins_when_anybody_asks(
    api: Api, admin: str, uploader: str, method: str, path: str
) -> None:
    path = path.replace("{id}", create(api, admin)["id"])
    body = {"all": True} if path.endswith("redrive") else {"url": URL}
    content = body if method == "POST" and path.endswith(("redrive", "webhooks")) else None
    assert api.call(method, path, content).problem == "token-missing"
    assert api.call(method, path, content, token=uploader).problem == "role-missing"


@pytest.mark.parametrize("webhook_id", ["wh_" + "a" * 26, "x", "HOOKS", "wh_" + "a" * 27])
def test_webhook_is_not_found_when_there_is_none(api: Api, admin: str, webhook_id: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries")):
        answer = api.call(method, f"/webhooks/{webhook_id}{path}", token=admin)
        assert (answer.status, answer.problem) == (404, "webhook-not-found")


def test_webhook_is_gone_with_its_secrets_when_deleted(api: Api, admin: str, cloud: Cloud) -> None:
    made = create(api, admin)
    api.post(f"/webhooks/{made['id']}/secret", token=admin)
    assert api.delete(f"/webhooks/{made['id']}", token=admin).status == 204
    assert api.delete(f"/webhooks/{made['id']}", token=admin).status == 404
    assert webhooks.get(made["id"]) is None


def test_secret_changes_and_the_one_before_stays_a_day_when_rotated(api: Api, admin: str) -> None:
    made = create(api, admin)
    new = api.post(f"/webhooks/{made['id']}/secret", token=admin).body["secret"]
    webhook = webhooks.get(made["id"])
    assert webhook is not None
    assert webhooks.signing_secrets(webhook) == [new, made["secret"]]


def test_test_event_is_on_its_way_when_asked_for(api: Api, admin: str, cloud: Cloud) -> None:
    made = create(api, admin)
    event_id = api.post(f"/webhooks/{made['id']}/test", token=admin).body["event_id"]
    assert cloud.notifications() == [{"version": 1, "event_id": event_id, "webhook_id": made["id"]}]
    (listed,) = api.get(f"/webhooks/{made['id']}/deliveries", token=admin).body["deliveries"]
    assert (listed["event_id"], listed["type"]) == (event_id, "webhook.test")
    assert (listed["status"], listed["video_id"], listed["attempts"]) == ("pending", None, [])


def test_disabled_webhook_is_enabled_when_an_admin_asks_twice(api: Api, admin: str) -> None:
    made = create(api, admin)
    webhook = webhooks.get(made["id"])
    assert webhook is not None
    webhooks.disable(webhook)
    assert api.get(f"/webhooks/{made['id']}", token=admin).body["enabled"] is False
    for _ in range(2):
        assert api.post(f"/webhooks/{made['id']}/enable", token=admin).body["enabled"] is True


def test_deliveries_are_listed_newest_first_page_by_page_when_there_are_many(
    api: Api, admin: str
) -> None:
    made = create(api, admin)
    other = create(api, admin)
    deliver(other["id"])
    expected = [deliver(made["id"]).event_id for _ in range(7)][::-1]
    found: list[str] = []
    path = f"/webhooks/{made['id']}/deliveries?limit=3"
    cursor = ""
    while cursor is not None:
        page = api.get(path + (f"&cursor={cursor}" if cursor else ""), token=admin).body
        found += [each["event_id"] for each in page["deliveries"]]
        cursor = page["next_cursor"]
    assert sorted(found) == sorted(expected)
    assert [each[:16] for each in found] == [each[:16] for each in expected]


def test_only_one_state_is_listed_when_asked_for(api: Api, admin: str) -> None:
    made = create(api, admin)
    by_status = {status: deliver(made["id"], status).event_id for status in DeliveryStatus}
    for status, event_id in by_status.items():
        path = f"/webhooks/{made['id']}/deliveries?status={status.lower()}"
        (listed,) = api.get(path, token=admin).body["deliveries"]
        assert (listed["event_id"], listed["status"]) == (event_id, status.lower())


@pytest.mark.parametrize("query", ["status=x", "limit=0", "page=2", "cursor=abc"])
def test_listing_is_refused_when_a_parameter_is_wrong(api: Api, admin: str, query: str) -> None:
    made = create(api, admin)
    answer = api.get(f"/webhooks/{made['id']}/deliveries?{query}", token=admin)
    assert answer.problem in ("invalid-parameters", "invalid-cursor")


def test_cursor_is_refused_when_it_is_of_another_webhook(api: Api, admin: str) -> None:
    one, other = create(api, admin)["id"], create(api, admin)["id"]
    for _ in range(2):
        deliver(one)
    cursor = api.get(f"/webhooks/{one}/deliveries?limit=1", token=admin).body["next_cursor"]
    path = f"/webhooks/{other}/deliveries?limit=1&cursor={cursor}"
    assert api.get(path, token=admin).problem == "invalid-cursor"


def test_undelivered_event_is_sent_again_when_redriven_twice(
    api: Api, admin: str, cloud: Cloud
) -> None:
    made = create(api, admin)
    failed = deliver(made["id"])
    for _ in range(2):
        body = {"event_id": failed.event_id}
        answer = api.post(f"/webhooks/{made['id']}/redrive", body, token=admin)
        assert (answer.status, answer.body["redriven"]) == (202, [failed.event_id])
    assert [each["event_id"] for each in cloud.notifications()] == [failed.event_id]
    now = deliveries.get(made["id"], failed.event_id)
    assert now is not None
    assert (now.status, int(now.forgiven_attempts)) == (DeliveryStatus.PENDING, 1)
    assert now.due_at is not None, "should the message be lost, the monitor sees to it"


def test_all_that_failed_is_sent_again_when_all_is_asked_for(
    api: Api, admin: str, cloud: Cloud
) -> None:
    made = create(api, admin)
    failed = {deliver(made["id"]).event_id for _ in range(3)}
    failed.add(deliver(made["id"], DeliveryStatus.CANCELLED).event_id)
    deliver(made["id"], DeliveryStatus.DELIVERED)
    deliver(made["id"], DeliveryStatus.PENDING)
    answer = api.post(f"/webhooks/{made['id']}/redrive", {"all": True}, token=admin)
    assert set(answer.body["redriven"]) == failed
    assert answer.body["next_cursor"] is None
    assert {each["event_id"] for each in cloud.notifications()} == failed


@pytest.mark.parametrize("event_id", ["x", "evt_" + "0" * 32])
def test_redrive_is_refused_when_there_is_no_such_event(
    api: Api, admin: str, event_id: str
) -> None:
    made = create(api, admin)
    answer = api.post(f"/webhooks/{made['id']}/redrive", {"event_id": event_id}, token=admin)
    assert (answer.status, answer.problem) == (404, "delivery-not-found")


def test_delivered_event_is_not_sent_again_when_redriven(api: Api, admin: str) -> None:
    made = create(api, admin)
    done = deliver(made["id"], DeliveryStatus.DELIVERED)
    body = {"event_id": done.event_id}
    answer = api.post(f"/webhooks/{made['id']}/redrive", body, token=admin)
    assert answer.problem == "delivery-not-found"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"event_id": "ambiguous"}),
        ({"event_id": "x", "all": True}, {"event_id": "ambiguous"}),
        ({"event_id": 7}, {"event_id": "not_text"}),
        ({"all": False}, {"all": "not_true"}),
        ({"event_id": "x", "cursor": "y"}, {"cursor": "misplaced"}),
        ({"all": True, "queue": "notify"}, {"queue": "unknown"}),
    ],
)
def test_redrive_is_refused_with_every_reason_when_the_body_is_wrong(
    api: Api, admin: str, body: dict[str, Any], wrong: dict[str, str]
) -> None:
    made = create(api, admin)
    answer = api.post(f"/webhooks/{made['id']}/redrive", body, token=admin)
    assert (answer.problem, answer.bad_fields) == ("validation-failed", wrong)
