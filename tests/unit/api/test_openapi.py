from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import requests
from openapi_spec_validator import OpenAPIV31SpecValidator

import app as api_module
import millrace
from millrace import (
    ladder,
    news,
    paging,
    posting,
    settings_rules,
    targets,
    upload_rules,
    uploads,
    web,
    webhook_requests,
    webhooks,
)
from millrace.auth import Role
from millrace.ladder import LADDERS
from millrace.model import VideoStatus
from millrace.plan import Container
from millrace.problems import ProblemType
from millrace.renditions import RateControl
from millrace.video_settings import Priority
from tests.unit.api.conftest import Cloud, MakeVideo
from tests.unit.api.support import DOCUMENT, Api, resolve

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "API.md").read_text()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def documented_problems() -> set[str]:
    found: set[str] = set()
    for response in DOCUMENT["components"]["responses"].values():
        for content in response.get("content", {}).values():
            found |= set(content["schema"]["allOf"][1]["properties"]["type"]["enum"])
    return found


def test_the_document_is_valid_when_checked_against_openapi_3_1() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_routes_and_document_agree_when_compared_both_ways() -> None:
    routed = {
        (method, path)
        for path, methods in api_module.app.routes.items()
        for method in methods
        if method != web.ANY_METHOD
    }
    assert routed == {(method, path) for method, path, _ in OPERATIONS}


def test_every_route_turns_other_methods_away_when_they_come() -> None:
    for path, methods in api_module.app.routes.items():
        assert web.ANY_METHOD in methods, path


def test_every_problem_is_documented_when_it_is_in_the_catalogue() -> None:
    catalogue = {problem.uri for problem in ProblemType}
    assert documented_problems() == catalogue
    assert set(DOCUMENT["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]) == (
        catalogue
    )
    missing = [p.slug for p in ProblemType if f"| `{p.slug}` | {p.status} |" not in GUIDE]
    assert missing == []


def test_every_route_is_in_the_guide_when_it_is_in_the_document() -> None:
    missing = [
        f"{method} {path}" for method, path, _ in OPERATIONS if f"{method} {path}" not in GUIDE
    ]
    assert missing == []


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_the_statuses_are_those_of_the_problems_when_documented(
    method: str, path: str, operation: dict[str, object]
) -> None:
    responses = operation["responses"]
    assert isinstance(responses, dict)
    for status, response in responses.items():
        content = resolve(response).get("content", {})
        if "application/problem+json" in content:
            types = content["application/problem+json"]["schema"]["allOf"][1]["properties"]["type"]
            known = {problem.uri: problem.status for problem in ProblemType}
            assert {known[uri] for uri in types["enum"]} == {int(status)}, (method, path)
        else:
            assert int(status) < 400, (method, path)


def test_every_route_answers_as_documented_when_it_succeeds_and_when_it_refuses(
    api: Api, whole_cloud: Cloud, uploader: str, admin: str, make_video: MakeVideo
) -> None:
    """`api` checks each answer; this makes sure that no route is left out of it."""
    film = {"filename": "a.mp4", "size_bytes": 17 * upload_rules.MIB}
    api.get("/token", token=uploader)
    api.get("/token")
    upload = api.post("/uploads", film, token=uploader).body["video_id"]
    api.post("/upload", film, token=uploader)
    parts = api.post(f"/uploads/{upload}/parts", {"part_numbers": [1, 2, 3]}, token=uploader)
    sent = []
    for part in parts.body["parts"]:
        answer = requests.put(part["url"], data=bytes(part["size_bytes"]), timeout=5)
        sent.append({"part_number": part["part_number"], "etag": answer.headers["ETag"]})
    api.get(f"/uploads/{upload}/parts", token=uploader)
    api.post(f"/uploads/{upload}/complete", {"parts": sent}, token=uploader)
    api.delete(f"/uploads/{upload}", token=uploader)
    video, missing = make_video().video_id, "a" * 26
    for path in ("/stats", "/stats?range=1y", "/workers", "/metrics"):
        api.get(path, token=admin)
        api.get(path)
    for path in (f"/videos/{video}/trace", f"/videos/{missing}/trace"):
        api.get(path)
    for path in ("/uploads", "/videos", "/gallery", "/health", "/health/ready", f"/watch/{video}"):
        api.get(path)
    for path in (f"/videos/{video}", f"/videos/{video}/events", f"/status/{video}"):
        api.get(path)
        api.get(path.replace(video, missing))
    running = make_video(VideoStatus.PROCESSING).video_id
    for verb, video_id in (("cancel", running), ("retry", running), ("retry", missing)):
        api.post(f"/videos/{video_id}/{verb}", token=admin)
    api.post(f"/videos/{missing}/cancel", token=admin)
    api.post(f"/videos/{make_video(VideoStatus.PROCESSING).video_id}/retry", token=admin)
    api.get("/dead-letters", token=admin)
    api.get("/dead-letters?limit=0", token=admin)
    api.post("/dead-letters/redrive", {"all": True}, token=admin)
    api.post("/dead-letters/redrive", {}, token=admin)
    webhook = api.post("/webhooks", {"url": "https://hooks.example/"}, token=admin).body["id"]
    event = {"event_id": api.post(f"/webhooks/{webhook}/test", token=admin).body["event_id"]}
    api.get("/webhooks", token=admin)
    for wanted in (webhook, "wh_" + "a" * 26):
        api.get(f"/webhooks/{wanted}", token=admin)
        api.get(f"/webhooks/{wanted}/deliveries", token=admin)
        for verb in ("enable", "secret", "test"):
            api.post(f"/webhooks/{wanted}/{verb}", token=admin)
        api.post(f"/webhooks/{wanted}/redrive", event, token=admin)
        api.delete(f"/webhooks/{wanted}", token=admin)
    api.post("/webhooks", {}, token=admin)
    api.get("/webhooks")
    api.get("/watch/x")
    api.get("/videos?limit=0")
    api.delete(f"/videos/{video}", token=admin)
    api.delete(f"/videos/{video}")
    for path in ("", f"/{missing}/parts", f"/{missing}/complete"):
        api.post(f"/uploads{path}", {})
    api.post("/upload", {})
    api.get(f"/uploads/{missing}/parts")
    api.delete(f"/uploads/{missing}")
    for method, path, operation in OPERATIONS:
        statuses = {status for m, p, status in api.seen if (m, p) == (method, path)}
        assert min(statuses) < 400, (method, path)
        if any("400" <= status < "500" for status in operation["responses"]):
            assert max(statuses) >= 400, (method, path)


def test_limits_are_the_codes_own_when_documented() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    request = schemas["UploadRequest"]["properties"]
    assert request["filename"]["maxLength"] == upload_rules.MAX_FILENAME_CHARS
    assert request["title"]["maxLength"] == upload_rules.MAX_TITLE_CHARS
    numbers = schemas["PartNumbers"]["properties"]["part_numbers"]
    assert numbers["maxItems"] == uploads.PARTS_PER_REQUEST
    assert schemas["PartList"]["properties"]["parts"]["maxItems"] == upload_rules.MAX_PARTS
    hook = schemas["WebhookRequest"]["properties"]
    assert hook["url"]["maxLength"] == targets.MAX_URL_CHARS
    assert hook["description"]["maxLength"] == webhook_requests.MAX_DESCRIPTION_CHARS
    assert schemas["WebhookList"]["properties"]["webhooks"]["maxItems"] == webhooks.MAX_WEBHOOKS
    assert schemas["EventType"]["enum"] == list(news.EVENTS)
    errors = schemas["DeliveryAttempt"]["properties"]["error"]["enum"]
    assert errors == [*posting.Failure, None]
    limit = next(
        parameter["schema"]
        for parameter in DOCUMENT["paths"]["/videos"]["get"]["parameters"]
        if parameter["name"] == "limit"
    )
    assert (limit["maximum"], limit["default"]) == (paging.MAX_LIMIT, paging.DEFAULT_LIMIT)


def test_settings_are_the_codes_own_when_documented() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    chosen = schemas["VideoSettings"]["properties"]
    assert list(chosen) == list(settings_rules._READERS)
    assert chosen["ladder"]["oneOf"][0]["enum"] == list(LADDERS)
    for name, kind in (("rate_control", RateControl), ("priority", Priority)):
        assert chosen[name]["enum"] == list(kind)
    assert chosen["container"]["enum"] == [*Container, None]
    assert chosen["preset"]["enum"] == [*settings_rules.PRESETS, None]
    lengths = (chosen["segment_s"]["minimum"], chosen["segment_s"]["maximum"])
    assert lengths == (settings_rules.SEGMENTS_S[0], settings_rules.SEGMENTS_S[-1])
    stills = schemas["ThumbnailSettings"]["properties"]
    assert stills["count"]["maximum"] == stills["times_s"]["maxItems"] == settings_rules.MAX_STILLS
    assert stills["times_s"]["items"]["maximum"] == settings_rules.LATEST_STILL_S
    assert schemas["Ladder"]["properties"]["rungs"]["maxItems"] == ladder.MOST_RUNGS
    rung = schemas["Rung"]["properties"]
    assert set(rung) == ladder._FIELDS
    for name, allowed in (("short_side", ladder.SHORT_SIDES), ("maxrate_bps", ladder.RATES_BPS)):
        assert (rung[name]["minimum"], rung[name]["maximum"]) == (allowed[0], allowed[-1])
    missing = [name for name in chosen if f"| `{name}` |" not in GUIDE]
    assert missing == []


def test_the_version_is_one_when_told_in_several_places() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == millrace.__version__ == DOCUMENT["info"]["version"]


def test_roles_are_named_when_a_token_is_needed() -> None:
    description = DOCUMENT["components"]["securitySchemes"]["token"]["description"]
    assert all(f"`{role.value}`" in description for role in Role)


def test_needs_are_installed_when_the_api_is_deployed() -> None:
    """Every pin is exact, and nothing that the API does not import is shipped."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert set(pins) == {
        *("aws-lambda-powertools", "boto3", "prometheus-client", "pynamodb"),
        "standardwebhooks",
    }
