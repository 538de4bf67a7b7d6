"""What operators ask for: numbers, workers, traces, readiness."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from millrace import auth, clock, keys, videos, workers
from millrace.events import TaskMessage
from millrace.model import TaskKind, VideoStatus
from millrace.tasks import Lease, Load
from tests.harness.openmetrics import families_in
from tests.unit.api.conftest import BUCKET, Cloud, MakeVideo
from tests.unit.api.support import Api

VIDEO_ID = "a" * 26


@pytest.fixture(autouse=True)
def everything(whole_cloud: Cloud) -> None:
    """All queues are there."""


def upload(video_id: str) -> None:
    key = keys.upload_key(video_id, ".mp4")
    videos.create(video_id=video_id, title="t", filename="t.mp4", upload_key=key, owner="ann")


def lease(worker: str) -> Lease:
    return Lease(TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 3), 1, worker, clock.stamp())


def test_stats_count_a_video_when_it_was_begun(api: Api, admin: str) -> None:
    upload(VIDEO_ID)
    answer = api.get("/stats?range=1h", token=admin)
    assert answer.body["videos"]["awaiting_upload"] == 1
    assert (answer.body["range"], answer.body["step_s"]) == ("1h", 60)
    assert answer.headers["cache-control"] == "no-store"
    assert [queue["name"] for queue in answer.body["queues"]] == [
        *("ingest", "probe", "transcode", "thumbnail", "publish", "notify")
    ]


@pytest.mark.parametrize("path", ["/stats?range=1y", "/stats?form=1", "/videos/{}/trace?format=x"])
def test_parameter_is_refused_when_it_means_nothing(api: Api, admin: str, path: str) -> None:
    upload(VIDEO_ID)
    assert api.get(path.format(VIDEO_ID), token=admin).problem == "invalid-parameters"


def test_reading_stats_costs_the_same_when_many_videos_were_there(
    api: Api, admin: str, dynamodb_requests: list[str]
) -> None:
    api.get("/stats", token=admin)
    first = len(dynamodb_requests)
    for number in range(12):
        upload(f"{number:026d}")
    dynamodb_requests.clear()
    api.get("/stats", token=admin)
    assert len(dynamodb_requests) == first


def test_metrics_need_their_own_role_and_it_opens_nothing_else(api: Api, uploader: str) -> None:
    scraper = auth.create_token("prometheus", ["metrics"]).secret
    upload(VIDEO_ID)
    assert api.get("/metrics", token=uploader).problem == "role-missing"
    assert api.get("/stats", token=scraper).problem == "role-missing"
    assert api.post("/uploads", {}, token=scraper).problem == "role-missing"
    answer = api.get("/metrics", token=scraper)
    families = families_in(answer.text)
    states = {s.labels["state"]: s.value for s in families["millrace_videos"].samples}
    assert states["awaiting_upload"] == 1
    assert families["millrace_time_to_playable_seconds"].type == "histogram"


def ago(seconds: float) -> Callable[[], datetime]:
    at = clock.now() - timedelta(seconds=seconds)
    return lambda: at


def test_workers_are_told_of_by_state_when_they_were_heard_of(api: Api, admin: str) -> None:
    for age_s, name in ((16 * 60, "gone"), (70, "silent"), (5, "busy"), (0, "resting")):
        with clock.source(ago(age_s)):
            workers.at_work(lease(name), 40, Load(97.51, 1 << 30))
            if name == "resting":
                workers.idle(lease(name))
    told = api.get("/workers", token=admin).body["workers"]
    states = [(worker["id"], worker["status"]) for worker in told]
    assert states == [("busy", "working"), ("silent", "unresponsive"), ("resting", "idle")]
    assert (told[0]["percent"], told[0]["cpu_percent"]) == (40, 97.5)
    assert told[0]["heartbeat_age_s"] == pytest.approx(5, abs=1)
    assert (told[0]["task_id"], told[2]["task_id"]) == ("transcode-00003", None)


def test_trace_is_seen_by_whoever_sees_the_video(
    api: Api, uploader: str, other_uploader: str
) -> None:
    upload(VIDEO_ID)
    assert api.get(f"/videos/{VIDEO_ID}/trace").problem == "video-not-found"
    assert api.get(f"/videos/{VIDEO_ID}/trace", token=other_uploader).problem == "video-not-found"
    trace = api.get(f"/videos/{VIDEO_ID}/trace", token=uploader).body
    assert [span["kind"] for span in trace["spans"]] == ["video", "upload"]
    assert (trace["status"], trace["to"]) == ("awaiting_upload", None)
    otlp = api.get(f"/videos/{VIDEO_ID}/trace?format=otlp", token=uploader).body
    (span, _) = otlp["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert span["traceId"] == trace["trace_id"]


def test_trace_is_whole_when_a_video_was_put_without_a_log(api: Api, make_video: MakeVideo) -> None:
    video = make_video(VideoStatus.COMPLETED)
    trace = api.get(f"/videos/{video.video_id}/trace").body
    assert (trace["spans"], trace["from"]) == ([], video.created_at)


def test_all_is_ready_when_everything_answers(api: Api) -> None:
    answer = api.get("/health/ready")
    assert (answer.status, answer.body["status"]) == (200, "ready")
    assert {"table", "uploads_bucket", "site_bucket"} < set(answer.body["dependencies"])
    assert all(each["latency_ms"] >= 0 for each in answer.body["dependencies"].values())


def test_api_is_not_ready_when_one_dependency_fails(api: Api, whole_cloud: Cloud) -> None:
    whole_cloud.s3.delete_bucket(Bucket=BUCKET)
    answer = api.get("/health/ready")
    assert (answer.status, answer.body["status"]) == (503, "unavailable")
    failed = [name for name, each in answer.body["dependencies"].items() if not each["ok"]]
    assert failed == ["uploads_bucket"]
