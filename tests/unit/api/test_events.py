from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from millrace import clock, keys, transact
from millrace.model import VideoStatus
from tests.unit.api.conftest import MakeVideo
from tests.unit.api.support import Api

START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def video_id(make_video: MakeVideo) -> str:
    video = make_video(VideoStatus.PROCESSING)
    for n in range(30):
        with clock.source(lambda n=n: START + timedelta(seconds=n // 3)):  # type: ignore[misc]
            transact.entry(
                video.video_id,
                "task.started",
                task_id=keys.task_id("transcode", n),
                attempt=1,
                detail={"to": "RUNNING", "worker": "host-7/123", "actor": "root"},
            ).save()
    found: str = video.video_id
    return found


def test_the_log_comes_whole_and_oldest_first_when_paged(api: Api, video_id: str) -> None:
    seen, cursor, pages = [], "", 0
    while True:
        body = api.get(f"/videos/{video_id}/events?limit=7{cursor}").body
        seen += [(event["at"], event["task_id"]) for event in body["events"]]
        pages += 1
        if body["next_cursor"] is None:
            break
        cursor = f"&cursor={body['next_cursor']}"
    assert pages == 5
    assert len(set(seen)) == len(seen) == 30
    assert [at for at, _ in seen] == sorted(at for at, _ in seen)


def test_there_is_no_next_page_when_the_page_is_exactly_full(api: Api, video_id: str) -> None:
    assert api.get(f"/videos/{video_id}/events?limit=30").body["next_cursor"] is None


def test_internals_are_left_out_when_the_public_reads_the_log(
    api: Api, video_id: str, uploader: str, other_uploader: str, admin: str
) -> None:
    for token, whole in ((None, False), (other_uploader, False), (uploader, True), (admin, True)):
        event = api.get(f"/videos/{video_id}/events?limit=1", token=token).body["events"][0]
        assert event["event"] == "task.started"
        assert event["detail"]["to"] == "RUNNING"
        assert ("worker" in event["detail"]) is whole
        assert ("actor" in event["detail"]) is whole


def test_it_answers_400_when_the_cursor_is_of_another_video(
    api: Api, video_id: str, make_video: MakeVideo
) -> None:
    cursor = api.get(f"/videos/{video_id}/events?limit=1").body["next_cursor"]
    other = make_video().video_id
    answer = api.get(f"/videos/{other}/events?cursor={cursor}")
    assert (answer.status, answer.problem) == (400, "invalid-cursor")
    assert api.get(f"/videos/{video_id}/events?cursor={cursor[:-2]}").problem == "invalid-cursor"
    bad = api.get(f"/videos/{video_id}/events?status=failed")
    assert (bad.problem, bad.bad_fields) == ("invalid-parameters", {"status": "unknown"})
