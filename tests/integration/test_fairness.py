"""A film of many chunks and a clip behind it, in the whole cloud, with choices of its own."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.harness import media
from tests.harness.hls import read_master, read_media
from tests.harness.pipeline import Pipeline, eventually
from tests.harness.receiver import Receiver, registered

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

WORKERS = 2
"""Of the transcode function, on one machine."""
SILENT = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-an")
CHOICES = {
    "rate_control": "abr",
    "segment_s": 2,
    "preset": "ultrafast",
    "thumbnails": {"times_s": [0.5, 3], "storyboard": False},
}


def events(pipeline: Pipeline, video_id: str) -> list[dict[str, Any]]:
    answer = pipeline.api("GET", f"/videos/{video_id}/events?limit=100").json()
    found: list[dict[str, Any]] = answer["events"]
    return found


def when(lines: list[dict[str, Any]], event: str, task: str | None = None) -> str:
    """The time of the first line of a kind."""
    return next(
        str(line["at"]) for line in lines if line["event"] == event and line["task_id"] == task
    )


def test_a_clip_is_made_as_chosen_and_long_before_the_film_when_it_comes_second(
    pipeline: Pipeline,
) -> None:
    with registered(pipeline) as receiver:  # there is something to be told, hence to be removed
        check_fairness(pipeline, receiver)


def check_fairness(pipeline: Pipeline, receiver: Receiver) -> None:
    film = pipeline.upload(media.clip("film.mp4", 400, "320x180", *SILENT))
    eventually("some of the film", lambda: pipeline.video(film)["playable"], 300)
    eventually("told", lambda: receiver.ids(film, "video.playable"), 60)
    clip = pipeline.upload(media.clip("second.mp4", 4, "320x180"), settings=CHOICES)
    video = pipeline.wait(clip, "completed")
    of_film, of_clip = events(pipeline, film), events(pipeline, clip)
    assert pipeline.video(film)["status"] == "processing"
    assert pipeline.api("DELETE", f"/videos/{film}").status_code == 202
    planned = when(of_clip, "video.planned")
    begun = when(of_clip, "task.started", "transcode-00000")
    starts = [line["at"] for line in of_film if line["event"] == "task.started"]
    # At most what workers had taken up as the clip was planned.
    assert sum(1 for at in starts if planned < at < begun) <= WORKERS
    assert len(starts) < 34, "of 34 chunks of 12 s"
    check_made_as_chosen(video)
    eventually("nothing is left of the film", lambda: not remains(pipeline, film), 120)


def remains(pipeline: Pipeline, video_id: str) -> list[str]:
    """Objects and items that name a video."""
    s3, found = pipeline.client("s3"), list[str]()
    for bucket in ("millrace-uploads-local", "millrace-site-local"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            found += [each["Key"] for each in page.get("Contents", ())]
    for page in pipeline.client("dynamodb").get_paginator("scan").paginate(TableName="millrace"):
        # A worker tells what it worked on last, until it works on something else.
        items = [item for item in page["Items"] if not item["pk"]["S"].startswith("WORKERS#")]
        found += [str(item) for item in items]
    return [each for each in found if video_id in each]


def check_made_as_chosen(video: dict[str, Any]) -> None:
    assert video["settings"] == {
        **CHOICES,
        "ladder": "default",
        "priority": "normal",
        "container": "cmaf",
        "keep_surround": None,
    }
    assert [still["time_s"] for still in video["thumbnails"]] == [0.5, 3.0]
    assert all(requests.get(each["url"], timeout=30).ok for each in video["thumbnails"])
    assert video["storyboard_url"] is None
    master = read_master(video["hls_url"])
    (variant,) = master.variants
    segments = read_media(variant.url).segments
    assert [round(float(segment.duration_s), 2) for segment in segments] == [2, 2]
    assert media.decode_errors(video["hls_url"]) == ""
