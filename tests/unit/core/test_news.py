"""Which events come out of a video's moves, to whom, and what they say."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from millrace import (
    clients,
    clock,
    deliveries,
    events,
    keys,
    news,
    notifying,
    steering,
    transact,
    videos,
)
from millrace.errors import TransitionRefused
from millrace.model import Delivery, DeliveryStatus, Item, News
from millrace.notifying import Office
from millrace.replay import observed, replay
from millrace.targets import Policy
from tests.unit.core.harness import REPOSITORY, VIDEO_ID, Cloud
from tests.unit.core.internet import HOST, Internet
from tests.unit.core.telling import (
    TOLD,
    all_deliveries,
    happen,
    heard,
    is_event_id,
    listen,
    queues,
    subscribe,
    told,
    verify,
)

SITE = f"https://site.example/videos/{VIDEO_ID}"


def data_of(internet: Internet, event: str) -> dict[str, object]:
    bodies = [json.loads(request.body) for request in internet.requests]
    (data,) = [body["data"] for body in bodies if body["type"] == event]
    assert isinstance(data, dict)
    return data


def test_each_event_is_told_once_and_verifies_when_a_video_completes(
    cloud: Cloud, internet: Internet
) -> None:
    webhook = subscribe()
    cloud.upload()
    cloud.drain()
    assert told(internet) == TOLD
    assert len({request.headers["webhook-id"] for request in internet.requests}) == 3
    for request in internet.requests:
        body = verify(webhook.secret, request)
        assert body["data"]["video_id"] == VIDEO_ID
        assert request.headers["content-type"] == "application/json"
        at = {line.event: line.at for line in cloud.log()}
        assert body["timestamp"] == at[body["type"]]
    assert {each.status for each in all_deliveries(cloud)} == {DeliveryStatus.DELIVERED}
    assert cloud.due() == []
    assert replay(cloud.log()) == observed(cloud.items())


def test_events_say_what_is_there_when_a_video_completes(cloud: Cloud, internet: Internet) -> None:
    subscribe()
    cloud.upload()
    cloud.drain()
    common = {
        "video_id": VIDEO_ID,
        "title": "A film",
        "duration_s": 14.0,
        "width": 320,
        "height": 180,
        "watch_url": f"https://site.example/watch.html?v={VIDEO_ID}",
    }
    playable = data_of(internet, "video.playable")
    assert playable == {
        **common,
        "poster_url": playable["poster_url"],
        "hls_url": f"{SITE}/master.m3u8",
    }
    (rung,) = videos.get(VIDEO_ID).plan["video"]["renditions"]  # type: ignore[union-attr]
    rendition = {name: rung[name] for name in ("name", "width", "height", "maxrate_bps")}
    assert data_of(internet, "video.completed") == {
        **common,
        "poster_url": f"{SITE}/poster.jpg",
        "storyboard_url": f"{SITE}/storyboard.vtt",
        "dash_url": f"{SITE}/manifest.mpd",
        "hls_url": f"{SITE}/master.m3u8",
        "renditions": [rendition],
    }
    playlist_url = f"{SITE}/180p/index.m3u8"
    assert data_of(internet, "rendition.ready") == {
        **common,
        "rendition": {**rendition, "playlist_url": playlist_url},
    }


def shape(value: object) -> object:
    """A JSON value without what it says."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else None


def test_guide_shows_each_event_as_it_is_when_compared(cloud: Cloud, internet: Internet) -> None:
    page = (REPOSITORY / "docs" / "how-to" / "webhooks.md").read_text()
    blocks = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    shown = {block["type"]: shape(block) for block in blocks if "type" in block}
    subscribe()
    cloud.upload()
    cloud.drain()
    happen()
    cloud.drain()
    sent = [json.loads(request.body) for request in internet.requests]
    assert {body["type"]: shape(body) for body in sent} == shown
    assert set(shown) == set(news.EVENTS)


def test_guide_tells_the_schedule_as_it_is_when_compared() -> None:
    page = (REPOSITORY / "docs" / "how-to" / "webhooks.md").read_text()
    (told_waits,) = re.findall(r"repeated after\n(.*?), the longer", page)
    units = {"s": 1, "min": 60, "h": 3600}
    waits = [int(number) * units[unit] for number, unit in re.findall(r"(\d+) (\w+)", told_waits)]
    assert tuple(waits) == deliveries.SCHEDULE_S


def test_failure_is_told_with_its_reason_when_a_video_fails(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe("video.failed")
    cloud.engine.fails("probe", message="The file is damaged.")
    cloud.upload()
    cloud.drain()
    assert data_of(internet, "video.failed") == {
        "video_id": VIDEO_ID,
        "title": "A film",
        "duration_s": None,
        "width": None,
        "height": None,
        "watch_url": f"https://site.example/watch.html?v={VIDEO_ID}",
        "reason": {"code": "CORRUPT", "message": "The file is damaged."},
    }


@pytest.mark.parametrize("size", [0, 2_000_000])
def test_failure_is_told_when_a_file_is_refused_as_it_arrives(
    cloud: Cloud, internet: Internet, size: int
) -> None:
    subscribe("video.failed")
    cloud.upload(body=bytes(size))
    cloud.drain()
    assert told(internet) == {"video.failed": 1}


def test_failure_is_told_when_an_upload_expires(cloud: Cloud, internet: Internet) -> None:
    subscribe()
    key = keys.upload_key(VIDEO_ID, ".mp4")
    videos.create(video_id=VIDEO_ID, title="t", filename="f.mp4", upload_key=key)
    cloud.pass_time(videos.UPLOAD_LIFETIME_S + 1)
    cloud.monitor()
    cloud.drain()
    assert data_of(internet, "video.failed")["reason"] == {
        "code": "UPLOAD_EXPIRED",
        "message": "The upload was not finished within 24 hours. Upload the file again.",
    }


def test_renditions_are_told_once_when_the_video_fails_later_and_is_retried(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    cloud.engine.fails("thumbnail", times=1)
    cloud.upload()
    for queue in ("ingest", "probe", "transcode", "transcode", "transcode"):
        cloud.deliver(queue)
    while cloud.deliver("publish"):
        pass
    cloud.drain()
    assert told(internet) == {"video.playable": 1, "rendition.ready": 1, "video.failed": 1}
    steering.retry(queues(cloud), VIDEO_ID, "root")
    cloud.heal()
    both = {"video.playable": 2, "video.failed": 1, "video.completed": 1}
    assert told(internet) == {**both, "rendition.ready": 1}


def test_nothing_is_written_or_sent_when_nobody_listens(cloud: Cloud) -> None:
    happen()
    subscribe("video.completed")
    happen()
    cloud.monitor()
    cloud.drain()
    assert cloud.events() == ["video.failed", "video.failed"]
    assert not [item for item in cloud.items() if isinstance(item, News | Delivery)]
    assert "notify" not in cloud.invocations


def test_only_what_is_wanted_is_sent_when_webhooks_choose(cloud: Cloud, internet: Internet) -> None:
    internet.names["other.example"] = ["8.8.8.8"]
    subscribe("video.completed")
    subscribe("video.playable", "video.completed", url="http://other.example/")
    for event in ("video.playable", "video.completed"):
        transact.commit([transact.entry(VIDEO_ID, event)])
    happen()
    cloud.drain()
    found = [(json.loads(each.body)["type"], each.headers["host"]) for each in internet.requests]
    assert sorted(found) == [
        ("video.completed", HOST),
        ("video.completed", "other.example"),
        ("video.playable", "other.example"),
    ]


def test_event_is_told_all_the_same_when_its_video_is_deleted_at_once(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    cloud.upload()
    cloud.deliver("ingest")
    happen()
    videos.request_delete(queues(cloud), VIDEO_ID, "root")
    while cloud.deliver("publish"):
        pass
    assert videos.get(VIDEO_ID) is None
    cloud.drain()
    data = data_of(internet, "video.failed")
    assert (data["video_id"], data["title"]) == (VIDEO_ID, None)
    assert data["reason"] == {"code": "CORRUPT", "message": "Frame 30 is damaged."}


def test_topic_is_told_with_attributes_when_the_monitor_saw_a_subscription(cloud: Cloud) -> None:
    happen()
    listener = listen(cloud)
    happen()
    cloud.drain()
    assert heard(cloud, listener) == [], "the monitor has not looked yet"
    cloud.monitor()
    happen()
    cloud.drain()
    (message,) = heard(cloud, listener)
    assert json.loads(message["Message"])["type"] == "video.failed"
    attributes = {name: each["Value"] for name, each in message["MessageAttributes"].items()}
    assert is_event_id(attributes.pop("id"))
    assert attributes == {"type": "video.failed", "video_id": VIDEO_ID}


def test_topic_is_forgotten_when_its_last_subscription_ends(cloud: Cloud) -> None:
    listen(cloud)
    cloud.monitor()
    assert news.audience().topic
    topic = cloud.environment["MILLRACE_TOPIC_ARN"]
    for each in clients.sns().list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        clients.sns().unsubscribe(SubscriptionArn=each["SubscriptionArn"])
    cloud.monitor()
    assert not news.audience().topic


def test_monitor_does_its_other_work_when_the_topic_cannot_be_asked(cloud: Cloud) -> None:
    def refuse(operation: str) -> None:
        if operation == "ListSubscriptionsByTopic":
            raise EndpointConnectionError(endpoint_url="https://sns.example")

    cloud.upload()
    cloud.deliver("ingest")
    cloud.lose_messages()
    cloud.wire.on_call = refuse
    assert cloud.monitor() == {"looked_at": 1, "finished": True}
    assert cloud.waiting("probe") == 1


def test_move_is_made_when_the_news_cannot_be_announced(cloud: Cloud, internet: Internet) -> None:
    def refuse(operation: str) -> None:
        if operation == "SendMessageBatch":
            raise ConnectionError("SQS is away")

    subscribe()
    cloud.wire.on_call = refuse
    happen()
    cloud.drain()
    assert (cloud.events(), internet.requests) == (["video.failed"], [])
    cloud.heal()
    assert told(internet) == {"video.failed": 1}


def test_everything_is_told_when_all_messages_are_lost_and_recovery_is_asked_for(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    happen()
    cloud.deliver("notify")
    happen()
    cloud.lose_messages()
    cloud.monitor({"recover": True})
    cloud.drain()
    assert told(internet) == {"video.failed": 2}


def test_many_events_are_announced_when_one_move_has_more_than_a_request_takes(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    news.announce([news.new("video.failed", clock.now(), VIDEO_ID) for _ in range(23)])
    assert cloud.waiting("notify") == 23


def test_events_ids_sort_by_time_when_made() -> None:
    made = [keys.new_event_id(clock.now()) for _ in range(3)]
    assert all(is_event_id(each) for each in made)
    assert sorted(each[:16] for each in made) == [each[:16] for each in made]
    assert len(set(made)) == 3


def test_counts_of_types_are_those_of_the_log_when_a_video_has_two_renditions(
    cloud: Cloud, internet: Internet
) -> None:
    cloud.engine.source(width=1280, height=720)
    subscribe()
    cloud.upload()
    cloud.drain()
    log = Counter(line.event for line in cloud.log() if line.event in news.EVENTS)
    assert log["rendition.ready"] > 1
    assert told(internet) == log
    assert Item.count(keys.HOOKS_PK) == 2, "the webhook and the count"


def test_nothing_told_of_a_video_is_left_when_it_is_purged(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    subscribe("video.completed")
    cloud.upload()
    cloud.drain()
    assert len(all_deliveries(cloud)) == 4
    kept = [item.event_id for item in cloud.items() if isinstance(item, News)]
    videos.request_delete(queues(cloud), VIDEO_ID, "admin")
    cloud.drain()
    assert {type(item).__name__ for item in cloud.items()} == {"Webhook", "Count"}
    for event_id in kept:  # their messages may come late, or again
        cloud.send("notify", events.notify_body(event_id))
    cloud.drain()
    assert {type(item).__name__ for item in cloud.items()} == {"Webhook", "Count"}


def test_news_on_their_way_are_forgotten_in_days_when_their_video_is_purged(
    cloud: Cloud, internet: Internet
) -> None:
    subscribe()
    cloud.upload()
    cloud.deliver("ingest")
    happen()
    videos.request_delete(queues(cloud), VIDEO_ID, "root")
    cloud.drain()
    assert told(internet) == {"video.failed": 1}
    left = [item for item in cloud.items() if isinstance(item, News | Delivery)]
    assert len(left) == 2
    latest = clock.now() + timedelta(seconds=deliveries.GIVEN_UP_AFTER_S)
    assert all(item.ttl is not None and item.ttl <= latest for item in left)


def test_no_delivery_is_made_when_the_video_is_purged_while_it_is_told_of(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe()
    happen()
    (item,) = [item for item in cloud.items() if isinstance(item, News)]
    settled = notifying._with_body

    def purged_meanwhile(item: News, site_url: str) -> News:
        item.delete()
        return settled(item, site_url)

    monkeypatch.setattr(notifying, "_with_body", purged_meanwhile)
    office = Office(queues(cloud), clients.sns(), Policy.parse("public", plain_http=False))
    with pytest.raises(TransitionRefused):
        notifying.tell(office, item.event_id)
    assert all_deliveries(cloud) == []
    assert news.get(item.event_id) is None
