"""A real clip goes through the real pipeline; every output is checked by independent tools."""

from __future__ import annotations

import hashlib
import io
import itertools
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from PIL import Image

from tests.harness import media
from tests.harness.conformance import Presentation, check_hls, from_url
from tests.harness.dash import check_dash
from tests.harness.growth import Watcher
from tests.harness.hls import read_master, read_media
from tests.harness.pipeline import Pipeline

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

FRAMES = 1253
FRAME_S = 1 / 24


def test_video_completes_with_its_metadata_when_a_real_clip_is_uploaded(
    sintel: dict[str, Any],
) -> None:
    assert sintel["status"] == "completed"
    assert sintel["percent"] == 100
    assert sintel["playable"] is True
    assert sintel["title"] == "sintel_trailer-720p"
    assert (sintel["width"], sintel["height"]) == (1280, 720)
    assert sintel["duration_s"] == pytest.approx(52.2, abs=0.1)
    assert sintel["created_at"] <= sintel["uploaded_at"] <= sintel["playable_at"]
    assert sintel["playable_at"] <= sintel["completed_at"]


def test_ladder_never_upscales_when_the_source_is_720p(sintel: dict[str, Any]) -> None:
    master = read_master(sintel["hls_url"])
    resolutions = [variant.attributes["RESOLUTION"] for variant in master.variants]
    assert resolutions == ["1280x720", "854x480", "640x360"]
    for variant, cap in zip(master.variants, (2_800_000, 1_400_000, 800_000), strict=True):
        assert variant.attributes["FRAME-RATE"] == "24.000"
        assert variant.attributes["CODECS"].startswith("avc1.6400")
        assert variant.attributes["CODECS"].endswith("mp4a.40.2")
        assert int(variant.attributes["AVERAGE-BANDWIDTH"]) < cap * 1.1 + 140_000
    assert [audio["GROUP-ID"] for audio in master.audio] == ["audio"]


def test_everything_conforms_when_it_is_published(sintel: dict[str, Any], tmp_path: Path) -> None:
    presentation = _conforming(sintel, tmp_path)
    assert sorted(presentation.video) == [f"{name}/index.m3u8" for name in ("360p", "480p", "720p")]
    assert list(presentation.audio) == ["audio-0/index.m3u8"]


def _conforming(video: dict[str, Any], tmp_path: Path) -> Presentation:
    read = from_url(video["hls_url"])
    presentation = check_hls(read, tmp_path)
    check_dash(read, presentation)
    return presentation


def test_manifest_is_offered_and_plays_when_the_video_is_completed(sintel: dict[str, Any]) -> None:
    assert sintel["dash_url"] == sintel["hls_url"].replace("master.m3u8", "manifest.mpd")
    response = requests.get(sintel["dash_url"], timeout=30)
    assert response.headers["Content-Type"] == "application/dash+xml"
    assert response.headers["Cache-Control"] == "public, max-age=60"
    streams = media.ffprobe(sintel["dash_url"], "-show_streams")["streams"]
    pictures = [stream for stream in streams if stream["codec_type"] == "video"]
    assert sorted(stream["height"] for stream in pictures) == [360, 480, 720]
    assert [stream["avg_frame_rate"] for stream in pictures] == ["24/1"] * 3
    assert len(streams) - len(pictures) == 1


def test_bandwidth_covers_the_peak_when_segments_are_measured(sintel: dict[str, Any]) -> None:
    master = read_master(sintel["hls_url"])
    audio_peak = _peak_bps(master.audio[0]["URI"])
    for variant in master.variants:
        declared = int(variant.attributes["BANDWIDTH"])
        assert declared >= _peak_bps(variant.url) + audio_peak, variant.url


def _peak_bps(playlist_url: str) -> float:
    return max(
        int(requests.head(segment.url, timeout=30).headers["Content-Length"])
        * 8
        / segment.duration_s
        for segment in read_media(playlist_url).segments
    )


def test_renditions_share_one_grid_when_they_are_compared(sintel: dict[str, Any]) -> None:
    playlists = [read_media(variant.url) for variant in read_master(sintel["hls_url"]).variants]
    durations = [[segment.duration_s for segment in playlist.segments] for playlist in playlists]
    assert all(playlist.kind == "VOD" and playlist.ended for playlist in playlists)
    assert durations[0] == durations[1] == durations[2]
    assert durations[0][:-1] == [pytest.approx(4.0)] * 13
    assert sum(durations[0]) == pytest.approx(FRAMES / 24, abs=FRAME_S / 2)


@pytest.mark.parametrize("rendition", ["720p", "480p", "360p"])
def test_every_frame_is_there_once_when_the_stream_is_decoded(
    sintel: dict[str, Any], rendition: str
) -> None:
    url = sintel["hls_url"].replace("master.m3u8", f"{rendition}/index.m3u8")
    assert media.decode_errors(url) == ""
    packets = media.ffprobe(url, "-show_packets", "-select_streams", "v:0")["packets"]
    times = sorted(float(packet["pts_time"]) for packet in packets)
    assert len(times) == FRAMES
    assert times[0] == pytest.approx(0, abs=FRAME_S / 2)
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(steps) == pytest.approx(FRAME_S, abs=0.001)
    assert min(steps) == pytest.approx(FRAME_S, abs=0.001)


@pytest.mark.parametrize("rendition", ["720p", "360p"])
def test_segments_start_with_a_key_frame_when_they_stand_alone(
    sintel: dict[str, Any], rendition: str
) -> None:
    playlist = read_media(sintel["hls_url"].replace("master.m3u8", f"{rendition}/index.m3u8"))
    init = requests.get(playlist.init_url, timeout=30).content
    for number, segment in enumerate(playlist.segments):
        body = requests.get(segment.url, timeout=30).content
        path = media.written(f"segment-{rendition}.mp4", init + body)
        packets = media.ffprobe(path, "-show_packets", "-select_streams", "v:0")["packets"]
        keys = ["K" in packet["flags"] for packet in packets]
        assert keys[0], segment.url
        first = min(float(packet["pts_time"]) for packet in packets)
        assert first == pytest.approx(number * 4.0, abs=0.001)


def test_sound_and_picture_start_together_when_played(sintel: dict[str, Any]) -> None:
    master = read_master(sintel["hls_url"])
    starts = []
    for url, stream in ((master.variants[0].url, "v:0"), (master.audio[0]["URI"], "a:0")):
        packets = media.ffprobe(
            url, "-show_packets", "-select_streams", stream, "-read_intervals", "%+1"
        )["packets"]
        starts.append(min(float(packet["pts_time"]) for packet in packets))
    assert abs(starts[0] - starts[1]) < FRAME_S
    audio = read_media(master.audio[0]["URI"])
    assert sum(segment.duration_s for segment in audio.segments) == pytest.approx(52, abs=0.5)


def test_thumbnails_are_spread_when_the_video_is_shorter_than_a_minute(
    sintel: dict[str, Any],
) -> None:
    duration = sintel["duration_s"]
    times = [thumbnail["time_s"] for thumbnail in sintel["thumbnails"]]
    assert times == [pytest.approx(duration * k / 6, abs=0.1) for k in (1, 3, 5)]
    digests = set()
    for thumbnail in sintel["thumbnails"]:
        response = requests.get(thumbnail["url"], timeout=30)
        picture = Image.open(io.BytesIO(response.content))
        assert (picture.format, picture.size) == ("JPEG", (320, 180))
        digests.add(hashlib.sha256(response.content).hexdigest())
    assert len(digests) == 3
    poster = Image.open(io.BytesIO(requests.get(sintel["poster_url"], timeout=30).content))
    assert poster.format == "JPEG"
    extremes = poster.convert("L").getextrema()
    assert extremes[1] > 60, "a poster that is not black"  # type: ignore[operator]


def test_storyboard_covers_the_video_when_it_is_completed(sintel: dict[str, Any]) -> None:
    response = requests.get(sintel["storyboard_url"], timeout=30)
    assert response.headers["Content-Type"] == "text/vtt"
    assert response.text.startswith("WEBVTT\n\n00:00:00.000 --> ")
    cue = re.compile(r"([\d:]+\.\d{3}) --> ([\d:]+\.\d{3})\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)\n")
    cues = cue.findall(response.text)
    assert [begin for begin, *_ in cues[1:]] == [end for _, end, *_ in cues[:-1]], "no gap"
    hours, minutes, seconds = cues[-1][1].split(":")
    assert int(hours) * 3600 + int(minutes) * 60 + float(seconds) == pytest.approx(
        sintel["duration_s"], abs=0.1
    )
    sprites = {}
    for name in {name for _, _, name, *_ in cues}:
        content = requests.get(urljoin(sintel["storyboard_url"], name), timeout=30).content
        sprites[name] = Image.open(io.BytesIO(content)).convert("L")
    spans = []
    for _, _, name, x, y, width, height in cues:
        left, top = int(x), int(y)
        tile = sprites[name].crop((left, top, left + int(width), top + int(height)))
        assert tile.size == (160, 90)
        assert sprites[name].width >= left + 160
        assert sprites[name].height >= top + 90
        spans.append(tile.getextrema())
    assert len(set(spans)) > len(spans) / 3, "other tiles for other times"


def test_media_is_cached_and_shared_when_a_player_asks(
    pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    playlist = read_media(sintel["hls_url"].replace("master.m3u8", "360p/index.m3u8"))
    headers = {"Origin": "https://player.example"}
    segment = requests.get(
        playlist.segments[0].url, headers={**headers, "Range": "bytes=0-99"}, timeout=30
    )
    assert segment.status_code == 206
    assert segment.headers["Content-Type"] == "video/iso.segment"
    assert segment.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert segment.headers["Access-Control-Allow-Origin"] in ("*", "https://player.example")
    assert requests.head(playlist.init_url, timeout=30).headers["Content-Type"] == "video/mp4"


def test_log_tells_the_whole_way_when_a_video_is_completed(
    pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    events = pipeline.events(sintel["id"])
    names = [event["event"] for event in events]
    assert names[0] == "upload.created"
    assert names[-1] == "video.completed"
    for once in ("upload.created", "video.uploaded", "video.planned", "video.playable"):
        assert names.count(once) == 1, names
    assert names.count("video.completed") == 1
    done = [event["task_id"] for event in events if event["event"] == "task.done"]
    assert len(done) == len(set(done)), "each task finishes once"
    chunks = {f"transcode-{index:05d}" for index in range(6)}  # 14 segments: 1, then 3 each
    assert set(done) == chunks | {"probe-00000", "audio-00000", "thumbnail-00000"}


def test_playlists_are_valid_at_every_instant_when_a_video_is_made(
    watched: tuple[dict[str, Any], Watcher],
) -> None:
    _, watcher = watched
    watcher.check_end()
    assert len(watcher.growth.media()) == 7, "three renditions, their I-frames, and the sound"
    assert watcher.segments_seen == sorted(watcher.segments_seen)
    assert len(watcher.segments_seen) > 1, "it grew while it was watched"


@pytest.mark.parametrize(
    ("name", "content_type", "codecs"),
    [
        ("clip.mov", "video/quicktime", ("-c:v", "mpeg4", "-c:a", "pcm_s16le")),
        (
            "clip.mkv",
            "video/x-matroska",
            ("-c:v", "libx265", "-preset", "ultrafast", "-c:a", "ac3"),
        ),
        ("clip.avi", "video/x-msvideo", ("-c:v", "mpeg4", "-c:a", "libmp3lame")),
        ("clip.webm", "video/webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")),
    ],
)
def test_video_completes_when_the_container_is(
    pipeline: Pipeline, tmp_path: Path, name: str, content_type: str, codecs: tuple[str, ...]
) -> None:
    source = media.clip(name, 3, "640x360", *codecs)
    video = pipeline.wait(pipeline.upload(source, content_type=content_type), "completed")
    _conforming(video, tmp_path)
    assert video["duration_s"] == pytest.approx(3, abs=0.15)
    assert media.decode_errors(video["hls_url"]) == ""
    master = read_master(video["hls_url"])
    assert [variant.attributes["RESOLUTION"] for variant in master.variants] == ["640x360"]
    packets = media.ffprobe(master.variants[0].url, "-show_packets", "-select_streams", "v:0")
    assert len(packets["packets"]) in (75, 76)


def test_video_completes_without_sound_when_it_has_none(pipeline: Pipeline, tmp_path: Path) -> None:
    source = media.silent_clip("silent.mp4")
    video = pipeline.wait(pipeline.upload(source), "completed")
    assert _conforming(video, tmp_path).audio == {}
    master = read_master(video["hls_url"])
    assert master.audio == ()
    assert "mp4a" not in master.variants[0].attributes["CODECS"]
    assert media.decode_errors(video["hls_url"]) == ""


def test_video_completes_when_it_has_one_frame(pipeline: Pipeline, tmp_path: Path) -> None:
    video = pipeline.wait(pipeline.upload(media.one_frame()), "completed")
    _conforming(video, tmp_path)
    packets = media.ffprobe(video["hls_url"], "-show_packets", "-select_streams", "v:0")["packets"]
    assert len(packets) == 1
    assert len(video["thumbnails"]) >= 1


@pytest.fixture(scope="module")
def large(pipeline: Pipeline) -> dict[str, Any]:
    """A file of many parts and three chunks, completed."""
    return pipeline.wait(pipeline.upload(media.long_large_clip()), "completed")


def test_video_completes_when_it_is_uploaded_in_parts(
    pipeline: Pipeline, large: dict[str, Any]
) -> None:
    created = pipeline.announce(media.long_large_clip())
    assert created["upload"]["method"] == "multipart"
    assert created["upload"]["part_count"] >= 2
    assert media.decode_errors(large["hls_url"]) == ""
    pipeline.api("DELETE", f"/uploads/{created['video_id']}")


def test_chunks_share_the_file_when_they_read_it(pipeline: Pipeline, large: dict[str, Any]) -> None:
    events = pipeline.events(large["id"])
    done = {event["task_id"]: event["detail"] for event in events if event["event"] == "task.done"}
    size = media.long_large_clip().stat().st_size
    shares = {task: detail["source_share"] for task, detail in done.items()}
    for task, detail in done.items():
        assert shares[task] == pytest.approx(detail["bytes_read"] / size, abs=0.0001)
    chunks = [share for task, share in shares.items() if task.startswith("transcode")]
    assert len(chunks) == 3
    # Each reads in blocks of 1 MiB, the first one and the index, and a few ahead of its own part.
    assert sum(chunks) < 1.5, shares
    assert max(chunks) < 0.65, shares
    assert shares["probe-00000"] < 0.25, shares


def test_video_completes_when_the_object_comes_without_the_api(pipeline: Pipeline) -> None:
    s3 = pipeline.client("s3")
    source = media.clip("dropped.mp4", 1, "320x180")
    s3.upload_file(str(source), "millrace-uploads-local", "uploads/holiday/dropped.mp4")
    listed = _listed_title(pipeline, "dropped")
    video = pipeline.wait(listed["id"], "completed")
    assert video["duration_s"] == pytest.approx(1, abs=0.1)


def _listed_title(pipeline: Pipeline, title: str) -> dict[str, Any]:
    from tests.harness.pipeline import eventually

    def found() -> dict[str, Any] | None:
        videos = pipeline.api("GET", "/videos?limit=50").json()["videos"]
        return next((video for video in videos if video["title"] == title), None)

    return eventually(f"a video called {title}", found, 120)


def test_nothing_changes_when_the_upload_event_comes_again(
    pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    s3, sqs = pipeline.client("s3"), pipeline.client("sqs")
    listing = s3.list_objects_v2(Bucket="millrace-uploads-local", Prefix=f"uploads/{sintel['id']}/")
    stored = listing["Contents"][0]
    before = pipeline.events(sintel["id"])
    _send_created_event(sqs, stored["Key"], stored["Size"], stored["ETag"].strip('"'))
    marker = pipeline.wait(pipeline.upload(media.silent_clip("silent.mp4")), "completed")
    after = pipeline.events(sintel["id"])
    assert marker["status"] == "completed"
    assert [e for e in after if e["event"].startswith(("video.", "task."))] == [
        e for e in before if e["event"].startswith(("video.", "task."))
    ]
    assert pipeline.video(sintel["id"]) == sintel


def _send_created_event(sqs: Any, key: str, size: int, etag: str) -> None:
    import json

    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "awsRegion": "us-east-1",
        "s3": {
            "bucket": {"name": "millrace-uploads-local"},
            "object": {"key": key, "size": size, "eTag": etag, "sequencer": "00"},
        },
    }
    url = sqs.get_queue_url(QueueName="millrace-ingest")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record]}))
