"""The publisher, the purge, and what they write."""

from __future__ import annotations

import json

import pytest

from millrace import keys, publishing, tasks, videos
from millrace.errors import TransitionRefused
from millrace.events import TaskMessage
from millrace.model import TaskKind, TaskStatus, VideoStatus
from millrace.publishing import Press
from millrace.queues import Queues
from millrace.storage import Bucket
from tests.unit.core.harness import SITE, UPLOADS, VIDEO_ID, Cloud


@pytest.fixture
def press(cloud: Cloud) -> Press:
    queues = Queues(cloud.sqs, cloud.settings("publish"))
    return Press(queues, Bucket(cloud.s3, UPLOADS), Bucket(cloud.s3, SITE))


def begin(cloud: Cloud) -> None:
    """Head and audio are done and published; chunk 1 and the thumbnails wait."""
    cloud.upload()
    for queue in ("ingest", "probe", "transcode", "transcode"):
        cloud.deliver(queue)
    while cloud.deliver("publish"):
        pass


def cache_control(cloud: Cloud, path: str) -> str:
    head = cloud.s3.head_object(Bucket=SITE, Key=keys.media_key(VIDEO_ID, path))
    manifest = path.endswith(".mpd")
    assert head["ContentType"] == (
        "application/dash+xml" if manifest else "application/vnd.apple.mpegurl"
    )
    return head["CacheControl"]


def test_video_is_playable_while_the_rest_is_made_when_head_and_audio_are_done(
    cloud: Cloud,
) -> None:
    begin(cloud)
    video = cloud.video()
    assert (video.status, video.playable) == (VideoStatus.PROCESSING, True)
    assert video.playable_at is not None
    assert cloud.playlist("180p/index.m3u8").count("#EXTINF") == 2
    assert cache_control(cloud, "master.m3u8") == "no-cache"
    cloud.drain()
    assert cache_control(cloud, "master.m3u8") == "public, max-age=60"
    assert cache_control(cloud, "180p/index.m3u8") == "public, max-age=60"
    assert cache_control(cloud, "180p/iframes.m3u8") == "public, max-age=60"
    assert cloud.video().playable_at == video.playable_at


def test_subtitles_are_published_when_they_are_done(cloud: Cloud) -> None:
    cloud.engine.source(subtitles=2)
    begin(cloud)
    assert cloud.video().playable is True
    assert "SUBTITLES" not in cloud.playlist("master.m3u8")
    cloud.drain()
    assert cloud.playlist("master.m3u8").count("TYPE=SUBTITLES") == 2
    assert cloud.video().status == VideoStatus.COMPLETED
    for track in ("subtitles-0", "subtitles-1"):
        assert cloud.playlist(f"{track}/index.m3u8").count("#EXTINF") == 4
        key = keys.media_key(VIDEO_ID, f"{track}/subtitles.vtt")
        assert cloud.s3.head_object(Bucket=SITE, Key=key)["ContentType"] == "text/vtt"
    assert {f"transcode-subtitles-{n}" for n in range(2)} <= set(cloud.engine.calls())


def test_manifest_is_published_when_the_video_is_completed_and_not_before(cloud: Cloud) -> None:
    begin(cloud)
    key = keys.media_key(VIDEO_ID, "manifest.mpd")
    assert key not in cloud.objects(SITE)
    assert cloud.video().manifest is None
    cloud.drain()
    assert cache_control(cloud, "manifest.mpd") == "public, max-age=60"
    assert cloud.playlist("manifest.mpd").count("<AdaptationSet ") == 2
    assert cloud.video().manifest == "manifest.mpd"


def test_playlists_name_only_what_is_stored_when_they_are_read_at_any_time(cloud: Cloud) -> None:
    cloud.upload()
    seen = []

    def check(operation: str) -> None:
        if operation != "PutObject":
            return
        cloud.wire.on_call = None
        stored = cloud.objects(SITE)
        for key, content in stored.items():
            if not key.endswith(".m3u8"):
                continue
            folder = key.rpartition("/")[0]
            named = [line for line in content.decode().splitlines() if line[:1] not in ("#", "")]
            assert not [name for name in named if f"{folder}/{name}" not in stored]
            seen.append(len(named))
        cloud.wire.on_call = check

    cloud.wire.on_call = check
    cloud.drain()
    assert len(set(seen)) > 1


def test_nothing_is_written_when_the_done_set_is_published_already(cloud: Cloud) -> None:
    begin(cloud)
    before = len(cloud.wire.moments)
    cloud.send("publish", json.dumps({"version": 1, "action": "publish", "video_id": VIDEO_ID}))
    cloud.deliver("publish")
    assert cloud.wire.moments[before:] == ["before the acknowledgement"]


def test_older_set_is_refused_when_a_newer_one_was_begun(cloud: Cloud) -> None:
    begin(cloud)
    seen = cloud.video()
    videos.claim_publication(seen, seen.steps + 2)
    with pytest.raises(TransitionRefused):
        videos.claim_publication(cloud.video(), seen.steps + 1)
    videos.claim_publication(cloud.video(), seen.steps + 2)
    with pytest.raises(TransitionRefused):
        videos.claim_publication(seen, seen.steps + 3)


@pytest.mark.parametrize("dies", [False, True])
def test_only_changed_playlists_are_written_when_nobody_came_between(
    cloud: Cloud, press: Press, dies: bool
) -> None:
    begin(cloud)
    video = cloud.video()
    names = set(video.published_files or {})
    assert {"master.m3u8", "180p/index.m3u8", "audio-0/index.m3u8"} <= names
    if dies:
        videos.claim_publication(video, video.steps + 1)
    cloud.deliver("thumbnail")
    written = {name: keys.media_key(VIDEO_ID, name) for name in names}
    for key in written.values():
        cloud.s3.delete_object(Bucket=SITE, Key=key)
    publishing.attend(press, VIDEO_ID)
    assert cloud.video().published_steps == video.steps + 1
    stored = cloud.objects(SITE)
    assert {name for name, key in written.items() if key in stored} == (names if dies else set())


def test_playlists_are_written_again_when_a_newer_set_came_between(
    cloud: Cloud, press: Press
) -> None:
    begin(cloud)
    cloud.deliver("transcode")
    overtaken = iter([True])

    def overtake(operation: str) -> None:
        """While the older set is being written, a newer one is published from end to end."""
        if operation == "PutObject" and next(overtaken, False):
            cloud.deliver("thumbnail")
            publishing.attend(press, VIDEO_ID)

    cloud.wire.on_call = overtake
    publishing.attend(press, VIDEO_ID)
    # The slow one wrote its older playlists last: they are wrong until it looks again.
    assert cloud.video().status == VideoStatus.COMPLETED
    cloud.heal()
    assert "#EXT-X-ENDLIST" in cloud.playlist("180p/index.m3u8")
    assert cloud.events().count("video.completed") == 1
    assert cloud.due() == []


def test_playlists_vanish_when_the_video_fails_while_they_are_written(
    cloud: Cloud, press: Press
) -> None:
    begin(cloud)
    cloud.deliver("transcode")
    cloud.engine.fails("thumbnail", code="CORRUPT")
    once = iter([True])

    def fail(operation: str) -> None:
        if operation == "PutObject" and next(once, False):
            cloud.deliver("thumbnail")

    cloud.wire.on_call = fail
    publishing.attend(press, VIDEO_ID)
    cloud.heal()
    video = cloud.video()
    assert (video.status, video.playable) == (VideoStatus.FAILED, False)
    assert not [key for key in cloud.objects(SITE) if key.endswith((".m3u8", ".mpd"))]


@pytest.mark.parametrize("times", [1, 2, 5])
def test_video_completes_once_when_messages_are_repeated(cloud: Cloud, times: int) -> None:
    begin(cloud)
    for _ in range(times):
        for kind, index in ((TaskKind.TRANSCODE, 0), (TaskKind.TRANSCODE, 1), (TaskKind.AUDIO, 0)):
            cloud.send("transcode", TaskMessage(VIDEO_ID, kind, index).body())
        body = json.dumps({"version": 1, "action": "publish", "video_id": VIDEO_ID})
        cloud.send("publish", body)
        cloud.drain()
    assert cloud.events().count("video.completed") == 1
    assert cloud.events().count("video.playable") == 1
    assert cloud.engine.calls().count("transcode-chunk-0") == 1


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_video_completes_when_tasks_finish_in_any_order(
    cloud: Cloud, order: tuple[int, ...]
) -> None:
    cloud.upload()
    cloud.deliver("ingest")
    cloud.deliver("probe")
    cloud.lose_messages()
    messages = [
        TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 0),
        TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 1),
        TaskMessage(VIDEO_ID, TaskKind.AUDIO, 0),
        TaskMessage(VIDEO_ID, TaskKind.THUMBNAIL, 0),
    ]
    for number in order:
        queue = "thumbnail" if number == 3 else "transcode"
        cloud.send(queue, messages[number].body())
        cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED


def test_items_stay_until_the_worker_is_out_when_a_busy_video_is_purged(
    cloud: Cloud, press: Press
) -> None:
    begin(cloud)
    lease, _, _ = tasks.start(TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 1), "busy")
    videos.request_delete(press.queues, VIDEO_ID, "admin")
    cloud.drain()
    assert not cloud.objects(SITE)
    assert cloud.task(TaskKind.THUMBNAIL).status == TaskStatus.CANCELLED
    assert cloud.task(TaskKind.TRANSCODE, 1).status == TaskStatus.RUNNING
    late = keys.media_key(VIDEO_ID, "180p/00002.m4s")
    cloud.s3.put_object(Bucket=SITE, Key=late, Body=b"the worker's last segment")
    cloud.pass_time(61)
    cloud.monitor()
    cloud.drain()
    assert cloud.items() == []
    assert not cloud.objects(SITE)
    with pytest.raises(TransitionRefused):
        tasks.finish(lease, {})


def test_neighbours_are_not_touched_when_a_video_is_purged(cloud: Cloud, press: Press) -> None:
    cloud.upload("b" * 26)
    cloud.upload()
    cloud.drain()
    neighbour = [key for key in cloud.objects(SITE) if "b" * 26 in key]
    videos.request_delete(press.queues, VIDEO_ID, "admin")
    cloud.drain()
    assert sorted(cloud.objects(SITE)) == sorted(neighbour)
    assert list(cloud.objects(UPLOADS)) == [keys.upload_key("b" * 26, ".mp4")]
    assert cloud.video("b" * 26).status == VideoStatus.COMPLETED


def test_upload_leaves_nothing_when_it_is_aborted(cloud: Cloud, press: Press) -> None:
    key = keys.upload_key(VIDEO_ID, ".mp4")
    videos.create(video_id=VIDEO_ID, title="t", filename="f", upload_key=key)
    upload = cloud.s3.create_multipart_upload(Bucket=UPLOADS, Key=key)["UploadId"]
    videos.set_upload_id(VIDEO_ID, upload)
    assert videos.set_upload_id(VIDEO_ID, "another").upload_id == upload
    videos.abort_upload(press.queues, VIDEO_ID, "owner")
    cloud.drain()
    assert cloud.items() == []
    assert "Uploads" not in cloud.s3.list_multipart_uploads(Bucket=UPLOADS)


def test_abort_is_refused_when_the_upload_has_arrived(cloud: Cloud, press: Press) -> None:
    cloud.upload()
    cloud.deliver("ingest")
    with pytest.raises(TransitionRefused):
        videos.abort_upload(press.queues, VIDEO_ID, "owner")
    assert cloud.video().status == VideoStatus.QUEUED
    assert videos.abort_upload(press.queues, "z" * 26, "owner") is None
    assert videos.request_delete(press.queues, "z" * 26, "owner") is None


def test_create_returns_the_first_video_when_it_is_repeated(cloud: Cloud) -> None:
    first = videos.create(video_id=VIDEO_ID, title="one", filename="f", upload_key="k")
    again = videos.create(video_id=VIDEO_ID, title="two", filename="f", upload_key="k")
    assert (again.title, again.created_at) == ("one", first.created_at)
    assert cloud.events() == ["upload.created"]


@pytest.mark.parametrize("body", ["no", "{}", '{"version":1,"action":"burn"}'])
def test_message_is_kept_as_dead_letter_when_it_cannot_be_read(cloud: Cloud, body: str) -> None:
    cloud.send("publish", body)
    cloud.drain()
    (letter,) = cloud.dead_letters("publish")
    assert (letter["body"], letter["reason"]) == (body, "MALFORMED_MESSAGE")


def test_message_is_acknowledged_when_its_video_never_was(cloud: Cloud) -> None:
    for action in ("publish", "purge"):
        cloud.send("publish", json.dumps({"version": 1, "action": action, "video_id": VIDEO_ID}))
    cloud.drain()
    assert cloud.waiting("publish") == 0
    assert cloud.dead_letters("publish") == []
