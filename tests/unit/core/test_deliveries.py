"""A delivery and its endpoint: retries, rests, and the end of patience."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from millrace import clock, deliveries, webhooks
from millrace.errors import TransitionRefused
from millrace.model import Delivery, DeliveryStatus, Webhook
from millrace.posting import Answer
from tests.unit.core.harness import TABLE, Cloud
from tests.unit.core.internet import Internet, Reply
from tests.unit.core.telling import (
    all_deliveries,
    change,
    happen,
    ids_by_type,
    of_webhook,
    queues,
    subscribe,
    the_delivery,
    the_webhook,
    told,
    verify,
    wait_until_due,
)


def test_retries_are_the_same_but_for_time_and_signature_when_an_endpoint_fails(
    cloud: Cloud, internet: Internet
) -> None:
    webhook = subscribe()
    internet.answer(500, 503)
    happen()
    cloud.drain()
    assert len(internet.requests) == 1
    for wait_s in (1.1, 5.1):
        cloud.pass_time(wait_s)
        cloud.drain()
    assert len(internet.requests) == 3
    assert len({(each.body, each.headers["webhook-id"]) for each in internet.requests}) == 1
    assert len({each.headers["webhook-timestamp"] for each in internet.requests}) == 3
    for request in internet.requests:
        verify(webhook.secret, request)
    done = the_delivery(cloud)
    tried = [(each["attempt"], each["status_code"], each["error"]) for each in done.attempts]
    assert tried == [(1, 500, None), (2, 503, None), (3, 204, None)]
    assert done.status == DeliveryStatus.DELIVERED
    assert done.next_at is None
    assert cloud.due() == []


def test_schedule_is_kept_and_a_dead_letter_written_when_an_endpoint_never_answers_well(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    internet.reply = lambda _: Reply(500)
    happen()
    cloud.drain()
    planned = []
    while (now := the_delivery(cloud)).status == DeliveryStatus.PENDING:
        planned.append(-clock.age_s(now.next_at or ""))
        wait_until_due(cloud)
    for wait_s, planned_s in zip(planned, deliveries.SCHEDULE_S, strict=True):
        assert planned_s - 1 <= wait_s <= planned_s * 1.1
    assert now.status == DeliveryStatus.FAILED
    assert len(internet.requests) == len(now.attempts) == deliveries.MAX_ATTEMPTS
    (letter,) = cloud.dead_letters("notify")
    assert (letter["webhook_id"], letter["event"]) == (now.webhook_id, "video.failed")
    assert letter["attempts"] == now.attempts
    assert cloud.due() == []


def test_delivery_has_all_of_its_attempts_anew_when_redriven(
    cloud: Cloud, internet: Internet
) -> None:
    webhook = subscribe()
    internet.reply = lambda _: Reply(500)
    happen()
    cloud.drain()
    change(the_delivery(cloud), Delivery.attempt.set(deliveries.MAX_ATTEMPTS - 1))
    wait_until_due(cloud)
    failed = the_delivery(cloud)
    assert failed.status == DeliveryStatus.FAILED
    assert [deliveries.redrive(queues(cloud), failed) for _ in range(2)] == [True, False]
    cloud.drain()
    assert the_delivery(cloud).status == DeliveryStatus.PENDING, "the first of ten more"
    internet.reply = lambda _: Reply(200)
    webhooks.enable(webhook)
    wait_until_due(cloud)
    assert the_delivery(cloud).status == DeliveryStatus.DELIVERED
    assert len(ids_by_type(internet)["video.failed"]) == 1


def test_next_attempt_waits_when_the_endpoint_asks_for_time(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    internet.reply = lambda _: Reply(429, {"Retry-After": "600"})
    happen()
    cloud.drain()
    assert 600 <= -clock.age_s(the_delivery(cloud).next_at or "") <= 660
    cloud.pass_time(590)
    cloud.monitor()
    cloud.drain()
    assert len(internet.requests) == 1
    internet.reply = lambda _: Reply(200)
    cloud.pass_time(80)
    cloud.drain()
    assert the_delivery(cloud).status == DeliveryStatus.DELIVERED


def test_endpoint_asks_in_vain_when_it_asks_for_days(cloud: Cloud, internet: Internet) -> None:
    subscribe()
    internet.reply = lambda _: Reply(503, {"Retry-After": "999999"})
    happen()
    cloud.drain()
    assert -clock.age_s(the_delivery(cloud).next_at or "") <= 3600 * 1.1


def test_endpoint_is_disabled_until_somebody_enables_it_when_it_is_gone(
    cloud: Cloud, internet: Internet
) -> None:
    webhook = subscribe()
    internet.answer(410)
    happen()
    happen()
    cloud.drain()
    assert len(internet.requests) == 1
    found = {each.status for each in all_deliveries(cloud)}
    assert found == {DeliveryStatus.CANCELLED}
    assert cloud.dead_letters("notify") == []
    happen()
    cloud.drain()
    assert len(all_deliveries(cloud)) == 2, "a disabled endpoint is told of nothing"
    webhooks.enable(webhook)
    happen()
    cloud.drain()
    assert len(internet.requests) == 2
    assert cloud.due() == []


def test_endpoint_rests_and_loses_nothing_when_it_fails_again_and_again(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    internet.reply = lambda _: Reply(500)
    for _ in range(12):
        happen()
    cloud.drain()
    called = len(internet.requests)
    assert called == 10, "from the tenth failure on it rests"
    assert the_webhook().rest_until is not None
    happen()
    cloud.drain()
    assert len(internet.requests) == called, "nobody calls an endpoint that rests"
    internet.reply = lambda _: Reply(200)
    cloud.heal(rounds=30)
    assert Counter(each.status for each in all_deliveries(cloud)) == {DeliveryStatus.DELIVERED: 13}
    well = the_webhook()
    assert int(well.failures) == 0
    assert well.failing_since is None
    assert well.rest_until is None


def test_rest_grows_to_an_hour_when_failures_go_on(cloud: Cloud) -> None:
    webhook = subscribe()
    rests = []
    for _ in range(20):
        webhooks.note_failure(webhook)
        webhook = the_webhook()
        if webhook.rest_until:
            rests.append(round(-clock.age_s(webhook.rest_until)))
    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600, 3600]


def test_delivery_is_given_up_after_days_when_its_endpoint_always_rests(
    cloud: Cloud, internet: Internet
) -> None:
    webhook = subscribe()
    happen()
    cloud.deliver("notify")
    change(webhook, Webhook.rest_until.set(clock.stamp(deliveries.GIVEN_UP_AFTER_S)))
    cloud.drain()
    assert the_delivery(cloud).status == DeliveryStatus.PENDING
    cloud.pass_time(deliveries.GIVEN_UP_AFTER_S * 1.1)
    change(webhook, Webhook.rest_until.set(clock.stamp(60)))
    cloud.monitor()
    cloud.drain()
    assert the_delivery(cloud).status == DeliveryStatus.FAILED
    assert len(cloud.dead_letters("notify")) == 1
    assert internet.requests == []


def test_nothing_more_is_sent_when_the_webhook_is_deleted(cloud: Cloud, internet: Internet) -> None:
    webhook = subscribe()
    internet.reply = lambda _: Reply(500)
    happen()
    cloud.drain()
    assert [webhooks.delete(webhook.webhook_id) for _ in range(2)] == [True, False]
    cloud.pass_time(2)
    cloud.drain()
    assert len(internet.requests) == 1
    assert the_delivery(cloud).status == DeliveryStatus.CANCELLED
    assert cloud.due() == []
    assert webhook.secret not in json.dumps(cloud.database.items(TABLE), default=str)


def test_deleted_webhook_stays_deleted_when_an_attempt_ends_after_it(
    cloud: Cloud, internet: Internet
) -> None:
    webhook = subscribe()
    webhooks.delete(webhook.webhook_id)
    for note in (webhooks.note_failure, webhooks.disable, webhooks.enable):
        note(webhook)
    assert webhooks.everything() == []


def test_message_changes_nothing_when_it_comes_again(cloud: Cloud, internet: Internet) -> None:
    webhook = subscribe()
    happen()
    cloud.drain()
    before = cloud.database.items(TABLE)
    event_id = the_delivery(cloud).event_id
    for names in ({}, {"webhook_id": webhook.webhook_id}):
        cloud.send("notify", json.dumps({"version": 1, "event_id": event_id, **names}))
    cloud.drain()
    assert told(internet) == {"video.failed": 1}
    assert cloud.database.items(TABLE) == before


def test_attempt_is_made_once_when_its_message_comes_again_meanwhile(
    cloud: Cloud, internet: Internet
) -> None:
    webhook = subscribe()
    happen()
    cloud.deliver("notify")
    waiting = the_delivery(cloud)
    begun = deliveries.begin(waiting)
    assert begun is not None
    assert deliveries.begin(waiting) is None
    message = {"version": 1, "event_id": begun.event_id, "webhook_id": webhook.webhook_id}
    cloud.send("notify", json.dumps(message))
    cloud.drain()
    assert internet.requests == []


def test_late_end_of_an_attempt_changes_nothing_when_the_next_one_was_begun(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    happen()
    cloud.deliver("notify")
    first = deliveries.begin(the_delivery(cloud))
    assert first is not None
    cloud.pass_time(deliveries.LEASE_S)
    second = deliveries.begin(the_delivery(cloud))
    assert second is not None
    deliveries.fail(queues(cloud), first, Answer(500))
    now = the_delivery(cloud)
    assert (now.status, int(now.attempt)) == (DeliveryStatus.PENDING, 2)
    assert [each["error"] for each in now.attempts] == ["INTERRUPTED", "INTERRUPTED"]


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        '{"version": 2, "event_id": "evt_00000000000000000000000000000000"}',
        '{"version": 1, "event_id": "evt_x"}',
        '{"version": 1, "event_id": ["evt_00000000000000000000000000000000"]}',
        '{"version": 1, "event_id": "evt_00000000000000000000000000000000", "webhook_id": "x"}',
    ],
)
def test_message_is_kept_with_its_reason_when_nobody_can_read_it(cloud: Cloud, body: str) -> None:
    cloud.send("notify", body)
    cloud.drain()
    (letter,) = cloud.dead_letters("notify")
    assert (letter["body"], letter["reason"]) == (body, "MALFORMED_MESSAGE")


def test_message_about_nothing_is_settled_when_news_have_expired(cloud: Cloud) -> None:
    event = "evt_" + "0" * 32
    cloud.send("notify", json.dumps({"version": 1, "event_id": event}))
    message = {"version": 1, "event_id": event, "webhook_id": "wh_" + "a" * 26}
    cloud.send("notify", json.dumps(message))
    cloud.drain()
    assert cloud.waiting("notify") == 0
    assert cloud.items() == []


def test_test_event_is_tried_once_and_nobody_else_is_told_when_asked_for(
    cloud: Cloud, internet: Internet
) -> None:
    webhook, other = subscribe(), subscribe(url="http://other.example/")
    webhooks.disable(webhook)
    internet.answer(500)
    for status in (DeliveryStatus.FAILED, DeliveryStatus.DELIVERED):
        event_id = webhooks.send_test(queues(cloud), webhook)
        cloud.heal()
        tried = deliveries.get(webhook.webhook_id, event_id)
        assert tried is not None
        assert (tried.status, len(tried.attempts)) == (status, 1)
    assert told(internet) == {"webhook.test": 2}
    assert of_webhook(cloud, other) == []
    assert cloud.dead_letters("notify") == []


def test_both_secrets_sign_for_a_day_when_one_was_rotated(cloud: Cloud, internet: Internet) -> None:
    webhook = subscribe()
    new = webhooks.rotate(webhook)
    with pytest.raises(TransitionRefused):
        webhooks.rotate(webhook)
    happen()
    cloud.drain()
    cloud.pass_time(webhooks.PREVIOUS_SECRET_S + 1)
    happen()
    cloud.drain()
    for secret in (webhook.secret, new):
        verify(secret, internet.requests[0])
    verify(new, internet.requests[1])
    assert len(internet.requests[1].headers["webhook-signature"].split()) == 1


def test_webhook_is_refused_when_there_are_as_many_as_may_be(cloud: Cloud) -> None:
    made = [subscribe() for _ in range(webhooks.MAX_WEBHOOKS)]
    with pytest.raises(TransitionRefused):
        subscribe()
    webhooks.delete(made[0].webhook_id)
    subscribe()
    assert len(webhooks.everything()) == webhooks.MAX_WEBHOOKS
