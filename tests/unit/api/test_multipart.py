from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from millrace import clients, clock, upload_rules, videos
from millrace.model import Video, VideoStatus
from tests.unit.api.conftest import BUCKET, Cloud
from tests.unit.api.support import Api

MIB = 1024 * 1024
SIZE = 17 * MIB
LENGTHS = {1: 8 * MIB, 2: 8 * MIB, 3: MIB}


@pytest.fixture
def video_id(api: Api, uploader: str) -> str:
    request = {"filename": "film.mov", "size_bytes": SIZE, "content_type": "video/quicktime"}
    answer = api.post("/uploads", request, token=uploader)
    assert answer.body["upload"] == {
        "method": "multipart",
        "part_size_bytes": 8 * MIB,
        "part_count": 3,
    }
    found: str = answer.body["video_id"]
    return found


def urls(api: Api, video_id: str, token: str, numbers: list[int]) -> dict[int, str]:
    answer = api.post(f"/uploads/{video_id}/parts", {"part_numbers": numbers}, token=token)
    assert answer.status == 200
    return {part["part_number"]: part["url"] for part in answer.body["parts"]}


def send(api: Api, video_id: str, token: str, lengths: dict[int, int]) -> list[dict[str, Any]]:
    """Send parts through their presigned URLs; moto checks neither signature nor length."""
    sent = []
    for number, url in urls(api, video_id, token, list(lengths)).items():
        response = requests.put(url, data=b"x" * lengths[number], timeout=5)
        assert response.status_code == 200
        sent.append({"part_number": number, "etag": response.headers["ETag"]})
    return sent


def stored(video_id: str) -> Video:
    video = videos.get(video_id)
    assert video is not None
    return video


def test_each_url_is_for_one_part_and_its_exact_length_when_presigned(
    api: Api, uploader: str, video_id: str
) -> None:
    for number, url in urls(api, video_id, uploader, [1, 3]).items():
        parsed, query = urlsplit(url), parse_qs(urlsplit(url).query)
        assert f"{parsed.netloc}{parsed.path}".startswith(BUCKET)
        assert parsed.path == f"/uploads/{video_id}/source.mov"
        assert query["partNumber"] == [str(number)]
        assert query["uploadId"] == [stored(video_id).upload_id]
        assert query["X-Amz-SignedHeaders"] == ["content-length;host"]
        assert query["X-Amz-Expires"] == ["900"]


def test_it_arrives_as_declared_when_all_parts_are_sent(
    api: Api, cloud: Cloud, uploader: str, video_id: str
) -> None:
    parts = send(api, video_id, uploader, LENGTHS)
    answer = api.post(f"/uploads/{video_id}/complete", {"parts": parts}, token=uploader)
    assert (answer.status, answer.body["id"]) == (202, video_id)
    arrived = cloud.s3.head_object(Bucket=BUCKET, Key=f"uploads/{video_id}/source.mov")
    assert (arrived["ContentLength"], arrived["ContentType"]) == (SIZE, "video/quicktime")


def test_completing_is_fine_when_it_was_done_before(api: Api, uploader: str, video_id: str) -> None:
    parts = {"parts": send(api, video_id, uploader, LENGTHS)}
    for _ in range(2):  # the second finds the object, but no multipart upload
        assert api.post(f"/uploads/{video_id}/complete", parts, token=uploader).status == 202
    video = stored(video_id)
    video.status, video.uploaded_at = VideoStatus.PROCESSING.value, clock.stamp()
    video.save()
    answer = api.post(f"/uploads/{video_id}/complete", parts, token=uploader)
    assert (answer.status, answer.body["status"]) == (202, "processing")


def test_only_missing_parts_are_named_when_an_upload_is_resumed(
    api: Api, uploader: str, video_id: str
) -> None:
    assert api.get(f"/uploads/{video_id}/parts", token=uploader).body["parts"] == []
    first = send(api, video_id, uploader, {2: 8 * MIB})
    listed = api.get(f"/uploads/{video_id}/parts", token=uploader).body
    assert (listed["part_size_bytes"], listed["part_count"]) == (8 * MIB, 3)
    etag = first[0]["etag"].strip('"')
    assert listed["parts"] == [{"part_number": 2, "etag": etag, "size_bytes": 8 * MIB}]
    answer = api.post(f"/uploads/{video_id}/complete", {"parts": first}, token=uploader)
    assert (answer.status, answer.problem) == (422, "parts-missing")
    assert answer.body["part_numbers"] == [1, 3]
    rest = send(api, video_id, uploader, {1: 8 * MIB, 3: MIB})
    body = {"parts": rest + first}  # the order does not matter
    assert api.post(f"/uploads/{video_id}/complete", body, token=uploader).status == 202


def test_it_is_refused_and_aborted_when_the_parts_hold_more_than_declared(
    api: Api, cloud: Cloud, uploader: str, video_id: str
) -> None:
    parts = send(api, video_id, uploader, {**LENGTHS, 3: MIB + 1})
    answer = api.post(f"/uploads/{video_id}/complete", {"parts": parts}, token=uploader)
    assert (answer.status, answer.problem) == (422, "size-mismatch")
    assert (answer.body["declared_bytes"], answer.body["stored_bytes"]) == (SIZE, SIZE + 1)
    assert cloud.open_multiparts() == []
    assert "Contents" not in cloud.s3.list_objects_v2(Bucket=BUCKET)
    assert stored(video_id).status == VideoStatus.DELETING
    assert [message["action"] for message in cloud.messages()] == ["purge"]


def test_a_part_can_be_sent_again_when_it_was_too_short(
    api: Api, uploader: str, video_id: str
) -> None:
    parts = send(api, video_id, uploader, {**LENGTHS, 2: 6 * MIB})
    answer = api.post(f"/uploads/{video_id}/complete", {"parts": parts}, token=uploader)
    assert (answer.problem, answer.body["part_numbers"]) == ("parts-mismatch", [2])
    parts[1] = send(api, video_id, uploader, {2: 8 * MIB})[0]
    answer = api.post(f"/uploads/{video_id}/complete", {"parts": parts}, token=uploader)
    assert answer.status == 202


def test_it_is_refused_when_the_list_is_not_what_is_stored(
    api: Api, cloud: Cloud, uploader: str, video_id: str
) -> None:
    parts = send(api, video_id, uploader, LENGTHS)
    wrong = [parts[0], {**parts[1], "etag": "0" * 32}]
    answer = api.post(f"/uploads/{video_id}/complete", {"parts": wrong}, token=uploader)
    assert (answer.problem, answer.body["part_numbers"]) == ("parts-mismatch", [2, 3])
    assert cloud.open_multiparts() == [f"uploads/{video_id}/source.mov"]


@pytest.mark.parametrize(
    ("body", "bad"),
    [
        ({}, {"parts": "not_a_list"}),
        ({"parts": []}, {"parts": "not_a_list"}),
        ({"parts": {"1": "x"}}, {"parts": "not_a_list"}),
        ({"parts": ["x"]}, {"parts[0]": "not_an_object"}),
        ({"parts": [{"etag": "0" * 32}]}, {"parts[0].part_number": "out_of_range"}),
        (
            {"parts": [{"part_number": 4, "etag": "0" * 32}]},
            {"parts[0].part_number": "out_of_range"},
        ),
        (
            {"parts": [{"part_number": True, "etag": "0" * 32}]},
            {"parts[0].part_number": "out_of_range"},
        ),
        ({"parts": [{"part_number": 1, "etag": "nope"}]}, {"parts[0].etag": "not_an_etag"}),
        ({"parts": [{"part_number": 1}]}, {"parts[0].etag": "not_an_etag"}),
        ({"parts": [{"part_number": 1, "etag": "0" * 32}] * 2}, {"parts": "repeated"}),
    ],
)
def test_it_names_the_field_when_the_part_list_is_malformed(
    api: Api, uploader: str, video_id: str, body: Any, bad: dict[str, str]
) -> None:
    answer = api.post(f"/uploads/{video_id}/complete", body, token=uploader)
    assert (answer.status, answer.problem, answer.bad_fields) == (422, "validation-failed", bad)


@pytest.mark.parametrize(
    ("numbers", "field"),
    [
        (None, "part_numbers"),
        ([], "part_numbers"),
        (list(range(1, 102)), "part_numbers"),
        ([1, 1], "part_numbers"),
        ([0], "part_numbers[0]"),
        ([1, 4], "part_numbers[1]"),
        (["1"], "part_numbers[0]"),
        ([1.0], "part_numbers[0]"),
        ([[1]], "part_numbers[0]"),
    ],
)
def test_it_names_the_field_when_part_numbers_are_bad(
    api: Api, uploader: str, video_id: str, numbers: Any, field: str
) -> None:
    answer = api.post(f"/uploads/{video_id}/parts", {"part_numbers": numbers}, token=uploader)
    assert (answer.status, list(answer.bad_fields)) == (422, [field])


def test_another_uploader_finds_nothing_when_trying_the_id(
    api: Api, other_uploader: str, video_id: str
) -> None:
    calls = [
        api.get(f"/uploads/{video_id}/parts", token=other_uploader),
        api.post(f"/uploads/{video_id}/parts", {"part_numbers": [1]}, token=other_uploader),
        api.post(f"/uploads/{video_id}/complete", {"parts": []}, token=other_uploader),
        api.delete(f"/uploads/{video_id}", token=other_uploader),
    ]
    assert [answer.problem for answer in calls] == ["video-not-found"] * 4
    assert stored(video_id).status == VideoStatus.AWAITING_UPLOAD


def test_another_uploader_is_refused_when_the_video_is_public(
    api: Api, other_uploader: str, video_id: str
) -> None:
    video = stored(video_id)
    video.status, video.uploaded_at = VideoStatus.COMPLETED.value, clock.stamp()
    video.save()
    answer = api.delete(f"/uploads/{video_id}", token=other_uploader)
    assert (answer.status, answer.problem) == (403, "not-owner")


def test_an_admin_may_abort_when_the_upload_is_anothers(
    api: Api, cloud: Cloud, admin: str, video_id: str
) -> None:
    assert api.delete(f"/uploads/{video_id}", token=admin).status == 204
    assert cloud.open_multiparts() == []


def test_nothing_can_be_sent_when_the_upload_was_aborted(
    api: Api, cloud: Cloud, uploader: str, video_id: str
) -> None:
    parts = {"parts": send(api, video_id, uploader, LENGTHS)}
    assert api.delete(f"/uploads/{video_id}", token=uploader).status == 204
    assert cloud.open_multiparts() == []
    for answer in (
        api.post(f"/uploads/{video_id}/complete", parts, token=uploader),
        api.post(f"/uploads/{video_id}/parts", {"part_numbers": [1]}, token=uploader),
        api.get(f"/uploads/{video_id}/parts", token=uploader),
    ):
        assert (answer.status, answer.problem) == (409, "upload-not-open")


def test_it_says_so_when_s3_has_thrown_the_parts_away(
    api: Api, cloud: Cloud, uploader: str, video_id: str
) -> None:
    parts = {"parts": send(api, video_id, uploader, LENGTHS)}
    cloud.s3.abort_multipart_upload(
        Bucket=BUCKET, Key=f"uploads/{video_id}/source.mov", UploadId=stored(video_id).upload_id
    )
    assert api.get(f"/uploads/{video_id}/parts", token=uploader).problem == "upload-not-open"
    answer = api.post(f"/uploads/{video_id}/complete", parts, token=uploader)
    assert (answer.status, answer.problem) == (409, "upload-not-open")


def test_it_goes_on_when_the_api_died_before_the_multipart_began(
    api: Api, cloud: Cloud, uploader: str, video_id: str
) -> None:
    video = stored(video_id)
    cloud.s3.abort_multipart_upload(Bucket=BUCKET, Key=video.upload_key, UploadId=video.upload_id)
    video.update(actions=[Video.upload_id.remove()])
    assert api.get(f"/uploads/{video_id}/parts", token=uploader).body["parts"] == []
    parts = {"parts": send(api, video_id, uploader, LENGTHS)}
    assert api.post(f"/uploads/{video_id}/complete", parts, token=uploader).status == 202


def test_parts_are_refused_when_the_upload_is_one_form_post(api: Api, uploader: str) -> None:
    small = api.post("/uploads", {"filename": "a.mp4", "size_bytes": 5}, token=uploader)
    path = f"/uploads/{small.body['video_id']}"
    for answer in (
        api.post(f"{path}/parts", {"part_numbers": [1]}, token=uploader),
        api.get(f"{path}/parts", token=uploader),
        api.post(f"{path}/complete", {"parts": []}, token=uploader),
    ):
        assert (answer.status, answer.problem) == (409, "not-multipart")


def test_ten_thousand_parts_are_listed_when_they_take_many_pages(
    api: Api, uploader: str, video_id: str, hook: Callable[..., None]
) -> None:
    """S3 gives 1,000 parts a page; here one, which needs as many pages for three parts."""
    send(api, video_id, uploader, LENGTHS)

    def one_each(params: dict[str, Any], **_: Any) -> None:
        params["MaxParts"] = 1

    hook(clients.s3(), "provide-client-params.s3.ListParts", one_each)
    listed = api.get(f"/uploads/{video_id}/parts", token=uploader).body["parts"]
    assert [part["part_number"] for part in listed] == [1, 2, 3]


@pytest.mark.parametrize(
    ("size", "part_bytes", "count"),
    [
        (16 * MIB + 1, 8 * MIB, 3),
        (50 * 1024 * MIB, 8 * MIB, 6400),
        (80_000 * MIB, 8 * MIB, 10_000),
        (80_000 * MIB + 1, 9 * MIB, 8889),
        (5 * 1024 * 1024 * MIB, 525 * MIB, 9987),
    ],
)
def test_parts_stay_within_s3s_limits_when_files_grow(
    size: int, part_bytes: int, count: int
) -> None:
    assert (upload_rules.part_size(size), upload_rules.part_count(size)) == (part_bytes, count)
    last = upload_rules.bytes_of_part(size, count)
    assert (count - 1) * part_bytes + last == size
    assert 0 < last <= part_bytes
