"""The settings of an upload, and the bounds beyond which the API asks for patience."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

import app as api_module
from millrace import clock, model, transact
from millrace.model import VideoStatus
from tests.unit.api.conftest import Cloud, MakeVideo
from tests.unit.api.support import Api

FILM = {"filename": "film.mp4", "size_bytes": 5}
CHOICES = {
    "ladder": "hevc",
    "rate_control": "cbr",
    "segment_s": 6,
    "thumbnails": {"count": 5},
    "priority": "low",
}


def test_the_choices_are_shown_with_the_usual_when_some_were_made(api: Api, uploader: str) -> None:
    begun = api.post("/uploads", {**FILM, "settings": CHOICES}, token=uploader)
    video = api.get(f"/videos/{begun.body['video_id']}", token=uploader)
    assert video.body["settings"] == {
        **CHOICES,
        "thumbnails": {"count": 5, "storyboard": True},
        "preset": None,
        "container": None,
        "keep_surround": None,
    }


def test_the_deployments_choices_are_shown_when_the_video_is_planned(
    api: Api, make_video: MakeVideo
) -> None:
    planned = {"container": "mpegts", "video": {"preset": "faster", "renditions": []}}
    video = make_video(VideoStatus.PROCESSING, plan=planned)
    settings = api.get(f"/videos/{video.video_id}").body["settings"]
    assert (settings["preset"], settings["container"]) == ("faster", "mpegts")
    assert settings["ladder"] == "default"


def test_all_bad_fields_are_named_when_settings_are_refused(api: Api, uploader: str) -> None:
    rungs = [{"name": "a", "short_side": 720, "maxrate_bps": 1}]
    wrong = {"ladder": {"rungs": rungs}, "priority": "now"}
    answer = api.post("/uploads", {"filename": "film.mp4", "settings": wrong}, token=uploader)
    assert answer.problem == "validation-failed"
    assert answer.bad_fields == {
        "size_bytes": "missing",
        "settings.ladder.rungs[0].maxrate_bps": "bad_ladder",
        "settings.priority": "unknown",
    }


def test_other_settings_are_another_upload_when_the_key_is_repeated(
    api: Api, uploader: str
) -> None:
    def begin(settings: Any) -> Any:
        body = {**FILM, "settings": settings}
        return api.post("/uploads", body, token=uploader, headers={"Idempotency-Key": "one"})

    first = begin(CHOICES)
    assert begin(CHOICES).body["video_id"] == first.body["video_id"]
    assert begin({**CHOICES, "segment_s": 4}).problem == "idempotency-key-reused"


def test_a_token_waits_for_the_next_minute_when_it_began_too_many_uploads(
    api: Api, uploader: str, other_uploader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded = replace(api_module.settings(), uploads_per_minute=3)
    monkeypatch.setattr(api_module, "settings", lambda: bounded)
    now = datetime(2030, 1, 1, 12, 0, 42, tzinfo=UTC)
    with clock.source(lambda: now):
        assert [api.post("/uploads", FILM, token=uploader).status for _ in range(3)] == [201] * 3
        refused = api.post("/uploads", FILM, token=uploader)
        assert (refused.status, refused.problem) == (429, "too-many-uploads")
        assert refused.headers["retry-after"] == "18"
        assert api.post("/uploads", FILM, token=other_uploader).status == 201
    with clock.source(lambda: now.replace(minute=1)):
        assert api.post("/uploads", FILM, token=uploader).status == 201


def test_everything_is_accepted_when_many_uploads_come_at_once(api: Api, uploader: str) -> None:
    answers = [api.post("/uploads", FILM, token=uploader) for _ in range(30)]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["video_id"] for answer in answers}) == 30


def test_it_asks_for_patience_when_dynamodb_throttles(
    api: Api,
    cloud: Cloud,
    uploader: str,
    hook: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Raw:
        def stream(self) -> list[bytes]:
            return [b'{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}']

    def throttle(request: Any, **_: Any) -> AWSResponse | None:
        writes = b"TransactWriteItems" in request.headers["X-Amz-Target"]
        return AWSResponse(request.url, 400, HTTPHeaders(), Raw()) if writes else None

    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(transact, "_LONGEST_WAIT_S", 0.0)
    hook(model.Item._get_connection().connection.client, "before-send.dynamodb", throttle)
    answer = api.post("/uploads", FILM, token=uploader)
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
