from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import quote

import pytest

from millrace import keys
from millrace.model import Video, VideoStatus
from tests.unit.api.conftest import SITE_URL, Cloud, MakeVideo
from tests.unit.api.support import Api

START = datetime(2026, 5, 1, tzinfo=UTC)
PLAN = {
    "version": 1,
    "video": {
        "stream": 0,
        "renditions": [
            {"name": "720p", "width": 1280, "height": 720, "maxrate_bps": 2800000, "crf": 23},
            {"name": "480p", "width": 854, "height": 480, "maxrate_bps": 1400000, "crf": 23},
        ],
    },
}
MEDIA = {
    "type": "result",
    "format": {"container": "mp4", "duration_s": 52.2},
    "video": [
        {"stream": 1, "attached_picture": True, "display_width": 10, "display_height": 10},
        {"stream": 0, "width": 720, "height": 720, "display_width": 1280, "display_height": 720},
    ],
    "audio": [],
    "subtitles": [],
    "chapters": [{"start_s": 0.0, "end_s": 52.2, "title": "All"}],
    "others": [{"stream": 3, "type": "data", "codec": "bin_data"}],
    "warnings": [],
}


def rich(make_video: MakeVideo, **attributes: Any) -> Video:
    values = {
        "media": MEDIA,
        "plan": PLAN,
        "poster": "poster.jpg",
        "thumbnails": [{"time_s": 10.0, "path": "thumbnails/00.jpg"}],
        "storyboard": "storyboard.vtt",
        "playable": True,
        "playable_at": "2026-05-01T00:00:09.000000Z",
        "completed_at": "2026-05-01T00:00:30.000000Z",
        **attributes,
    }
    return make_video(**values)


def all_pages(api: Api, query: str, **options: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor = ""
    while True:
        body = api.get(f"/videos?{query}{cursor}", **options).body
        pages.append([video["id"] for video in body["videos"]])
        if body["next_cursor"] is None:
            return pages
        cursor = f"&cursor={body['next_cursor']}"


def listed(api: Api, query: str, **options: Any) -> list[str]:
    return flat(all_pages(api, query, **options))


def flat(lists: Iterable[list[str]]) -> list[str]:
    return list(chain.from_iterable(lists))


def fill(make_video: MakeVideo, count: int, per_hour: int) -> list[str]:
    """Videos, some at each instant; the ids in the order of a listing."""
    found = [
        make_video(
            (VideoStatus.COMPLETED, VideoStatus.FAILED)[n % 2],
            created_at=keys.timestamp(START + timedelta(hours=n // per_hour)),
            save=False,
        )
        for n in range(count)
    ]
    with Video.batch_write() as batch:
        for video in found:
            batch.save(video)
    found.sort(key=lambda video: video.created_key or "", reverse=True)
    assert {keys.shard_of(video.video_id) for video in found} == set(range(keys.SHARDS))
    return [video.video_id for video in found]


@pytest.fixture
def many(make_video: MakeVideo) -> list[str]:
    return fill(make_video, 250, per_hour=5)


@pytest.fixture
def some(make_video: MakeVideo) -> list[str]:
    """Fewer, because moto looks at every item for every query: two at each of 50 hours."""
    return fill(make_video, 100, per_hour=2)


def test_every_video_comes_once_and_newest_first_when_paging_over_the_shards(
    api: Api, many: list[str]
) -> None:
    pages = all_pages(api, "limit=40")
    assert [len(page) for page in pages] == [40] * 6 + [10]
    assert flat(pages) == many


def test_the_last_page_says_so_when_it_is_exactly_full(api: Api, some: list[str]) -> None:
    assert [len(page) for page in all_pages(api, "limit=50")] == [50] * 2


def test_a_page_costs_the_same_when_there_are_few_or_many_videos(
    api: Api,
    make_video: MakeVideo,
    dynamodb_requests: list[str],
    request: pytest.FixtureRequest,
) -> None:
    for n in range(30):
        make_video(created_at=keys.timestamp(START - timedelta(hours=n)))
    costs = []
    for _ in range(2):
        dynamodb_requests.clear()
        assert len(api.get("/videos").body["videos"]) == 24
        assert set(dynamodb_requests) == {"Query"}
        costs.append(len(dynamodb_requests))
        request.getfixturevalue("many")
    # One request for each shard, and a few more when the newest are spread unevenly.
    assert max(costs) <= 2 * keys.SHARDS


def test_only_that_status_is_listed_when_filtered(api: Api, some: list[str]) -> None:
    completed = listed(api, "limit=100&status=completed")
    failed = listed(api, "limit=100&status=failed")
    assert len(completed) == len(failed) == 50
    assert sorted(completed + failed) == sorted(some)
    assert [v for v in some if v in set(completed)] == completed
    assert all_pages(api, "status=queued") == [[]]


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        ("from=2026-05-02T23:00:00Z", range(47, 50)),
        ("to=2026-05-01T02:00:00Z", range(2)),
        ("from=2026-05-01T05:00:00&to=2026-05-01T07:00:00", range(5, 7)),
        ("from=" + quote("2026-05-01T07:00:00+02:00") + "&to=2026-05-01T06:00:00Z", range(5, 6)),
        ("from=2026-05-02&to=2026-05-02", range(24, 48)),
        ("to=2026-05-01", range(24)),
        ("from=2027-01-01", range(0)),
    ],
)
def test_only_those_days_are_listed_when_filtered_by_date(
    api: Api, some: list[str], query: str, hours: range
) -> None:
    newest_first = [some[2 * (49 - hour) : 2 * (49 - hour) + 2] for hour in reversed(hours)]
    assert listed(api, f"limit=15&{query}") == flat(newest_first)
    by_status = [
        listed(api, f"limit=100&status={status}&{query}") for status in ("completed", "failed")
    ]
    assert sorted(flat(by_status)) == sorted(flat(newest_first))


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=abc",
        "limit=1e2",
        "limit=%D9%A1",
        "status=done",
        "status=COMPLETED",
        "status=awaiting_upload",
        "status=deleting",
        "from=yesterday",
        "from=2026-13-01",
        "from=0001-01-01",
        "to=9999-12-31",
        "to=0001-01-01T00:00:00%2B10:00",
        "from=2026-05-02&to=2026-05-01",
        "from=2026-05-01T00:00:00Z&to=2026-05-01T00:00:00Z",
        "stauts=failed",
    ],
)
def test_it_answers_400_when_a_parameter_is_not_valid(api: Api, query: str) -> None:
    answer = api.get(f"/videos?{query}")
    assert (answer.status, answer.problem) == (400, "invalid-parameters")
    assert set(answer.bad_fields) <= {"limit", "status", "from", "to", "stauts"}


def test_it_answers_400_when_the_cursor_is_not_the_one_given_out(api: Api, many: list[str]) -> None:
    cursor = api.get("/videos?limit=5").body["next_cursor"]
    assert api.get(f"/videos?limit=9&cursor={cursor}").status == 200  # any page size may follow
    tampered = [
        cursor[:-1],
        cursor + "A",
        "A" + cursor[1:],
        cursor[:20] + ("A" if cursor[20] != "A" else "B") + cursor[21:],
        cursor.swapcase(),
        "",
        "%00",
        "%C3%A4",
        "e30",
        quote("{}"),
        "A" * 5000,
    ]
    for bad in tampered:
        assert api.get(f"/videos?cursor={bad}").problem == "invalid-cursor", bad
    assert api.get(f"/videos?status=failed&cursor={cursor}").problem == "invalid-cursor"
    assert api.get(f"/videos?from=2026-01-01&cursor={cursor}").problem == "invalid-cursor"


def test_paging_goes_on_when_the_cursors_video_was_deleted(api: Api, some: list[str]) -> None:
    cursor = api.get("/videos?limit=5").body["next_cursor"]
    Video(keys.video_pk(some[4]), keys.VIDEO_SK).delete()
    listed = api.get(f"/videos?limit=5&cursor={cursor}").body["videos"]
    assert [video["id"] for video in listed] == some[5:10]


def test_hidden_videos_are_not_listed_when_the_public_asks(
    api: Api, uploader: str, admin: str, make_video: MakeVideo
) -> None:
    shown = {
        make_video(status).video_id
        for status in (
            VideoStatus.QUEUED,
            VideoStatus.PROCESSING,
            VideoStatus.COMPLETED,
            VideoStatus.FAILED,
        )
    }
    hidden = {
        make_video(VideoStatus.AWAITING_UPLOAD).video_id,
        make_video(VideoStatus.DELETING).video_id,
        make_video(VideoStatus.CANCELLED).video_id,
        make_video(VideoStatus.FAILED, uploaded_at=None, reason="UPLOAD_EXPIRED").video_id,
    }
    for token in (None, uploader):
        assert set(listed(api, "limit=100", token=token)) == shown
    assert set(listed(api, "limit=100", token=admin)) == shown | hidden
    for video_id in hidden:
        assert api.get(f"/videos/{video_id}").problem == "video-not-found"
        assert api.get(f"/videos/{video_id}/events").problem == "video-not-found"
        assert api.get(f"/status/{video_id}").problem == "video-not-found"
    waiting = api.get("/videos?status=awaiting_upload", token=admin).body["videos"]
    assert [video["status"] for video in waiting] == ["awaiting_upload"]


def test_a_page_stays_cheap_when_hidden_videos_lie_before_the_visible(
    api: Api, make_video: MakeVideo, dynamodb_requests: list[str]
) -> None:
    seen = make_video(created_at=keys.timestamp(START)).video_id
    for n in range(60):
        made_at = keys.timestamp(START + timedelta(hours=n + 1))
        make_video(VideoStatus.AWAITING_UPLOAD, created_at=made_at)
    dynamodb_requests.clear()
    first = api.get("/videos?limit=5").body
    assert first["videos"] == []
    assert first["next_cursor"]
    assert len(dynamodb_requests) <= 2 * keys.SHARDS
    assert listed(api, "limit=5") == [seen]


def test_a_card_tells_what_a_gallery_needs_when_listed(api: Api, make_video: MakeVideo) -> None:
    video = rich(make_video)
    card = api.get("/videos").body["videos"][0]
    assert card == {
        "id": video.video_id,
        "status": "completed",
        "percent": 100,
        "playable": True,
        "title": "Holiday",
        "created_at": video.created_at,
        "duration_s": 52.2,
        "width": 1280,
        "height": 720,
        "poster_url": f"{SITE_URL}/videos/{video.video_id}/poster.jpg",
        "storyboard_url": f"{SITE_URL}/videos/{video.video_id}/storyboard.vtt",
        "watch_url": f"{SITE_URL}/watch.html?v={video.video_id}",
    }


def test_everything_public_is_told_when_one_video_is_asked_for(
    api: Api, make_video: MakeVideo
) -> None:
    secrets = {"source_etag": "secret-etag", "upload_id": "secret-upload"}
    video = rich(make_video, manifest="manifest.mpd", **secrets)
    answer = api.get(f"/videos/{video.video_id}")
    assert answer.body["hls_url"] == f"{SITE_URL}/videos/{video.video_id}/master.m3u8"
    assert answer.body["dash_url"] == f"{SITE_URL}/videos/{video.video_id}/manifest.mpd"
    assert answer.body["renditions"][0] == {
        "name": "720p",
        "width": 1280,
        "height": 720,
        "maxrate_bps": 2800000,
    }
    url = f"{SITE_URL}/videos/{video.video_id}/thumbnails/00.jpg"
    assert answer.body["thumbnails"] == [{"time_s": 10.0, "url": url}]
    storyboard = f"{SITE_URL}/videos/{video.video_id}/storyboard.vtt"
    assert answer.body["storyboard_url"] == storyboard
    assert answer.body["media"]["format"]["duration_s"] == 52.2
    assert answer.body["media"]["chapters"][0]["title"] == "All"
    assert "others" not in answer.body["media"]
    for secret in ("ann", "secret-etag", "secret-upload", "uploads/", "holiday.mp4"):
        assert secret not in answer.text


def test_a_video_can_be_read_when_it_was_not_probed_yet(api: Api, make_video: MakeVideo) -> None:
    body = api.get(f"/videos/{make_video(VideoStatus.QUEUED).video_id}").body
    assert (body["status"], body["percent"], body["playable"]) == ("queued", 0, False)
    assert body["hls_url"] is body["poster_url"] is body["duration_s"] is None
    assert body["dash_url"] is body["storyboard_url"] is None
    assert body["renditions"] == body["thumbnails"] == []


def test_the_reason_is_told_when_a_video_has_failed(api: Api, make_video: MakeVideo) -> None:
    video = make_video(VideoStatus.FAILED, reason="CORRUPT", reason_message="It breaks off.")
    wanted = {"code": "CORRUPT", "message": "It breaks off."}
    assert api.get(f"/videos/{video.video_id}").body["reason"] == wanted
    assert api.get("/videos").body["videos"][0]["reason"] == wanted
    assert api.get(f"/status/{video.video_id}").body["reason"] == wanted


@pytest.mark.parametrize(("done", "percent"), [(0, 0), (1, 33), (2, 66), (3, 99)])
def test_the_percent_follows_the_work_when_processing(
    api: Api, make_video: MakeVideo, done: int, percent: int
) -> None:
    video = make_video(VideoStatus.PROCESSING, units_total=3, units_done=done)
    assert api.get(f"/status/{video.video_id}").body["percent"] == percent


def test_it_answers_304_when_the_client_has_the_same_answer(
    api: Api, make_video: MakeVideo
) -> None:
    video = make_video(VideoStatus.PROCESSING, units_total=4)
    for path in ("/videos", f"/videos/{video.video_id}", f"/status/{video.video_id}"):
        etag = api.get(path).headers["etag"]
        for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            answer = api.get(path, headers={"If-None-Match": known})
            assert (answer.status, answer.headers["etag"]) == (304, etag)
        assert api.get(path, headers={"If-None-Match": '"x"'}).status == 200
        video.units_done += 1
        video.save()
        assert api.get(path, headers={"If-None-Match": etag}).status == 200


@pytest.mark.parametrize(
    "video_id", ["x", "A" * 26, "a" * 25, "a" * 27, "a" * 26, "..%2F..", "%00" * 26]
)
def test_it_answers_404_when_there_is_no_such_video(
    api: Api, uploader: str, admin: str, video_id: str
) -> None:
    answers = [
        api.get(f"/videos/{video_id}"),
        api.get(f"/videos/{video_id}/events"),
        api.get(f"/status/{video_id}"),
        api.delete(f"/videos/{video_id}", token=admin),
        api.delete(f"/uploads/{video_id}", token=uploader),
        api.get(f"/uploads/{video_id}/parts", token=uploader),
        api.post(f"/uploads/{video_id}/parts", {"part_numbers": [1]}, token=uploader),
        api.post(f"/uploads/{video_id}/complete", {"parts": []}, token=uploader),
    ]
    assert {answer.status for answer in answers} == {404}
    assert {answer.problem for answer in answers} == {"video-not-found"}


def test_a_video_vanishes_and_is_purged_when_an_admin_deletes_it(
    api: Api, cloud: Cloud, admin: str, make_video: MakeVideo
) -> None:
    video, other = make_video(), make_video()
    answer = api.delete(f"/videos/{video.video_id}", token=admin)
    assert (answer.status, answer.body["status"]) == (202, "deleting")
    assert cloud.messages() == [{"version": 1, "action": "purge", "video_id": video.video_id}]
    assert api.get(f"/videos/{video.video_id}").problem == "video-not-found"
    assert [v["id"] for v in api.get("/videos").body["videos"]] == [other.video_id]
    assert api.delete(f"/videos/{video.video_id}", token=admin).status == 202
