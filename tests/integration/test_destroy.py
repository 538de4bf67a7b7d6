"""`./millrace destroy` on a running pipeline: all of it goes, as often as it is asked for, and a
new deployment works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import media
from tests.harness.deployment import command
from tests.harness.fixtures import running_pipeline
from tests.harness.pipeline import Pipeline

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]


@pytest.fixture
def doomed() -> Iterator[Pipeline]:
    """A pipeline with a video, for nobody else."""
    with running_pipeline("destroy-state") as running:
        clip = media.clip("doomed.mp4", 2, "320x180")
        running.wait(running.upload(clip), "completed")
        yield running


def _buckets(pipeline: Pipeline) -> list[str]:
    """Ours; that of the CDK's assets is the account's."""
    names = [bucket["Name"] for bucket in pipeline.client("s3").list_buckets()["Buckets"]]
    return [name for name in names if name.startswith("millrace-")]


def _tables(pipeline: Pipeline) -> list[str]:
    names: list[str] = pipeline.client("dynamodb").list_tables()["TableNames"]
    return names


def test_everything_goes_and_comes_back_when_destroyed_and_deployed(doomed: Pipeline) -> None:
    refused = command(doomed, "destroy", "--yes")
    assert refused.returncode == 1
    assert "give --data" in refused.stderr
    assert len(_buckets(doomed)) == 2

    destroyed = command(doomed, "destroy", "--yes", "--data")
    assert destroyed.returncode == 0, destroyed.stderr
    assert "everything is gone" in destroyed.stderr
    assert (_buckets(doomed), _tables(doomed)) == ([], [])
    assert not doomed.client("lambda").list_functions()["Functions"]
    assert not doomed.client("sqs").list_queues().get("QueueUrls")

    again = command(doomed, "destroy", "--yes", "--data")
    assert again.returncode == 0, again.stderr
    assert "everything is gone" not in again.stderr, "there was nothing left"

    deployed = command(doomed, "deploy", "--yes")
    assert deployed.returncode == 0, deployed.stderr
    video_id = doomed.upload(media.clip("doomed.mp4", 2, "320x180"))
    assert doomed.wait(video_id, "completed")["status"] == "completed"
