"""Thumbnails and poster as Pillow reads them back."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from millrace import keys, stills
from millrace.model import TaskKind, TaskStatus
from tests.unit.core.harness import SITE, VIDEO_ID, Cloud


def picture(cloud: Cloud, path: str) -> Image.Image:
    return Image.open(io.BytesIO(cloud.objects(SITE)[keys.media_key(VIDEO_ID, path)]))


@pytest.mark.parametrize("size", [(320, 160), (101, 180), (320, 180), (2, 2)])
def test_thumbnail_is_padded_to_size_when_the_frame_is(cloud: Cloud, size: tuple[int, int]) -> None:
    Image.new("RGB", size, "white").save(cloud.engine.home / "still.png")
    cloud.upload()
    cloud.drain()
    for number in range(3):
        thumbnail = picture(cloud, f"thumbnails/{number:02d}.jpg")
        assert (thumbnail.size, thumbnail.format) == ((320, 180), "JPEG")
        bright = thumbnail.convert("L").point(lambda value: 255 if value > 128 else 0)
        left, top, right, bottom = bright.getbbox() or (0, 0, 0, 0)
        assert abs((right - left) - size[0]) <= 2
        assert abs((bottom - top) - size[1]) <= 2
        assert abs(left - (320 - right)) <= 2


def test_video_names_its_stills_when_they_are_stored(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    video = cloud.video()
    assert video.poster == "poster.jpg"
    assert [still["path"] for still in video.thumbnails] == [
        "thumbnails/00.jpg",
        "thumbnails/01.jpg",
        "thumbnails/02.jpg",
    ]
    assert [still["time_s"] for still in video.thumbnails] == [2.333, 7.0, 11.667]
    assert picture(cloud, "poster.jpg").size == (320, 160)
    arguments = cloud.engine.arguments("thumbnail")
    assert "--skip-black" in arguments
    assert arguments[arguments.index("--times") + 1] == "1.4"


def test_poster_is_the_picture_with_most_in_it_when_others_are_plain() -> None:
    grey = Image.new("RGB", (64, 36), "grey")
    card = Image.linear_gradient("L").resize((64, 36)).convert("RGB")
    assert stills.most_telling([5.0, 1.0, 3.0], [grey, card, grey]) == 1.0
    assert stills.most_telling([5.0, 1.0], [grey, grey]) == 5.0


def test_storyboard_is_published_when_the_stills_are_made(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    assert cloud.video().storyboard == "storyboard.vtt"
    assert (cloud.task(TaskKind.THUMBNAIL).output or {})["storyboard"] == "storyboard.vtt"
    stored = {
        "storyboard.vtt": ("text/vtt", "public, max-age=60"),
        "storyboard/00.jpg": ("image/jpeg", "public, max-age=31536000, immutable"),
        "storyboard/01.jpg": ("image/jpeg", "public, max-age=31536000, immutable"),
    }
    for path, (content_type, cache) in stored.items():
        answer = cloud.s3.get_object(Bucket=SITE, Key=keys.media_key(VIDEO_ID, path))
        assert answer["Body"].read() == f"this is {path}".encode()
        assert (answer["ContentType"], answer["CacheControl"]) == (content_type, cache)


def test_attempt_is_given_back_when_there_is_no_storyboard(cloud: Cloud) -> None:
    (cloud.engine.home / "no-storyboard").touch()
    cloud.upload()
    cloud.drain()
    task = cloud.task(TaskKind.THUMBNAIL)
    assert task.status == TaskStatus.PENDING
    assert task.attempts[0]["reason"] == "OUTPUT_FAILED"


def test_attempt_is_given_back_when_the_engines_picture_is_broken(cloud: Cloud) -> None:
    (cloud.engine.home / "still.png").write_bytes(b"no picture")
    cloud.upload()
    cloud.drain()
    task = cloud.task(TaskKind.THUMBNAIL)
    assert task.status == TaskStatus.PENDING
    assert task.attempts[0]["reason"] == "OUTPUT_FAILED"
