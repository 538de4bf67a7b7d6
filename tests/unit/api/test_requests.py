"""Malformed requests, unknown addresses, the short forms, and faults of our own."""

from __future__ import annotations

import base64
import json
import logging
import sys
import uuid
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError
from chalice.deploy.swagger import CFNSwaggerGenerator

import app as api_module
import millrace
from millrace import auth, counters, keys, searching, trace_ids, videos, web
from millrace.errors import Reason, RetryableError, TransitionRefused
from millrace.served import Served
from tests.harness.openmetrics import families_in
from tests.unit.api.conftest import SITE_URL, Cloud, MakeVideo
from tests.unit.api.support import Api

GOOD = {"filename": "a.mp4", "size_bytes": 5}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"size_bytes": ' + b"9" * 5000 + b"}",
    ],
)
def test_it_answers_400_when_the_body_is_no_json_object(
    api: Api, uploader: str, raw: bytes
) -> None:
    answer = api.post("/uploads", raw=raw, token=uploader)
    assert (answer.status, answer.problem) == (400, "invalid-json")


def test_it_answers_413_when_the_body_is_too_large(api: Api, uploader: str) -> None:
    raw = b'{"filename": "' + b"a" * web.MAX_BODY_BYTES + b'"}'
    answer = api.post("/uploads", raw=raw, token=uploader)
    assert (answer.status, answer.problem) == (413, "body-too-large")


def test_a_list_of_all_parts_fits_when_there_are_ten_thousand() -> None:
    parts = [{"part_number": n, "etag": f'"{"a" * 32}"'} for n in range(1, 10_001)]
    assert len(json.dumps({"parts": parts}, indent=2)) < web.MAX_BODY_BYTES


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream"]
)
def test_it_answers_415_when_the_body_is_not_json(
    api: Api, uploader: str, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    answer = api.post("/uploads", raw=b"a=b", token=uploader, headers=headers)
    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


def test_a_charset_is_fine_when_it_follows_the_type(api: Api, uploader: str) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert api.post("/uploads", GOOD, token=uploader, headers=headers).status == 201


def test_reading_is_answered_when_an_odd_content_type_is_sent(api: Api) -> None:
    assert api.get("/videos", headers={"Content-Type": "text/plain"}).status == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/videos", "GET, OPTIONS"),
        ("POST", "/videos", "GET, OPTIONS"),
        ("HEAD", "/health", "GET, OPTIONS"),
        ("PATCH", f"/videos/{'a' * 26}", "DELETE, GET, OPTIONS"),
        ("GET", "/upload", "OPTIONS, POST"),
        ("DELETE", "/uploads", "GET, OPTIONS, POST"),
    ],
)
def test_it_answers_405_when_the_address_does_not_take_the_method(
    api: Api, method: str, path: str, allow: str
) -> None:
    answer = api.call(method, path)
    assert (answer.status, answer.problem) == (405, "method-not-allowed")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_it_answers_404_when_the_address_is_unknown(api: Api, method: str) -> None:
    for path in ("/nothing", "/"):
        answer = api.call(method, path)
        assert (answer.status, answer.problem) == (404, "route-not-found")


def gateway_event(resource: str, method: str, path: str, **changes: Any) -> dict[str, Any]:
    """As API Gateway sends it; Chalice's own gateway knows no greedy path."""
    return {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": resource,
            "path": f"/api{path}",
            "requestId": str(uuid.uuid4()),
        },
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.strip("/")},
        "stageVariables": None,
        "body": None,
        **changes,
    }


def test_it_answers_404_when_an_unknown_address_is_deep(cloud: Cloud) -> None:
    event = gateway_event("/{proxy+}", "PUT", "/a/b/c")
    answer = api_module.app(event, None)
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["type"].endswith("/route-not-found")
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"


def test_a_body_is_read_when_the_gateway_sends_it_as_base64(cloud: Cloud, uploader: str) -> None:
    event = gateway_event(
        "/uploads",
        "POST",
        "/uploads",
        headers={"Authorization": f"Bearer {uploader}", "Content-Type": "application/json"},
        body=base64.b64encode(json.dumps(GOOD).encode()).decode(),
        isBase64Encoded=True,
    )
    assert api_module.app(event, None)["statusCode"] == 201


def test_any_origin_may_ask_when_a_browser_preflights() -> None:
    """Preflights are answered by API Gateway itself, from the definition Chalice makes."""
    paths = CFNSwaggerGenerator().generate_swagger(api_module.app)["paths"]
    assert len(paths) == len(api_module.app.routes)
    for path, methods in paths.items():
        assert web.ANY_METHOD in methods
        if path in ("/", web.UNKNOWN_ROUTE):
            continue
        answer = methods["options"]["x-amazon-apigateway-integration"]["responses"]["default"]
        headers = {
            name.removeprefix("method.response.header.Access-Control-"): value.strip("'")
            for name, value in answer["responseParameters"].items()
        }
        assert headers["Allow-Origin"] == "*"
        assert {"Authorization", "Idempotency-Key"} <= set(headers["Allow-Headers"].split(","))
        assert "ETag" in headers["Expose-Headers"].split(",")
        taken = {method.upper() for method in methods if method != web.ANY_METHOD}
        assert set(headers["Allow-Methods"].split(",")) == taken


def test_the_short_forms_lead_to_the_site_when_opened(api: Api, make_video: MakeVideo) -> None:
    video = make_video()
    assert api.get("/gallery").headers["location"] == f"{SITE_URL}/index.html"
    watch = api.get(f"/watch/{video.video_id}")
    assert (watch.status, watch.headers["location"]) == (
        302,
        f"{SITE_URL}/watch.html?v={video.video_id}",
    )
    assert api.get("/watch/%0d%0aSet-Cookie").problem == "video-not-found"


def test_the_short_upload_does_the_same_when_called(api: Api, uploader: str) -> None:
    key = {"Idempotency-Key": "one"}
    long = api.post("/uploads", GOOD, token=uploader, headers=key)
    short = api.post("/upload", GOOD, token=uploader, headers=key)
    assert (short.status, short.body["video_id"]) == (201, long.body["video_id"])


def test_the_status_is_a_part_of_the_video_when_asked_for(api: Api, make_video: MakeVideo) -> None:
    path = make_video().video_id
    status, video = api.get(f"/status/{path}").body, api.get(f"/videos/{path}").body
    assert status == {name: video[name] for name in ("id", "status", "percent", "playable")}


def test_health_is_ok_when_the_table_is_gone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MILLRACE_TABLE")
    assert api.get("/health").body == {"status": "ok", "version": millrace.__version__}


def told_of(api: Api, name: str, **labels: str) -> float:
    """What `/metrics` says, of processes that have come and gone."""
    text = api.get("/metrics", token=auth.create_token("prometheus", ["metrics"]).secret).text
    samples = [s for family in families_in(text).values() for s in family.samples]
    return next(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


@pytest.fixture
def new_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on another process answers, which has served nothing yet."""

    def begin() -> None:
        monkeypatch.setattr(api_module.web, "_served", Served())

    begin()
    return begin


def test_answers_of_all_processes_are_told_when_prometheus_asks(
    api: Api,
    whole_cloud: Cloud,
    new_process: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api.get("/videos")
    new_process()
    api.get(f"/videos/{keys.new_video_id()}")
    new_process()
    monkeypatch.setattr(searching, "videos_of", Mock(side_effect=RuntimeError))
    assert api.get("/videos").status == 500
    new_process()
    assert told_of(api, "millrace_api_requests_total", status="2xx") == 1
    new_process()
    assert told_of(api, "millrace_api_requests_total", status="4xx") == 1
    new_process()
    assert told_of(api, "millrace_api_requests_total", status="5xx") == 1
    new_process()
    # /metrics itself, so far, among them.
    assert told_of(api, "millrace_api_latency_seconds_count") == 6
    new_process()
    assert 0 < told_of(api, "millrace_api_latency_seconds_sum") < 60


def test_liveness_leaves_the_table_alone_when_it_is_counted(
    api: Api, new_process: Callable[[], None]
) -> None:
    for _ in range(3):
        api.get("/health")
    assert not counters.present().served
    api.get("/videos")
    assert counters.present().served["api_2xx"] == 4


THROTTLED = ClientError({"Error": {"Code": "SlowDown", "Message": "x"}}, "ListParts")


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (RuntimeError("secret detail"), 500, "internal"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "x"}}, "Get"), 500, "internal"),
        (THROTTLED, 503, "unavailable"),
        (RetryableError(Reason.OUTPUT_FAILED, "busy"), 503, "unavailable"),
        (TransitionRefused("x"), 409, "conflict"),
    ],
)
def test_it_tells_no_internals_when_something_breaks(
    api: Api,
    admin: str,
    make_video: MakeVideo,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    slug: str,
) -> None:
    video = make_video()

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(videos, "request_delete", fail)
    answer = api.delete(f"/videos/{video.video_id}", token=admin)
    assert (answer.status, answer.problem) == (status, slug)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_trace_is_logged_when_a_request_makes_a_video_or_names_it(
    api: Api, uploader: str, admin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = web.logger.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(sys.stdout)  # the one that capsys has put there
    try:
        video_id = api.post("/uploads", GOOD, token=uploader).body["video_id"]
        api.delete(f"/uploads/{video_id}", token=uploader)
        api.get("/stats", token=admin)
    finally:
        handler.setStream(before or sys.stderr)
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [
        (record.get("video_id"), record.get("trace_id"))
        for record in records
        if record.get("message") == "request"
    ]
    whose = (video_id, trace_ids.trace_id(video_id))
    assert told == [whose, whose, (None, None)]
