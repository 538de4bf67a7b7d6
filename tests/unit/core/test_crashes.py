"""kill -9 at every moment that makes a difference, in every function.

The process dies before its n-th change, for every n there is (and before its acknowledgement);
then messages are delivered again, minutes pass and the monitor looks, until nothing is due.
Whatever n was, the end must be the same as if nobody had died.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from millrace import stragglers, tasks, videos
from millrace.events import TaskMessage
from millrace.model import TaskKind, TaskStatus, VideoStatus
from millrace.queues import Queues
from millrace.replay import observed, replay
from tests.unit.core.harness import SITE, UPLOADS, VIDEO_ID, Cloud

MOST = 200
EVERY = 2
"""The moments of the longest scenario are dealt to this many tests, which can run side by side."""


def for_every_moment(
    cloud: Cloud,
    prepare: Callable[[str], None],
    scenario: Callable[[str], None],
    moments: range = range(1, MOST),
) -> None:
    """Run a scenario with a death at its first moment, its second, … until it survives.

    `prepare` is what happens before: nobody dies then.
    """
    for moment in moments:
        video_id = f"{moment:026d}"
        cloud.clear()
        cloud.crashes = 0
        prepare(video_id)
        cloud.invocations.clear()
        cloud.wire.moments, cloud.wire.kill_at = [], moment
        try:
            scenario(video_id)
        except BaseException as error:
            what = cloud.wire.moments[moment - 1 : moment]
            error.add_note(f"died at moment {moment}: {what}; then ran {cloud.invocations}")
            raise
        finally:
            cloud.wire.kill_at = None
        if cloud.crashes == 0:
            return
    raise AssertionError(f"the scenario has more than {MOST} moments")


def check_completed(cloud: Cloud, video_id: str, *, playable: int = 1, segments: int = 4) -> None:
    """It came to its end, once; it became playable so often (again after each retry)."""
    video = cloud.video(video_id)
    assert video.status == VideoStatus.COMPLETED
    assert cloud.due() == []
    assert cloud.events(video_id).count("video.completed") == 1
    assert cloud.events(video_id).count("video.playable") == playable
    assert video.units_done == video.units_total
    assert video.tasks_done == video.tasks_total
    assert replay(cloud.log(video_id)) == observed(cloud.items())
    assert "#EXT-X-ENDLIST" in cloud.playlist("180p/index.m3u8", video_id)
    for track in ("180p", *cloud.engine.audio_tracks(), *cloud.engine.subtitle_tracks()):
        assert cloud.playlist(f"{track}/index.m3u8", video_id).count("#EXTINF") == segments
    for queue in ("ingest", "probe", "transcode", "thumbnail", "publish"):
        assert cloud.dead_letters(queue) == []


@pytest.mark.parametrize("offset", range(EVERY))
def test_video_completes_once_when_a_function_dies_at_any_moment(cloud: Cloud, offset: int) -> None:
    def scenario(video_id: str) -> None:
        cloud.heal()
        check_completed(cloud, video_id)

    for_every_moment(cloud, cloud.upload, scenario, range(1 + offset, MOST, EVERY))


@pytest.mark.parametrize("seed", range(4))
def test_video_completes_once_when_functions_die_again_and_again(cloud: Cloud, seed: int) -> None:
    chance = random.Random(seed)
    cloud.upload()
    for _ in range(3):
        cloud.wire.moments, cloud.wire.kill_at = [], chance.randint(1, 12)
        cloud.heal(rounds=1)
    cloud.wire.kill_at = None
    cloud.heal()
    check_completed(cloud, VIDEO_ID)


def test_video_completes_once_when_a_function_dies_at_any_moment_beside_a_slow_worker(
    cloud: Cloud,
) -> None:
    cloud.engine.source(duration_s=32.0, audio=0)

    def prepare(video_id: str) -> None:
        cloud.upload(video_id)
        cloud.deliver("ingest")
        cloud.deliver("probe")
        tasks.start(TaskMessage(video_id, TaskKind.TRANSCODE, 2), "frozen")
        cloud.drain()
        cloud.pass_time(stragglers.LEAST_DELAY_S + 1)

    def scenario(video_id: str) -> None:
        cloud.heal()
        check_completed(cloud, video_id, segments=8)
        assert cloud.task(TaskKind.TRANSCODE, 2, video_id).attempt in (2, 3)

    for_every_moment(cloud, prepare, scenario)


def test_video_completes_when_all_messages_are_lost_and_the_monitor_dies_at_any_moment(
    cloud: Cloud,
) -> None:
    def prepare(video_id: str) -> None:
        cloud.upload(video_id)
        for queue in ("ingest", "probe", "transcode"):
            cloud.deliver(queue)  # one chunk is done; everything else is only in messages
        cloud.lose_messages()

    def scenario(video_id: str) -> None:
        cloud.monitor()
        cloud.wire.kill_at = None
        cloud.heal()
        check_completed(cloud, video_id)

    for_every_moment(cloud, prepare, scenario)


def test_video_fails_with_dead_letter_and_no_playlists_when_a_function_dies_at_any_moment(
    cloud: Cloud,
) -> None:
    cloud.engine.source(audio=0)

    def prepare(video_id: str) -> None:
        cloud.engine.fails("transcode-chunk-1", times=9, message="Frame 30 is damaged.")
        cloud.upload(video_id)
        for queue in ("ingest", "probe", "transcode", "transcode", "thumbnail"):
            cloud.deliver(queue)

    def scenario(video_id: str) -> None:
        cloud.heal()
        video = cloud.video(video_id)
        assert (video.status, video.reason) == (VideoStatus.FAILED, "CORRUPT")
        assert cloud.due() == []
        assert cloud.events(video_id).count("video.failed") == 1
        assert replay(cloud.log(video_id)) == observed(cloud.items())
        letters = cloud.dead_letters("transcode")
        assert letters  # twice, if it died between the letter and the note of it
        assert {(letter["task_id"], letter["reason"]) for letter in letters} == {
            ("transcode-00001", "CORRUPT")
        }
        assert not [key for key in cloud.objects(SITE) if video_id in key and "m3u8" in key]

    for_every_moment(cloud, prepare, scenario)


def test_nothing_of_a_deleted_video_remains_when_a_function_dies_at_any_moment(
    cloud: Cloud,
) -> None:
    def prepare(video_id: str) -> None:
        cloud.upload(video_id)
        for queue in ("ingest", "probe", "transcode"):
            cloud.deliver(queue)
        queues = Queues(cloud.sqs, cloud.settings("api"))
        assert videos.request_delete(queues, video_id, "admin") is not None

    def scenario(video_id: str) -> None:
        cloud.heal()
        assert cloud.items() == []
        for bucket in (UPLOADS, SITE):
            assert not [key for key in cloud.objects(bucket) if video_id in key]

    for_every_moment(cloud, prepare, scenario)


def test_every_retry_is_in_the_log_when_the_engine_is_killed(cloud: Cloud) -> None:
    cloud.engine.fails("transcode-chunk-0", do="kill", times=2, moment="middle")
    cloud.upload()
    for _ in range(3):
        cloud.drain()
        cloud.pass_time(2.5)
    cloud.heal()
    check_completed(cloud, VIDEO_ID)
    ends = [line.detail["reason"] for line in cloud.log() if line.event == "task.retried"]
    assert ends == ["ENGINE_CRASHED", "ENGINE_CRASHED"]
    assert {task.status for task in videos.tasks_of(VIDEO_ID)} == {TaskStatus.DONE}
