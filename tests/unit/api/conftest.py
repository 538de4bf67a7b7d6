"""The API on a pretended AWS: moto in this process, no socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import requests
from chalice.test import Client

import app as api_module
from millrace import auth, catalogue, clients, clock, keys, model, transact, videos
from millrace.model import Video, VideoStatus
from tests.harness.quick_moto import quick_moto
from tests.unit.api.support import Api

BUCKET = "millrace-uploads-test"
QUEUE_NAME = "millrace-publish.fifo"
SITE_BUCKET = "millrace-site-test"
QUEUES = ("ingest", "probe", "transcode", "thumbnail", "publish", "notify")
_BASE = "https://sqs.us-east-1.amazonaws.com/123456789012"
QUEUE_URL = f"{_BASE}/{QUEUE_NAME}"
NOTIFY_QUEUE_URL = f"{_BASE}/millrace-notify"
SITE_URL = "https://site.example"
MAX_UPLOAD_BYTES = 100 * 1024 * 1024


@dataclass(slots=True)
class Cloud:
    """What the API talks to, from the other side."""

    s3: Any
    sqs: Any

    def messages(self) -> list[dict[str, Any]]:
        """What was sent to the publish queue, taken off it."""
        found = self.sqs.receive_message(QueueUrl=QUEUE_URL, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    def notifications(self) -> list[dict[str, Any]]:
        """What was sent to the notify queue, taken off it."""
        found = self.sqs.receive_message(QueueUrl=NOTIFY_QUEUE_URL, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    def open_multiparts(self) -> list[str]:
        found = self.s3.list_multipart_uploads(Bucket=BUCKET)
        return [upload["Key"] for upload in found.get("Uploads", [])]


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    """Once for each file: making clients costs far more than anything a test does with them."""
    with pytest.MonkeyPatch.context() as patch, quick_moto():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("MILLRACE_TABLE", "millrace")
        patch.setenv("MILLRACE_UPLOADS_BUCKET", BUCKET)
        patch.setenv("MILLRACE_SITE_URL", SITE_URL)
        patch.setenv("MILLRACE_SITE_BUCKET", SITE_BUCKET)
        for queue in QUEUES:
            fifo = ".fifo" if queue == "publish" else ""
            patch.setenv(f"MILLRACE_{queue.upper()}_QUEUE_URL", f"{_BASE}/millrace-{queue}{fifo}")
            dlq = f"{_BASE}/millrace-{queue}-dlq{fifo}"
            patch.setenv(f"MILLRACE_{queue.upper()}_DLQ_URL", dlq)
        patch.setenv("MILLRACE_MAX_UPLOAD_BYTES", str(MAX_UPLOAD_BYTES))
        clients.reset()
        api_module.settings.cache_clear()
        model.bind("millrace", region="us-east-1")
        yield Cloud(boto3.client("s3"), boto3.client("sqs"))
    clients.reset()
    api_module.settings.cache_clear()


@pytest.fixture
def cloud(aws: Cloud) -> Cloud:
    """An empty cloud."""
    requests.post("http://motoapi.amazonaws.com/moto-api/reset", timeout=5)  # answered in process
    aws.s3.create_bucket(Bucket=BUCKET)
    made = aws.sqs.create_queue(QueueName=QUEUE_NAME, Attributes={"FifoQueue": "true"})
    assert made["QueueUrl"] == QUEUE_URL
    aws.sqs.create_queue(QueueName="millrace-notify")
    model.Item.create_table(billing_mode="PAY_PER_REQUEST")
    return aws


@pytest.fixture
def whole_cloud(cloud: Cloud) -> Cloud:
    """With all queues and both buckets, for what looks at everything."""
    cloud.s3.create_bucket(Bucket=SITE_BUCKET)
    for queue in QUEUES:
        for name in (f"millrace-{queue}", f"millrace-{queue}-dlq"):
            fifo: Any = {"Attributes": {"FifoQueue": "true"}} if queue == "publish" else {}
            suffix = ".fifo" if fifo else ""
            if name not in ("millrace-publish", "millrace-notify"):
                cloud.sqs.create_queue(QueueName=name + suffix, **fifo)
    return cloud


@pytest.fixture
def hook() -> Iterator[Callable[[Any, str, Callable[..., None]], None]]:
    """Listen to a client's botocore events until the test is over."""
    with ExitStack() as stack:

        def register(client: Any, event: str, handler: Callable[..., None]) -> None:
            client.meta.events.register(event, handler)
            stack.callback(client.meta.events.unregister, event, handler)

        yield register


@pytest.fixture
def dynamodb_requests(cloud: Cloud, hook: Callable[..., None]) -> list[str]:
    """Grows with the name of each DynamoDB request; but for the count of what was served, which
    depends on how long ago the last one was."""
    made: list[str] = []

    def record(request: Any, **_: Any) -> None:
        if f'"{keys.TALLY_SERVED_SK}"'.encode() in request.body:
            return
        made.append(request.headers["X-Amz-Target"].decode().rpartition(".")[2])

    hook(model.Item._get_connection().connection.client, "before-send.dynamodb", record)
    return made


@pytest.fixture
def api(cloud: Cloud) -> Api:
    return Api(Client(api_module.app))


@pytest.fixture
def uploader(cloud: Cloud) -> str:
    return auth.create_token("ann", ["uploader"]).secret


@pytest.fixture
def other_uploader(cloud: Cloud) -> str:
    return auth.create_token("bob", ["uploader"]).secret


@pytest.fixture
def admin(cloud: Cloud) -> str:
    return auth.create_token("root", ["admin"]).secret


MakeVideo = Callable[..., Video]


def _listed(video: Video) -> list[transact.Write]:
    duration_s = (video.media or {}).get("format", {}).get("duration_s")
    if duration_s is None:
        return []
    return [transact.put(catalogue.duration_entry(video.video_id, duration_s, video.created_at))]


@pytest.fixture
def make_video(cloud: Cloud) -> MakeVideo:
    """Put a video of any state into the table, as the pipeline would have left it."""

    def make(status: VideoStatus = VideoStatus.COMPLETED, **attributes: Any) -> Video:
        video_id = attributes.pop("video_id", keys.new_video_id())
        created_at = attributes.pop("created_at", clock.stamp())
        save = attributes.pop("save", True)
        arrived = status != VideoStatus.AWAITING_UPLOAD
        values: dict[str, Any] = {
            "title": "Holiday",
            "filename": "holiday.mp4",
            "upload_key": keys.upload_key(video_id, ".mp4"),
            "owner": "ann",
            "uploaded_at": created_at if arrived else None,
            **attributes,
        }
        video = videos.new(
            video_id=video_id, status=status, created_at=created_at, due_at=None, **values
        )
        if save:
            transact.commit_unlogged(*videos.made(video), *_listed(video))
        return video

    return make
