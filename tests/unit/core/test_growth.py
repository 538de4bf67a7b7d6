"""A task that makes a whole track, or the chunk after the head, tells what it has made so far."""

from __future__ import annotations

from fractions import Fraction

import pytest

from millrace import attempts, keys, steering, tasks
from millrace.errors import TransitionRefused
from millrace.events import TaskMessage
from millrace.model import TaskKind, TaskStatus, VideoStatus
from millrace.outputs import Segment, Track, track_from_json
from millrace.queues import Queues
from tests.unit.core.harness import SITE, VIDEO_ID, Cloud

SOUND = TaskMessage(VIDEO_ID, TaskKind.AUDIO, 0)


def begin(cloud: Cloud) -> None:
    """A video of nine segments: one is the head, of each other chunk there are two."""
    cloud.engine.source(duration_s=36.0)
    cloud.upload()
    cloud.deliver("ingest")
    cloud.deliver("probe")


def publish(cloud: Cloud) -> None:
    while cloud.deliver("publish"):
        pass


def test_video_is_playable_when_the_head_and_the_sound_to_it_stand(cloud: Cloud) -> None:
    begin(cloud)
    cloud.engine.fails("transcode-audio-0", do="kill", moment="middle")
    for _ in range(2):  # the head, and the sound, whose engine dies after a segment
        cloud.deliver("transcode")
    assert cloud.task(TaskKind.AUDIO).status == TaskStatus.PENDING
    publish(cloud)
    assert (cloud.video().status, cloud.video().playable) == (VideoStatus.PROCESSING, True)
    for track in ("180p", "audio-0"):
        assert cloud.playlist(f"{track}/index.m3u8").count("#EXTINF") == 1
    cloud.pass_time(2)
    cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED
    assert cloud.playlist("audio-0/index.m3u8").count("#EXTINF") == 9


def test_playlist_goes_on_when_the_chunk_after_the_head_is_under_way(cloud: Cloud) -> None:
    begin(cloud)
    cloud.engine.fails("transcode-chunk-1", do="kill", moment="middle")
    for _ in range(3):  # the head, the sound, and one of the two segments after it
        cloud.deliver("transcode")
    publish(cloud)
    assert cloud.task(TaskKind.TRANSCODE, 1).status == TaskStatus.PENDING
    for track in ("180p", "audio-0"):
        assert cloud.playlist(f"{track}/index.m3u8").count("#EXTINF") == 2
    cloud.pass_time(2)
    cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED


@pytest.mark.parametrize(
    ("label", "kind", "index", "path"),
    [
        ("transcode-audio-0", TaskKind.AUDIO, 0, "audio-0/00000.m4s"),
        ("transcode-chunk-1", TaskKind.TRANSCODE, 1, "180p/00001.m4s"),
    ],
)
def test_what_was_named_stays_when_it_is_made_anew_after_a_redrive(
    cloud: Cloud, label: str, kind: TaskKind, index: int, path: str
) -> None:
    begin(cloud)
    cloud.engine.fails(label, do="kill", moment="middle")
    for _ in range(3):  # the head, the sound, the chunk after the head
        cloud.deliver("transcode")
    publish(cloud)
    folder = path.partition("/")[0]
    assert path.partition("/")[2] in cloud.playlist(f"{folder}/index.m3u8")
    queues = Queues(cloud.sqs, cloud.settings("api"))
    steering.cancel(queues, VIDEO_ID, "admin")
    cloud.drain()
    steering.retry(queues, VIDEO_ID, "admin")
    cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED
    assert int(cloud.task(kind, index).forgiven_attempts) == 1
    kept = cloud.s3.head_object(Bucket=SITE, Key=keys.media_key(VIDEO_ID, path))
    assert kept["Metadata"]["attempt"] == "1"


def test_sound_goes_on_where_it_was_told_of_when_its_worker_is_replaced(cloud: Cloud) -> None:
    begin(cloud)
    lease, task, _ = tasks.start(SOUND, "first")
    told = Track("mp4a.40.2", 0, (Segment(77, Fraction(4)),) * 5)
    tasks.grow(lease, {"tracks": {"audio-0": told.to_json()}}, int(task.growths))
    attempts.give_back(lease, attempts.LOST)
    cloud.drain()
    assert cloud.video().status == VideoStatus.COMPLETED
    arguments = cloud.engine.arguments("transcode-audio-0")
    assert arguments[arguments.index("--from-segment") + 1] == "4"
    made = track_from_json(cloud.task(TaskKind.AUDIO).output["tracks"]["audio-0"])
    assert [segment.size_bytes == 77 for segment in made.segments] == [True] * 4 + [False] * 5
    assert cloud.playlist("audio-0/index.m3u8").count("#EXTINF") == 9


@pytest.mark.parametrize("taken", [False, True])
def test_telling_is_refused_when_the_task_was_taken_away(cloud: Cloud, *, taken: bool) -> None:
    begin(cloud)
    lease, task, _ = tasks.start(SOUND, "first")
    if taken:
        cloud.pass_time(61)
        cloud.monitor()
    else:
        assert tasks.grow(lease, {"tracks": {}}, int(task.growths))
    with pytest.raises(TransitionRefused):
        tasks.grow(lease, {"tracks": {}}, int(task.growths))
