"""kill -9 at every moment of telling: whoever dies, each event comes in, under one id."""

from __future__ import annotations

from millrace import deliveries, events, webhooks
from millrace.model import Delivery, DeliveryStatus
from tests.unit.core.harness import VIDEO_ID, Cloud
from tests.unit.core.internet import Internet, Reply
from tests.unit.core.telling import (
    Snapshot,
    all_deliveries,
    change,
    happen,
    heard,
    ids_by_type,
    listen,
    subscribe,
    the_delivery,
    wait_until_due,
)
from tests.unit.core.test_crashes import for_every_moment


def begin(cloud: Cloud, internet: Internet) -> None:
    """Nothing came in yet; connecting is a moment to die, too."""
    internet.requests.clear()
    internet.before_connecting = lambda: cloud.wire.moment("before POST")


def check_told(cloud: Cloud, internet: Internet, types: dict[str, int]) -> None:
    """Each event came in, under one id, however often; nothing else did."""
    assert {name: len(ids) for name, ids in ids_by_type(internet).items()} == types
    assert {each.status for each in all_deliveries(cloud)} == {DeliveryStatus.DELIVERED}
    assert cloud.due() == []


def test_end_of_a_video_is_told_under_one_id_when_a_function_dies_at_any_moment(
    cloud: Cloud, internet: Internet
) -> None:
    cloud.upload()
    for queue in ("ingest", "probe", "transcode", "transcode", "transcode", "thumbnail"):
        cloud.deliver(queue)
    subscribe("video.completed")
    made = Snapshot(cloud)

    def prepare(_: str) -> None:
        begin(cloud, internet)
        made.restore()
        cloud.send("publish", events.publish_body(events.PublishAction.PUBLISH, VIDEO_ID))

    def scenario(_: str) -> None:
        cloud.heal(rounds=20)
        assert cloud.events().count("video.completed") == 1
        check_told(cloud, internet, {"video.completed": 1})

    for_every_moment(cloud, prepare, scenario)


def test_failure_is_told_under_one_id_when_a_function_dies_at_any_moment(
    cloud: Cloud, internet: Internet
) -> None:
    def prepare(_: str) -> None:
        begin(cloud, internet)
        subscribe("video.failed")
        cloud.upload(body=b"")

    def scenario(_: str) -> None:
        cloud.heal(rounds=20)
        assert cloud.events().count("video.failed") == 1
        check_told(cloud, internet, {"video.failed": 1})

    for_every_moment(cloud, prepare, scenario)


def test_topic_hears_of_an_event_under_one_id_when_a_function_dies_at_any_moment(
    cloud: Cloud, internet: Internet
) -> None:
    listener = listen(cloud)

    def prepare(_: str) -> None:
        begin(cloud, internet)
        heard(cloud, listener)
        subscribe("video.failed")
        webhooks.note_topic(listening=True)
        happen()

    def scenario(_: str) -> None:
        cloud.heal(rounds=20)
        check_told(cloud, internet, {"video.failed": 1})
        messages = heard(cloud, listener)
        assert len({each["MessageAttributes"]["id"]["Value"] for each in messages}) == 1

    for_every_moment(cloud, prepare, scenario)


def test_event_is_delivered_when_a_function_dies_at_any_moment_while_an_endpoint_fails(
    cloud: Cloud, internet: Internet
) -> None:
    def prepare(_: str) -> None:
        begin(cloud, internet)
        internet.answer(500, 500)
        subscribe()
        happen()

    def scenario(_: str) -> None:
        for _round in range(4):
            cloud.drain()
            cloud.pass_time(5.5)
        cloud.heal(rounds=20)
        check_told(cloud, internet, {"video.failed": 1})
        numbers = [each["attempt"] for each in the_delivery(cloud).attempts]
        assert numbers == list(range(1, len(numbers) + 1))

    for_every_moment(cloud, prepare, scenario)


def test_dead_letter_is_written_when_a_function_dies_at_any_moment_of_the_last_attempt(
    cloud: Cloud, internet: Internet
) -> None:
    def prepare(_: str) -> None:
        begin(cloud, internet)
        internet.reply = lambda _: Reply(500)
        subscribe()
        happen()
        cloud.deliver("notify")
        change(the_delivery(cloud), Delivery.attempt.set(deliveries.MAX_ATTEMPTS - 1))

    def scenario(_: str) -> None:
        cloud.drain()
        while cloud.due():
            wait_until_due(cloud)
        letters = cloud.dead_letters("notify")
        assert letters  # twice, if it died between the letter and the note of it
        assert {letter["event_id"] for letter in letters} == {the_delivery(cloud).event_id}
        assert the_delivery(cloud).status == DeliveryStatus.FAILED

    for_every_moment(cloud, prepare, scenario)
