"""kill -9 of every kind of process in the middle of a job: the video still completes, once."""

from __future__ import annotations

import psutil
import pytest

from tests.harness import media
from tests.harness.hls import read_master, read_media
from tests.harness.pipeline import Pipeline, eventually

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

ENGINE = ("millrace-engine", "transcode")


def _engines(pipeline: Pipeline) -> list[psutil.Process]:
    return eventually("an engine at work", lambda: pipeline.processes(*ENGINE), 180, 0.05)


def _start_job(pipeline: Pipeline) -> str:
    video_id = pipeline.upload(media.short_film())
    _engines(pipeline)
    return video_id


def _check_completed_once(pipeline: Pipeline, video_id: str) -> None:
    video = pipeline.wait(video_id, "completed", timeout_s=600)
    events = pipeline.events(video_id)
    assert [event["event"] for event in events].count("video.completed") == 1
    assert video["duration_s"] > 15
    for variant in read_master(video["hls_url"]).variants:
        length_s = sum(segment.duration_s for segment in read_media(variant.url).segments)
        assert length_s == pytest.approx(video["duration_s"], abs=0.1)
        assert media.decode_errors(variant.url) == ""


def test_video_completes_when_the_engine_is_killed(pipeline: Pipeline) -> None:
    video_id = _start_job(pipeline)
    _engines(pipeline)[0].kill()
    _check_completed_once(pipeline, video_id)
    events = pipeline.events(video_id)
    retried = [event for event in events if event["event"] == "task.retried"]
    assert retried, "the kill was seen and the task tried again"


@pytest.mark.exhaustive
def test_video_completes_when_an_engine_is_frozen_for_good(pipeline: Pipeline) -> None:
    """Its worker's heart beats on: nobody is lost, only far slower than the others."""
    video_id = pipeline.upload(media.clip("four-chunks.mp4", 48, "640x360"))
    last = (*ENGINE, "--chunk 3")
    frozen = eventually("the last chunk at work", lambda: pipeline.processes(*last), 120, 0.02)[0]
    frozen.suspend()
    _check_completed_once(pipeline, video_id)
    eventually("the loser's engine is killed", lambda: not frozen.is_running(), 30)
    events = pipeline.events(video_id)
    doubled = [event["task_id"] for event in events if event["event"] == "task.doubled"]
    assert doubled == ["transcode-00003"]


def test_video_completes_when_a_lambda_process_is_killed(pipeline: Pipeline) -> None:
    video_id = _start_job(pipeline)
    engine = _engines(pipeline)[0]
    worker = engine.parent()
    assert worker is not None
    worker.kill()
    eventually("the engine went with its worker", lambda: not engine.is_running(), 60)
    _check_completed_once(pipeline, video_id)


def test_video_completes_when_localstack_is_killed(pipeline: Pipeline) -> None:
    video_id = _start_job(pipeline)
    before = pipeline.running["cloud_pid"]
    psutil.Process(before).kill()
    eventually(
        "up has started another LocalStack",
        lambda: (
            (pipeline.state_dir / "up.json").exists() and pipeline.running["cloud_pid"] != before
        ),
        240,
    )
    _check_completed_once(pipeline, video_id)


def test_video_completes_when_everything_is_killed_and_started_again(pipeline: Pipeline) -> None:
    finished = {video["id"] for video in pipeline.api("GET", "/videos?limit=50").json()["videos"]}
    video_id = _start_job(pipeline)
    assert pipeline.process is not None
    family = psutil.Process(pipeline.process.pid).children(recursive=True)
    token = pipeline.token
    pipeline.kill_everything()
    gone, alive = psutil.wait_procs(family, timeout=60)
    assert alive == [], "nothing outlives `up`"
    assert len(gone) >= 3
    (pipeline.state_dir / "up.json").unlink()
    pipeline.start()
    assert pipeline.token == token
    _check_completed_once(pipeline, video_id)
    listed = {video["id"] for video in pipeline.api("GET", "/videos?limit=50").json()["videos"]}
    assert listed == finished | {video_id}
