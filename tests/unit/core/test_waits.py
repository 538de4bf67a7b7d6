"""The age of what waits in each queue, as operators and Prometheus are told."""

from __future__ import annotations

import pytest

from millrace import exposition, stats, steering, videos
from millrace.counters import Present
from tests.harness.openmetrics import families_in
from tests.unit.core.harness import VIDEO_ID, Cloud
from tests.unit.core.internet import Internet, Reply
from tests.unit.core.telling import happen, queues, subscribe, the_delivery


def age_s(cloud: Cloud, queue: str) -> float | None:
    found = stats.queues_now(queues(cloud), Present())
    return next(each.oldest_age_s for each in found if each.name == queue)


def sampled(cloud: Cloud) -> dict[str, float]:
    family = families_in(exposition.text(queues(cloud)))["millrace_queue_oldest_age_seconds"]
    return {sample.labels["queue"]: sample.value for sample in family.samples}


def transcode(cloud: Cloud) -> None:
    """The whole way but for what the publisher does."""
    cloud.upload()
    for queue in ("ingest", "probe", "transcode"):
        while cloud.deliver(queue):
            pass


def test_age_counts_from_the_first_step_when_nobody_publishes(cloud: Cloud) -> None:
    transcode(cloud)
    cloud.pass_time(3000)
    cloud.deliver("thumbnail")
    cloud.pass_time(600)
    assert age_s(cloud, "publish") == pytest.approx(3600, abs=30)
    assert sampled(cloud)["publish"] >= 3600
    cloud.drain()
    assert cloud.video().status == "COMPLETED"
    assert cloud.video().unpublished_since is None
    assert age_s(cloud, "publish") is None
    assert sampled(cloud)["publish"] == 0


def test_age_is_not_told_when_all_is_published_and_a_message_is_left(cloud: Cloud) -> None:
    transcode(cloud)
    cloud.deliver("publish")
    cloud.pass_time(3600)
    assert cloud.video().published_steps == cloud.video().steps
    assert cloud.waiting("publish") >= 1
    assert age_s(cloud, "publish") is None


def test_age_counts_from_the_wish_when_nobody_deletes(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    cloud.pass_time(9000)
    videos.request_delete(queues(cloud), VIDEO_ID, "admin")
    cloud.pass_time(60)
    assert age_s(cloud, "publish") == pytest.approx(60, abs=5)


def test_age_counts_from_the_retry_when_a_video_failed_long_ago(cloud: Cloud) -> None:
    transcode(cloud)
    steering.cancel(queues(cloud), VIDEO_ID, "admin")
    cloud.pass_time(9000)
    steering.retry(queues(cloud), VIDEO_ID, "admin")
    cloud.pass_time(60)
    assert age_s(cloud, "publish") == pytest.approx(60, abs=5)


def test_age_counts_from_the_event_when_nobody_tells_it(cloud: Cloud) -> None:
    subscribe("video.failed")
    happen()
    cloud.pass_time(100)
    assert age_s(cloud, "notify") == pytest.approx(100, abs=5)


def test_age_is_not_told_when_a_delivery_waits_for_its_next_attempt(
    cloud: Cloud, internet: Internet
) -> None:
    internet.reply = lambda _: Reply(500)
    subscribe("video.failed")
    happen()
    while cloud.deliver("notify"):
        pass
    assert the_delivery(cloud).next_at is not None
    cloud.send("notify", "a message that is left")
    assert age_s(cloud, "notify") is None
    cloud.pass_time(3600)
    assert (age_s(cloud, "notify") or 0) > 3000


def test_nothing_is_told_of_uploads_when_their_messages_wait(cloud: Cloud) -> None:
    assert sampled(cloud)["ingest"] == 0
    cloud.upload()
    cloud.pass_time(3600)
    assert age_s(cloud, "ingest") is None
    assert "ingest" not in sampled(cloud)
    assert set(sampled(cloud)) == {"probe", "transcode", "thumbnail", "publish", "notify"}
