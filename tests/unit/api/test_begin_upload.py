from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest

from millrace import clock, videos
from millrace.model import VideoStatus
from tests.unit.api.conftest import BUCKET, MAX_UPLOAD_BYTES, Cloud, MakeVideo
from tests.unit.api.support import Api

SMALL = {"filename": "holiday.mp4", "size_bytes": 12345, "content_type": "video/mp4"}
MIB = 1024 * 1024


def policy_of(answer: Any) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(base64.b64decode(answer["upload"]["fields"]["policy"]))
    return policy


def test_it_presigns_one_key_type_and_size_when_the_file_is_small(api: Api, uploader: str) -> None:
    answer = api.post("/uploads", SMALL, token=uploader)
    assert answer.status == 201
    video_id = answer.body["video_id"]
    assert answer.headers["location"] == f"videos/{video_id}"
    assert answer.headers["cache-control"] == "no-store"
    fields = answer.body["upload"]["fields"]
    assert fields["key"] == f"uploads/{video_id}/source.mp4"
    assert fields["Content-Type"] == "video/mp4"
    assert fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    conditions = policy_of(answer.body)["conditions"]
    assert {"bucket": BUCKET} in conditions
    assert {"key": f"uploads/{video_id}/source.mp4"} in conditions
    assert {"Content-Type": "video/mp4"} in conditions
    assert ["content-length-range", 12345, 12345] in conditions
    assert not [c for c in conditions if isinstance(c, list) and c[0] == "starts-with"]


def test_the_form_expires_within_minutes_when_it_is_given_out(api: Api, uploader: str) -> None:
    body = api.post("/uploads", SMALL, token=uploader).body
    for expiry in (policy_of(body)["expiration"], body["expires_at"]):
        left_s = (datetime.fromisoformat(expiry) - clock.now()).total_seconds()
        assert 800 < left_s <= 901


def test_the_video_waits_for_its_bytes_when_the_upload_has_begun(
    api: Api, uploader: str, other_uploader: str
) -> None:
    video_id = api.post("/uploads", SMALL, token=uploader).body["video_id"]
    assert api.get(f"/videos/{video_id}").problem == "video-not-found"
    assert api.get(f"/videos/{video_id}", token=other_uploader).problem == "video-not-found"
    mine = api.get(f"/videos/{video_id}", token=uploader)
    assert mine.body["status"] == "awaiting_upload"
    assert mine.body["title"] == "holiday"
    assert api.get("/videos").body["videos"] == []


@pytest.mark.parametrize(
    ("size", "method"), [(16 * MIB, "post"), (16 * MIB + 1, "multipart"), (1, "post")]
)
def test_large_files_go_in_parts_when_above_16_mib(
    api: Api, uploader: str, size: int, method: str
) -> None:
    answer = api.post("/uploads", {**SMALL, "size_bytes": size}, token=uploader)
    assert answer.body["upload"]["method"] == method


def test_it_takes_the_usual_type_when_none_is_given(api: Api, uploader: str) -> None:
    answer = api.post("/uploads", {"filename": "A.MKV", "size_bytes": 9}, token=uploader)
    assert answer.body["upload"]["fields"]["Content-Type"] == "video/x-matroska"
    assert answer.body["upload"]["fields"]["key"].endswith("/source.mkv")


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ({"filename": None}, {"filename": "not_a_string"}),
        ({"filename": "  "}, {"filename": "empty"}),
        ({"filename": "../../etc/passwd.mp4"}, {"filename": "path"}),
        ({"filename": "..\\secret.mp4"}, {"filename": "path"}),
        ({"filename": "/etc/a.mp4"}, {"filename": "path"}),
        ({"filename": "a\x00b.mp4"}, {"filename": "control_character"}),
        ({"filename": "a\r\nb.mp4"}, {"filename": "control_character"}),
        ({"filename": "a\u202egpj.mp4"}, {"filename": "control_character"}),
        ({"filename": "a\ud800.mp4"}, {"filename": "control_character"}),
        ({"filename": "a" * 252 + ".mp4"}, {"filename": "too_long"}),
        ({"filename": "a.exe"}, {"filename": "unsupported_type"}),
        ({"filename": "mp4"}, {"filename": "unsupported_type"}),
        ({"filename": ".mp4"}, {"filename": "unsupported_type"}),
        ({"filename": "list.m3u8"}, {"filename": "unsupported_type"}),
        ({"size_bytes": 0}, {"size_bytes": "empty"}),
        ({"size_bytes": -1}, {"size_bytes": "empty"}),
        ({"size_bytes": MAX_UPLOAD_BYTES + 1}, {"size_bytes": "too_large"}),
        ({"size_bytes": "12"}, {"size_bytes": "not_an_integer"}),
        ({"size_bytes": 1.0}, {"size_bytes": "not_an_integer"}),
        ({"size_bytes": True}, {"size_bytes": "not_an_integer"}),
        ({"content_type": "text/html"}, {"content_type": "type_mismatch"}),
        ({"content_type": "video/webm"}, {"content_type": "type_mismatch"}),
        ({"content_type": 5}, {"content_type": "not_a_string"}),
        ({"title": "x" * 201}, {"title": "too_long"}),
        ({"title": ["x"]}, {"title": "not_a_string"}),
        (
            {"filename": "a.exe", "size_bytes": 0, "title": 1},
            {"filename": "unsupported_type", "size_bytes": "empty", "title": "not_a_string"},
        ),
    ],
)
def test_it_names_each_bad_field_when_the_request_is_invalid(
    api: Api, cloud: Cloud, uploader: str, change: dict[str, Any], bad: dict[str, str]
) -> None:
    answer = api.post("/uploads", {**SMALL, **change}, token=uploader)
    assert (answer.status, answer.problem) == (422, "validation-failed")
    assert answer.bad_fields == bad
    assert cloud.open_multiparts() == []


def test_it_names_the_missing_fields_when_the_body_is_empty(api: Api, uploader: str) -> None:
    answer = api.post("/uploads", {}, token=uploader)
    assert answer.bad_fields == {"filename": "missing", "size_bytes": "missing"}


def test_the_title_is_cleaned_when_it_holds_odd_characters(api: Api, uploader: str) -> None:
    title = "  My\u202e\x07 \n film \t<b> "
    answer = api.post("/uploads", {**SMALL, "title": title}, token=uploader)
    seen = api.get(f"/videos/{answer.body['video_id']}", token=uploader).body
    assert seen["title"] == "My film <b>"


def test_the_same_video_is_returned_when_the_idempotency_key_is_repeated(
    api: Api, cloud: Cloud, uploader: str
) -> None:
    large = {**SMALL, "size_bytes": 20 * MIB}
    for body in (SMALL, large):
        key = {"Idempotency-Key": f"try-{body['size_bytes']}"}
        first = api.post("/uploads", body, token=uploader, headers=key)
        again = api.post("/uploads", body, token=uploader, headers=key)
        assert (first.status, again.status) == (201, 201)
        assert first.body["video_id"] == again.body["video_id"]
    assert len(cloud.open_multiparts()) == 1


def test_other_videos_are_made_when_token_or_key_differ(
    api: Api, uploader: str, other_uploader: str
) -> None:
    made = {
        api.post("/uploads", SMALL, token=token, headers=headers).body["video_id"]
        for token in (uploader, other_uploader)
        for headers in ({"Idempotency-Key": "one"}, {"Idempotency-Key": "two"}, {})
    }
    assert len(made) == 6


def test_it_is_refused_when_the_idempotency_key_comes_with_another_file(
    api: Api, uploader: str
) -> None:
    key = {"Idempotency-Key": "one"}
    api.post("/uploads", SMALL, token=uploader, headers=key)
    answer = api.post("/uploads", {**SMALL, "size_bytes": 6}, token=uploader, headers=key)
    assert (answer.status, answer.problem) == (422, "idempotency-key-reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "tür"])
def test_it_is_refused_when_the_idempotency_key_is_malformed(
    api: Api, uploader: str, key: str
) -> None:
    answer = api.post("/uploads", SMALL, token=uploader, headers={"Idempotency-Key": key})
    assert (answer.status, answer.problem) == (400, "invalid-parameters")
    assert answer.bad_fields == {"Idempotency-Key": "malformed"}


def test_nothing_more_is_presigned_when_the_keys_upload_has_arrived(
    api: Api, uploader: str
) -> None:
    key = {"Idempotency-Key": "one"}
    video_id = api.post("/uploads", SMALL, token=uploader, headers=key).body["video_id"]
    video = videos.get(video_id)
    assert video is not None
    video.status, video.uploaded_at = VideoStatus.QUEUED.value, clock.stamp()
    video.save()
    answer = api.post("/uploads", SMALL, token=uploader, headers=key)
    assert (answer.status, answer.problem) == (409, "upload-not-open")
    assert (answer.body["video_id"], answer.body["video_status"]) == (video_id, "queued")


def test_the_rules_can_be_asked_for_when_a_page_wants_to_check_first(api: Api) -> None:
    rules = api.get("/uploads").body
    assert rules["max_bytes"] == MAX_UPLOAD_BYTES
    assert rules["multipart_above_bytes"] == 16 * MIB
    extensions = {entry["extension"] for entry in rules["types"]}
    wanted = ".mp4 .mov .mkv .avi .webm .m4v .mpg .mpeg .ts .flv .3gp .ogv .wmv"
    assert extensions == set(wanted.split())


def test_every_offered_choice_is_taken_when_it_is_sent_back(api: Api, uploader: str) -> None:
    offered = api.get("/uploads").body["settings"]
    bounds = offered["segment_s"]
    tried = [
        *({"ladder": ladder["name"]} for ladder in offered["ladders"]),
        *({"ladder": {"rungs": ladder["rungs"]}} for ladder in offered["ladders"]),
        *({"rate_control": name} for name in offered["rate_controls"]),
        *({"priority": name} for name in offered["priorities"]),
        *({"preset": name} for name in offered["presets"]),
        *({"container": name} for name in offered["containers"]),
        *({"segment_s": length} for length in (bounds["least"], bounds["most"])),
    ]
    for settings in tried:
        body = {"filename": "a.mp4", "size_bytes": 5, "settings": settings}
        assert api.post("/uploads", body, token=uploader).status == 201, settings
    for length in (bounds["least"] - 1, bounds["most"] + 1):
        body = {"filename": "a.mp4", "size_bytes": 5, "settings": {"segment_s": length}}
        assert api.post("/uploads", body, token=uploader).status == 422


def test_an_upload_is_aborted_when_its_owner_says_so(api: Api, cloud: Cloud, uploader: str) -> None:
    video_id = api.post("/uploads", SMALL, token=uploader).body["video_id"]
    assert api.delete(f"/uploads/{video_id}", token=uploader).status == 204
    assert api.delete(f"/uploads/{video_id}", token=uploader).status == 204
    assert cloud.messages()[0] == {"version": 1, "action": "purge", "video_id": video_id}
    assert api.get(f"/videos/{video_id}").problem == "video-not-found"


def test_aborting_is_refused_when_the_bytes_have_arrived(
    api: Api, uploader: str, make_video: MakeVideo
) -> None:
    video = make_video(VideoStatus.PROCESSING)
    answer = api.delete(f"/uploads/{video.video_id}", token=uploader)
    assert (answer.status, answer.problem) == (409, "upload-not-open")
