"""The whole way through the real handlers."""

from __future__ import annotations

from millrace.model import TaskKind, TaskStatus, VideoStatus
from tests.unit.core.harness import Cloud


def test_video_completes_when_its_object_arrives(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    video = cloud.video()
    assert video.status == VideoStatus.COMPLETED
    assert video.units_done == video.units_total
    assert cloud.due() == []
    assert cloud.task(TaskKind.TRANSCODE, 1).status == TaskStatus.DONE
