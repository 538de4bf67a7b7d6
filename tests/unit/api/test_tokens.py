from __future__ import annotations

import logging
import re
import sys
from datetime import timedelta

import pytest

import app as api_module
from millrace import auth, clock, keys, web
from tests.unit.api.conftest import Cloud, MakeVideo
from tests.unit.api.support import Api

UPLOAD = {"filename": "a.mp4", "size_bytes": 5}
GUARDED = [
    ("POST", "/uploads", "uploader"),
    ("POST", "/upload", "uploader"),
    ("POST", f"/uploads/{'a' * 26}/parts", "uploader"),
    ("GET", f"/uploads/{'a' * 26}/parts", "uploader"),
    ("POST", f"/uploads/{'a' * 26}/complete", "uploader"),
    ("DELETE", f"/uploads/{'a' * 26}", "uploader"),
    ("DELETE", f"/videos/{'a' * 26}", "admin"),
]
EVERYBODYS = {
    *("GET /uploads", "GET /videos", "GET /videos/{video_id}", "GET /videos/{video_id}/events"),
    *("GET /videos/{video_id}/trace", "GET /status/{job_id}", "GET /gallery"),
    *("GET /watch/{video_id}", "GET /health", "GET /health/ready"),
}
"""What is answered without a token: reading what is public, and nothing that changes anything."""
UPLOADERS = {
    *("GET /token", "POST /upload", "POST /uploads", "DELETE /uploads/{video_id}"),
    *("GET /uploads/{video_id}/parts", "POST /uploads/{video_id}/parts"),
    "POST /uploads/{video_id}/complete",
}


def routes() -> dict[str, tuple[str, str]]:
    """Every route by its name, with an address it answers."""
    return {
        f"{method} {path}": (method, re.sub(r"{\w+}", "a" * 26, path))
        for path, methods in api_module.app.routes.items()
        for method in methods
        if method != web.ANY_METHOD
    }


def test_every_route_is_closed_when_nobody_opened_it(api: Api, whole_cloud: Cloud) -> None:
    opened = {
        name
        for name, (method, path) in routes().items()
        if api.call(method, path, {} if method == "POST" else None).status != 401
    }
    assert opened == EVERYBODYS


def test_uploaders_reach_their_own_routes_alone_when_all_are_tried(
    api: Api, uploader: str, whole_cloud: Cloud
) -> None:
    refused = {
        name
        for name, (method, path) in routes().items()
        if api.call(method, path, {} if method == "POST" else None, token=uploader).status == 403
    }
    assert refused == set(routes()) - EVERYBODYS - UPLOADERS


@pytest.mark.parametrize(("method", "path", "role"), GUARDED)
def test_it_answers_401_with_a_challenge_when_the_token_is_missing(
    api: Api, method: str, path: str, role: str
) -> None:
    answer = api.call(method, path, UPLOAD if method == "POST" else None)
    assert (answer.status, answer.problem) == (401, "token-missing")
    assert answer.headers["www-authenticate"] == 'Bearer realm="millrace"'


@pytest.mark.parametrize(
    "header",
    [
        "mr_" + "a" * 43,
        "Basic YTpi",
        "Bearer",
        "Bearer mr_short",
        "Bearer xx_" + "a" * 43,
        "Bearer mr_" + "a" * 44,
        "Bearer mr_" + "ä" * 43,
        "Bearer mr_" + "a" * 43 + " more",
    ],
)
def test_it_answers_401_when_the_token_is_malformed(api: Api, header: str) -> None:
    answer = api.post("/uploads", UPLOAD, headers={"Authorization": header})
    assert (answer.status, answer.problem) == (401, "token-malformed")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_it_answers_401_when_the_token_is_unknown(api: Api) -> None:
    answer = api.post("/uploads", UPLOAD, token="mr_" + "a" * 43)
    assert (answer.status, answer.problem) == (401, "token-unknown")


def test_it_answers_401_when_the_token_was_revoked(api: Api, uploader: str) -> None:
    assert auth.revoke_token(uploader)
    assert api.post("/uploads", UPLOAD, token=uploader).problem == "token-unknown"


def test_it_answers_401_when_the_token_has_expired(api: Api) -> None:
    token = auth.create_token("ann", ["uploader"], expires_at=clock.now() + timedelta(hours=1))
    assert api.post("/uploads", UPLOAD, token=token.secret).status == 201
    later = clock.now() + timedelta(hours=1, seconds=1)
    with clock.source(lambda: later):
        answer = api.post("/uploads", UPLOAD, token=token.secret)
    assert (answer.status, answer.problem) == (401, "token-expired")


def test_deleting_is_refused_when_the_role_is_uploader(
    api: Api, uploader: str, make_video: MakeVideo
) -> None:
    video = make_video()
    answer = api.delete(f"/videos/{video.video_id}", token=uploader)
    assert (answer.status, answer.problem) == (403, "role-missing")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert api.get(f"/videos/{video.video_id}").status == 200


def test_reading_is_refused_when_a_bad_token_is_sent_along(api: Api) -> None:
    for path in ("/videos", f"/videos/{'a' * 26}", f"/videos/{'a' * 26}/events"):
        assert api.get(path, token="mr_" + "a" * 43).problem == "token-unknown"


def test_an_admin_may_upload_when_the_role_uploader_is_not_named(api: Api, admin: str) -> None:
    assert api.post("/uploads", UPLOAD, token=admin).status == 201


def test_no_token_is_logged_when_requests_succeed_or_fail(
    api: Api, uploader: str, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = web.logger.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(sys.stdout)  # the one that capsys has put there
    created = api.post("/uploads", UPLOAD, token=uploader)
    api.post("/uploads", {}, token=uploader)
    api.post("/uploads", UPLOAD, token="mr_" + "b" * 43)
    handler.setStream(before or sys.__stdout__)
    logged = capsys.readouterr().out
    assert logged.count('"message":"request"') == 3
    fields = created.body["upload"]["fields"]
    for secret in (uploader, "b" * 43, fields["policy"], fields["x-amz-signature"]):
        assert secret not in logged


def test_a_token_is_described_without_its_secret_when_it_asks(api: Api) -> None:
    until = clock.now() + timedelta(hours=1)
    token = auth.create_token("ann", ["uploader", "admin"], expires_at=until)
    answer = api.get("/token", token=token.secret)
    expected = {"name": "ann", "roles": ["admin", "uploader"], "expires_at": keys.timestamp(until)}
    assert answer.body == expected
    assert answer.headers["cache-control"] == "no-store"
    assert token.secret not in answer.text
    assert api.get("/token", token="mr_" + "a" * 43).problem == "token-unknown"
