"""Cancelling, retrying, dead letters and their redrive, as an admin asks for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from millrace import clock, keys, redriving, tasks, videos
from millrace.errors import Reason
from millrace.model import Item, Task, TaskKind, Transaction, Video, VideoStatus
from tests.unit.api.conftest import Cloud, MakeVideo
from tests.unit.api.support import Api

PLAN = {"version": 1, "video": {"stream": 0, "renditions": []}}
START = datetime(2026, 5, 1, tzinfo=UTC)
WORKED = (VideoStatus.QUEUED, VideoStatus.PROCESSING)
ATTEMPT = {
    "attempt": 1,
    "worker": "w",
    "started_at": "2026-05-01T00:00:01.000000Z",
    "ended_at": "2026-05-01T00:00:02.000000Z",
    "reason": "CORRUPT",
    "message": "Frame 30 is damaged.",
    "counted": True,
}
MakeFailed = Callable[..., Video]


def letter(video_id: str, kind: TaskKind, index: int, failed_at: str | None = None) -> Task:
    """A task that failed for good, as its worker leaves it."""
    task = tasks.new(video_id, kind, index, units=1, urgency="1.0.")
    with clock.source(
        lambda: datetime.fromisoformat(failed_at) if failed_at else datetime.now(UTC)
    ):
        tasks.mark_stillborn(task, Reason.CORRUPT, "Frame 30 is damaged.")
    task.attempt, task.attempts, task.engine_log = 1, [ATTEMPT], "the log"
    return task


@pytest.fixture
def make_failed(make_video: MakeVideo) -> MakeFailed:
    """A video that failed with one dead letter: a chunk's, or with `planned` false its probe's."""

    def make(
        status: VideoStatus = VideoStatus.FAILED,
        *,
        planned: bool = True,
        failed_at: str | None = None,
        kind: TaskKind = TaskKind.TRANSCODE,
        **attributes: Any,
    ) -> Video:
        video = make_video(status, plan=PLAN if planned else None, reason="CORRUPT", **attributes)
        if planned:
            probe = tasks.new(video.video_id, TaskKind.PROBE, 0, units=0, urgency="1.0.")
            probe.status, probe.attempt = "DONE", 1
            probe.save()
            letter(video.video_id, kind, 2, failed_at).save()
        else:
            letter(video.video_id, TaskKind.PROBE, 0, failed_at).save()
        return video

    return make


def moves(video: Video) -> list[tuple[str, dict[str, Any]]]:
    found = Item.query(keys.video_pk(video.video_id), Item.sk.startswith("LOG#"))
    return [(line.event, line.detail) for line in found if isinstance(line, Transaction)]


def published(cloud: Cloud) -> list[str]:
    return [message["video_id"] for message in cloud.messages()]


@pytest.mark.parametrize("status", WORKED)
def test_a_video_is_cancelled_once_when_an_admin_asks_twice(
    api: Api, cloud: Cloud, admin: str, make_video: MakeVideo, status: VideoStatus
) -> None:
    video = make_video(status, playable=True)
    for _ in range(2):
        answer = api.post(f"/videos/{video.video_id}/cancel", token=admin)
        assert (answer.status, answer.body["status"]) == (202, "cancelled")
        assert answer.body["playable"] is False
    detail = {"from": status, "to": "CANCELLED", "playable": False, "actor": "root"}
    assert moves(video) == [("video.cancelled", detail)]
    assert set(published(cloud)) == {video.video_id}
    now = videos.get(video.video_id)
    assert now is not None
    assert now.due_at is not None, "should the message be lost, the monitor sees to it"
    assert api.get(f"/videos/{video.video_id}").problem == "video-not-found"
    assert api.get(f"/videos/{video.video_id}", token=admin).body["status"] == "cancelled"


@pytest.mark.parametrize("status", sorted({*VideoStatus} - {*WORKED, VideoStatus.CANCELLED}))
def test_cancelling_is_refused_when_nobody_works_on_the_video(
    api: Api, cloud: Cloud, admin: str, make_video: MakeVideo, status: VideoStatus
) -> None:
    video = make_video(status)
    answer = api.post(f"/videos/{video.video_id}/cancel", token=admin)
    assert (answer.status, answer.problem) == (409, "not-cancellable")
    assert answer.body["video_status"] == status.lower()
    assert moves(video) == []
    assert published(cloud) == []


@pytest.mark.parametrize("status", [VideoStatus.FAILED, VideoStatus.CANCELLED])
@pytest.mark.parametrize(("planned", "to"), [(True, "PROCESSING"), (False, "QUEUED")])
def test_a_video_is_set_going_once_when_an_admin_asks_twice(
    api: Api,
    cloud: Cloud,
    admin: str,
    make_failed: MakeFailed,
    status: VideoStatus,
    planned: bool,
    to: str,
) -> None:
    video = make_failed(status, planned=planned)
    for _ in range(2):
        answer = api.post(f"/videos/{video.video_id}/retry", token=admin)
        assert (answer.status, answer.body["status"]) == (202, to.lower())
        assert "reason" not in answer.body
    assert moves(video) == [("video.retried", {"from": status, "to": to, "actor": "root"})]
    assert published(cloud) == [video.video_id]
    now = videos.get(video.video_id)
    assert now is not None
    assert now.reason is None
    assert now.published_steps == -1
    assert now.due_at is not None
    assert now.reviving_since is not None


@pytest.mark.parametrize("status", sorted({*VideoStatus} - {*WORKED, "FAILED", "CANCELLED"}))
def test_retrying_is_refused_when_the_video_did_not_fail(
    api: Api, cloud: Cloud, admin: str, make_failed: MakeFailed, status: VideoStatus
) -> None:
    video = make_failed(status)
    answer = api.post(f"/videos/{video.video_id}/retry", token=admin)
    assert (answer.status, answer.problem) == (409, "not-retryable")
    assert answer.body["video_status"] == status.lower()
    assert (moves(video), published(cloud)) == ([], [])


def test_retrying_is_refused_when_the_file_never_came_or_was_refused_on_arrival(
    api: Api, cloud: Cloud, admin: str, make_video: MakeVideo
) -> None:
    expired = make_video(VideoStatus.FAILED, uploaded_at=None)
    too_large = make_video(VideoStatus.FAILED)
    stillborn = letter(too_large.video_id, TaskKind.PROBE, 0)
    stillborn.attempt, stillborn.attempts = 0, None
    stillborn.save()
    for video in (expired, too_large):
        answer = api.post(f"/videos/{video.video_id}/retry", token=admin)
        assert (answer.status, answer.problem) == (409, "not-retryable")
    redriven = api.post("/dead-letters/redrive", {"all": True}, token=admin).body
    assert (redriven["redriven"], redriven["skipped"]) == ([], [too_large.video_id])
    assert published(cloud) == []


ROUTES = [
    ("POST", "/videos/{id}/cancel", None),
    ("POST", "/videos/{id}/retry", None),
    ("GET", "/dead-letters", None),
    ("POST", "/dead-letters/redrive", {"all": True}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_only_admins_may_steer_when_a_video_has_failed(
    api: Api,
    cloud: Cloud,
    uploader: str,
    make_failed: MakeFailed,
    method: str,
    path: str,
    body: Any,
) -> None:
    video = make_failed(owner="ann")
    where = path.replace("{id}", video.video_id)
    assert api.call(method, where, body, token=uploader).problem == "role-missing"
    assert api.call(method, where, body).problem == "token-missing"
    assert (moves(video), published(cloud)) == ([], [])


@pytest.mark.parametrize("verb", ["cancel", "retry"])
@pytest.mark.parametrize("video_id", ["x", "a" * 26])
def test_it_answers_404_when_there_is_no_video_to_steer(
    api: Api, admin: str, verb: str, video_id: str
) -> None:
    assert api.post(f"/videos/{video_id}/{verb}", token=admin).problem == "video-not-found"


def test_everything_is_told_when_a_dead_letter_is_listed(
    api: Api, admin: str, make_failed: MakeFailed
) -> None:
    at = keys.timestamp(START)
    video = make_failed(failed_at=at, kind=TaskKind.AUDIO)
    assert api.get("/dead-letters", token=admin).body == {
        "dead_letters": [
            {
                "video_id": video.video_id,
                "title": video.title,
                "task_id": "audio-00002",
                "queue": "transcode",
                "status": "failed",
                "failed_at": at,
                "reason": {"code": "CORRUPT", "message": "Frame 30 is damaged."},
                "attempts": [ATTEMPT],
                "engine_log": "the log",
            }
        ],
        "next_cursor": None,
    }
    assert [v["id"] for v in api.get("/videos?status=failed").body["videos"]] == [video.video_id]


def fill(count: int) -> list[str]:
    """Dead letters of as many videos, an hour apart, every other one of a thumbnail; the video
    ids, the newest letter's first."""
    ids = [keys.new_video_id() for _ in range(count)]
    with Task.batch_write() as batch:
        for n, video_id in enumerate(ids):
            kind = (TaskKind.TRANSCODE, TaskKind.THUMBNAIL)[n % 2]
            batch.save(letter(video_id, kind, 0, keys.timestamp(START + timedelta(hours=n))))
    return ids[::-1]


def listed(api: Api, admin: str, query: str) -> list[list[str]]:
    pages, cursor = [], ""
    while True:
        body = api.get(f"/dead-letters?{query}{cursor}", token=admin).body
        pages.append([entry["video_id"] for entry in body["dead_letters"]])
        if body["next_cursor"] is None:
            return pages
        cursor = f"&cursor={body['next_cursor']}"


def test_every_letter_comes_once_and_newest_first_when_paging(api: Api, admin: str) -> None:
    ids = fill(50)
    pages = listed(api, admin, "limit=20")
    assert [len(page) for page in pages] == [20, 20, 10]
    assert [video_id for page in pages for video_id in page] == ids
    assert listed(api, admin, "limit=25&queue=thumbnail") == [ids[::2]]
    assert listed(api, admin, "queue=probe") == [[]]


def test_a_page_of_letters_costs_the_same_when_there_are_few_or_many(
    api: Api, admin: str, dynamodb_requests: list[str]
) -> None:
    costs = []
    for more in (20, 180):
        fill(more)
        dynamodb_requests.clear()
        api.get("/dead-letters?limit=4", token=admin)
        costs.append(list(dynamodb_requests))
    assert costs[0] == costs[1] == ["GetItem", *["Query"] * keys.SHARDS, "BatchGetItem"]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("limit=0", "invalid-parameters"),
        ("queue=publish", "invalid-parameters"),
        ("video=x", "invalid-parameters"),
        ("cursor=x", "invalid-cursor"),
    ],
)
def test_the_listing_is_refused_when_a_parameter_is_wrong(
    api: Api, admin: str, query: str, problem: str
) -> None:
    assert api.get(f"/dead-letters?{query}", token=admin).problem == problem


def redriven(api: Api, admin: str, body: Any) -> list[list[str]]:
    answer = api.post("/dead-letters/redrive", body, token=admin)
    assert (answer.status, answer.body["next_cursor"]) == (202, None)
    return [sorted(answer.body["redriven"]), sorted(answer.body["skipped"])]


def statuses(*some: Video) -> list[str]:
    found = [videos.get(video.video_id) for video in some]
    return [video.status for video in found if video is not None]


def test_its_video_goes_again_when_one_letter_is_redriven_twice(
    api: Api, cloud: Cloud, admin: str, make_failed: MakeFailed
) -> None:
    video, other = make_failed(), make_failed()
    for body in (
        {"video_id": video.video_id, "task_id": "transcode-00002"},
        {"video_id": video.video_id, "task_id": "transcode-00002"},
        {"video_id": video.video_id},
    ):
        assert redriven(api, admin, body) == [[video.video_id], []]
    assert statuses(video, other) == ["PROCESSING", "FAILED"]
    assert published(cloud) == [video.video_id]
    assert len(moves(video)) == 1


def test_the_videos_of_a_queue_go_again_when_it_is_redriven(
    api: Api, admin: str, make_failed: MakeFailed
) -> None:
    chunk, audio = make_failed(), make_failed(kind=TaskKind.AUDIO)
    still, probe = make_failed(kind=TaskKind.THUMBNAIL), make_failed(planned=False)
    wanted = sorted([chunk.video_id, audio.video_id])
    assert redriven(api, admin, {"queue": "transcode"}) == [wanted, []]
    assert statuses(chunk, audio, still, probe) == ["PROCESSING", "PROCESSING", "FAILED", "FAILED"]
    assert redriven(api, admin, {"queue": "probe"}) == [[probe.video_id], []]
    assert statuses(still, probe) == ["FAILED", "QUEUED"]


def test_cancelled_and_vanishing_videos_are_left_alone_when_all_is_redriven(
    api: Api, admin: str, make_failed: MakeFailed
) -> None:
    failed, cancelled = make_failed(), make_failed(VideoStatus.CANCELLED)
    leaving = make_failed(VideoStatus.DELETING)
    skipped = sorted([cancelled.video_id, leaving.video_id])
    assert redriven(api, admin, {"all": True}) == [[failed.video_id], skipped]
    assert statuses(failed, cancelled, leaving) == ["PROCESSING", "CANCELLED", "DELETING"]


def test_all_are_redriven_page_by_page_when_there_are_many(
    api: Api, admin: str, make_failed: MakeFailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redriving, "LETTERS_AT_ONCE", 2)
    made = {make_failed().video_id for _ in range(5)}
    done: list[list[str]] = []
    body: dict[str, Any] = {"all": True}
    while len(done) < 5:
        answer = api.post("/dead-letters/redrive", body, token=admin).body
        done.append(answer["redriven"])
        if answer["next_cursor"] is None:
            break
        body["cursor"] = answer["next_cursor"]
    assert [len(page) for page in done] == [2, 2, 1]
    assert {video_id for page in done for video_id in page} == made


@pytest.mark.parametrize(
    ("body", "bad"),
    [
        ({}, {"video_id": "ambiguous"}),
        ({"all": True, "queue": "probe"}, {"video_id": "ambiguous"}),
        ({"all": False}, {"all": "not_true"}),
        ({"queue": "publish"}, {"queue": "unknown"}),
        ({"queue": ["probe"]}, {"queue": "unknown"}),
        ({"video_id": 5}, {"video_id": "not_text"}),
        ({"all": True, "task_id": "probe-00000"}, {"task_id": "misplaced"}),
        ({"video_id": "a" * 26, "cursor": "x"}, {"cursor": "misplaced"}),
        ({"all": True, "videos": []}, {"videos": "unknown"}),
    ],
)
def test_a_redrive_is_refused_when_its_body_is_wrong(
    api: Api, admin: str, body: Any, bad: dict[str, str]
) -> None:
    answer = api.post("/dead-letters/redrive", body, token=admin)
    assert (answer.status, answer.problem) == (422, "validation-failed")
    assert answer.bad_fields == bad


def test_a_redrive_is_refused_when_there_is_nothing_to_redrive(
    api: Api, cloud: Cloud, admin: str, make_failed: MakeFailed
) -> None:
    failed, cancelled = make_failed(), make_failed(VideoStatus.CANCELLED)
    done = make_failed(VideoStatus.COMPLETED)

    def problem(**body: Any) -> str:
        return api.post("/dead-letters/redrive", body, token=admin).problem

    for task_id in ("transcode-00003", "probe-00000", "transcode-2", "x", "transcode-00002 "):
        assert problem(video_id=failed.video_id, task_id=task_id) == "letter-not-found"
    for video in (cancelled, done):
        assert problem(video_id=video.video_id) == "not-retryable"
    for video_id in ("a" * 26, "x"):
        assert problem(video_id=video_id) == "video-not-found"
    assert problem(all=True, cursor="x") == "invalid-cursor"
    assert published(cloud) == []
