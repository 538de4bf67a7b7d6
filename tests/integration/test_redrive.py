"""Dead letters, redrive and cancel on the whole cloud, as an operator uses them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.harness import media
from tests.harness.pipeline import Pipeline, eventually

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

SITE = "millrace-site-local"
STOPS_WITHIN_S = 10
"""5 s for the look at the video, the rest for a busy machine."""


def letter_of(pipeline: Pipeline, video_id: str, attempts: int) -> dict[str, Any]:
    """The video's dead letter, once so many attempts are in it."""

    def found() -> dict[str, Any] | None:
        listed = pipeline.api("GET", "/dead-letters?limit=100").json()["dead_letters"]
        mine = [letter for letter in listed if letter["video_id"] == video_id]
        return next((letter for letter in mine if len(letter["attempts"]) == attempts), None)

    return eventually(f"a dead letter of {video_id} with {attempts} attempts", found, 180)


def events(pipeline: Pipeline, video_id: str) -> list[str]:
    answer = pipeline.api("GET", f"/videos/{video_id}/events?limit=100").json()
    return [line["event"] for line in answer["events"]]


def test_a_video_fails_again_with_both_attempts_when_its_dead_letter_is_redriven(
    pipeline: Pipeline,
) -> None:
    path = media.written("redriven.mp4", b"This is not a video, whatever its name says.\n" * 200)
    video_id = pipeline.upload(path)
    pipeline.wait(video_id, "failed")
    letter = letter_of(pipeline, video_id, attempts=1)
    assert (letter["task_id"], letter["queue"]) == ("probe-00000", "probe")
    assert (letter["status"], letter["reason"]["code"]) == ("failed", "NOT_A_VIDEO")

    one = {"video_id": video_id, "task_id": "probe-00000"}
    answer = pipeline.api("POST", "/dead-letters/redrive", one)
    assert (answer.status_code, answer.json()["redriven"]) == (202, [video_id])
    letter = letter_of(pipeline, video_id, attempts=2)
    assert [past["attempt"] for past in letter["attempts"]] == [1, 2]
    assert pipeline.wait(video_id, "failed")["reason"]["code"] == "NOT_A_VIDEO"
    told = events(pipeline, video_id)
    assert [told.count(move) for move in ("video.retried", "task.redriven", "video.failed")] == [
        *(1, 1, 2)
    ]


def test_a_running_video_stops_within_seconds_and_completes_later_when_cancelled_and_retried(
    pipeline: Pipeline,
) -> None:
    video_id = pipeline.upload(media.short_film())
    pipeline.wait(video_id, "processing")
    eventually("an engine at work", lambda: pipeline.processes("transcode", video_id), 180)

    answer = pipeline.api("POST", f"/videos/{video_id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    asked = time.monotonic()
    eventually("no engine", lambda: not pipeline.processes(video_id), STOPS_WITHIN_S)
    assert time.monotonic() - asked < STOPS_WITHIN_S

    def withdrawn() -> bool:
        keys = [
            entry["Key"]
            for entry in pipeline.client("s3")
            .list_objects_v2(Bucket=SITE, Prefix=f"videos/{video_id}/")
            .get("Contents", [])
        ]
        return not [key for key in keys if key.endswith((".m3u8", ".mpd"))]

    eventually("its playlists withdrawn", withdrawn, 120)
    assert pipeline.api("GET", f"/videos/{video_id}", token=None).status_code == 404
    assert "video.cancelled" in events(pipeline, video_id)

    answer = pipeline.api("POST", f"/videos/{video_id}/retry")
    assert (answer.status_code, answer.json()["status"]) == (202, "processing")
    video = pipeline.wait(video_id, "completed")
    assert media.decode_errors(video["hls_url"]) == ""
