"""Hostile and broken uploads: the exact error, a dead letter, and nothing else disturbed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.harness import media
from tests.harness.pipeline import REPOSITORY, Pipeline, eventually

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

UPLOADS = "millrace-uploads-local"
SITE = "millrace-site-local"
PLAYLIST = b"""#EXTM3U
#EXT-X-TARGETDURATION:10
#EXTINF:10,
{target}
#EXT-X-ENDLIST
"""


def text_file() -> Path:
    return media.written("text.mp4", b"This is not a video, whatever its name says.\n" * 200)


def without_moov() -> Path:
    return media.truncated(media.clip("tail-moov.mp4", 3), 0.6)


def half_a_film() -> Path:
    faststart = media.ffmpeg(
        "faststart.mp4", "-i", str(media.BUNNY), "-c", "copy", "-movflags", "+faststart"
    )
    return media.truncated(faststart, 0.5)


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (text_file, "NOT_A_VIDEO", "video"),
        (without_moov, "CORRUPT", "upload"),
        (half_a_film, "CORRUPT", "upload"),
        (media.audio_only, "NO_VIDEO_STREAM", "video"),
    ],
)
def test_video_fails_with_its_reason_when_the_file_is(
    pipeline: Pipeline, source: Callable[[], Path], code: str, words: str
) -> None:
    path = source()
    video = pipeline.wait(pipeline.upload(path, "film.mp4"), "failed")
    assert video["reason"]["code"] == code
    assert words in video["reason"]["message"].lower()
    assert video["playable"] is False
    letter = dead_letter(pipeline, "millrace-probe-dlq", video["id"])
    assert letter["reason"] == code
    assert len(letter["attempts"]) == 1, "a permanent error burns no retries"
    assert video["hls_url"] is None
    assert published(pipeline, video["id"]) == []


def published(pipeline: Pipeline, video_id: str) -> list[str]:
    listing = pipeline.client("s3").list_objects_v2(Bucket=SITE, Prefix=f"videos/{video_id}/")
    return [entry["Key"] for entry in listing.get("Contents", [])]


def dead_letter(pipeline: Pipeline, queue: str, video_id: str) -> dict[str, Any]:
    """The video's message in a dead-letter queue (left there for the other tests)."""
    sqs = pipeline.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def found() -> dict[str, Any] | None:
        messages = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1, WaitTimeSeconds=0
        ).get("Messages", [])
        letters = [json.loads(message["Body"]) for message in messages]
        return next((one for one in letters if one.get("video_id") == video_id), None)

    return eventually(f"a dead letter of {video_id} in {queue}", found, 120)


@contextmanager
def listener() -> Iterator[tuple[int, list[str]]]:
    """A local server that must never be asked; its port and who asked."""
    visits: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                visits.append(str(address))
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], visits
        server.shutdown(socket.SHUT_RDWR)


def playlist_of(target: str) -> bytes:
    return PLAYLIST.replace(b"{target}", target.encode())


def concat_of(target: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{target}'\n".encode()


def avi_with_playlist(target: str) -> bytes:
    """The GAB2 subtitle trick: an AVI whose subtitle stream is a playlist."""
    avi = media.clip("plain.avi", 1, "320x180", "-c:v", "mpeg4", "-c:a", "libmp3lame").read_bytes()
    gab2 = b"GAB2\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00" + playlist_of(target)
    chunk = b"02tx" + len(gab2).to_bytes(4, "little") + gab2
    return avi.replace(b"idx1", chunk + b"idx1", 1)


@pytest.mark.parametrize("make", [playlist_of, concat_of], ids=["m3u8", "concat"])
@pytest.mark.parametrize("scheme", ["file", "http"])
def test_reference_is_refused_and_never_opened_when_a_file_points_elsewhere(
    pipeline: Pipeline, make: Callable[[str], bytes], scheme: str
) -> None:
    with listener() as (port, visits):
        target = "file:///etc/passwd" if scheme == "file" else f"http://127.0.0.1:{port}/secret.ts"
        path = media.written(f"reference-{make.__name__}-{scheme}.mp4", make(target))
        video = pipeline.wait(pipeline.upload(path, "film.mp4"), "failed")
        assert video["reason"]["code"] == "EXTERNAL_REFERENCE"
        assert "root:" not in json.dumps(video)
        assert visits == []


def test_nothing_is_opened_when_an_avi_carries_a_playlist(pipeline: Pipeline) -> None:
    with listener() as (port, visits):
        path = media.written("gab2.avi", avi_with_playlist(f"http://127.0.0.1:{port}/secret.ts"))
        video_id = pipeline.upload(path, "film.avi", "video/x-msvideo")
        video = pipeline.wait(video_id, "failed")
        assert video["reason"]["code"] == "EXTERNAL_REFERENCE"
        assert visits == []


def test_video_fails_when_an_empty_object_arrives(pipeline: Pipeline) -> None:
    pipeline.client("s3").put_object(Bucket=UPLOADS, Key="uploads/empty-take.mp4", Body=b"")

    def failed() -> dict[str, Any] | None:
        videos = pipeline.api("GET", "/videos?status=failed&limit=50").json()["videos"]
        return next((video for video in videos if video["title"] == "empty-take"), None)

    video = eventually("the empty object has failed", failed, 120)
    assert pipeline.video(video["id"])["reason"]["code"] == "EMPTY_FILE"
    assert dead_letter(pipeline, "millrace-probe-dlq", video["id"])["reason"] == "EMPTY_FILE"


def test_upload_is_refused_when_its_size_is_zero(pipeline: Pipeline) -> None:
    body = {"filename": "a.mp4", "size_bytes": 0, "content_type": "video/mp4"}
    response = pipeline.api("POST", "/uploads", body)
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in response.json()["errors"]] == ["size_bytes"]


def test_nothing_happens_when_an_object_lies_under_another_prefix(pipeline: Pipeline) -> None:
    before = pipeline.api("GET", "/videos?limit=50").json()["videos"]
    s3 = pipeline.client("s3")
    s3.upload_file(str(media.silent_clip("silent.mp4")), UPLOADS, "elsewhere/film.mp4")
    marker = pipeline.wait(pipeline.upload(media.silent_clip("silent.mp4")), "completed")
    after = pipeline.api("GET", "/videos?limit=50").json()["videos"]
    assert {video["id"] for video in after} == {video["id"] for video in before} | {marker["id"]}


@pytest.mark.parametrize(
    ("header", "status", "slug"),
    [
        (None, 401, "token-missing"),
        (f"Bearer mr_{'x' * 43}", 401, "token-unknown"),
        ("Basic dXNlcjpwYXNz", 401, "token-malformed"),
    ],
)
def test_upload_is_refused_when_the_token_is_bad(
    pipeline: Pipeline, header: str | None, status: int, slug: str
) -> None:
    body = {"filename": "a.mp4", "size_bytes": 10, "content_type": "video/mp4"}
    headers = {"Authorization": header} if header else {}
    response = pipeline.api("POST", "/uploads", body, token=None, headers=headers)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == f"https://millrace.dev/problems/{slug}"


def test_delete_is_refused_when_the_token_may_only_upload(
    pipeline: Pipeline, sintel: dict[str, Any], uploader_token: str
) -> None:
    refused = pipeline.api("DELETE", f"/videos/{sintel['id']}", token=uploader_token)
    assert refused.status_code == 403
    assert pipeline.video(sintel["id"])["status"] == "completed"


@pytest.fixture
def uploader_token(pipeline: Pipeline) -> str:
    done = subprocess.run(
        ["./millrace", "token", "--role", "uploader"],
        cwd=REPOSITORY,
        env={**os.environ, "MILLRACE_STATE_DIR": str(pipeline.state_dir)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("change", "size"),
    [
        ({"key": "uploads/somebody-else/source.mp4"}, 1000),
        ({"Content-Type": "text/html"}, 1000),
        ({}, 1001),
    ],
    ids=["another key", "another type", "a larger size"],
)
def test_presigned_post_is_refused_when_used_for(
    pipeline: Pipeline, change: dict[str, str], size: int
) -> None:
    source = media.written("thousand.mp4", b"x" * 1000)
    created = pipeline.announce(source)
    fields = {**created["upload"]["fields"], **change}
    form: dict[str, Any] = {name: (None, value) for name, value in fields.items()}
    sent = requests.post(created["upload"]["url"], files={**form, "file": b"x" * size}, timeout=30)
    assert sent.status_code in (400, 403), sent.text
    listing = pipeline.client("s3").list_objects_v2(
        Bucket=UPLOADS, Prefix=f"uploads/{created['video_id']}/"
    )
    assert listing["KeyCount"] == 0
    assert pipeline.api("GET", f"/videos/{created['video_id']}", token=None).status_code == 404


def test_part_url_is_refused_when_used_for_another_key(pipeline: Pipeline) -> None:
    created = pipeline.announce(media.large_clip())
    path = f"/uploads/{created['video_id']}/parts"
    url = pipeline.api("POST", path, {"part_numbers": [1]}).json()["parts"][0]["url"]
    stolen = url.replace(created["video_id"], "0" * 26)
    assert requests.put(stolen, data=b"x", timeout=30).status_code in (403, 404)
    moved = url.replace("partNumber=1", "partNumber=2")
    assert requests.put(moved, data=b"x", timeout=30).status_code == 403
    assert pipeline.api("GET", path).json()["parts"] == []
    assert pipeline.api("DELETE", f"/uploads/{created['video_id']}").status_code == 204
