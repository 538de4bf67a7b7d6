"""The whole way through the real handlers."""

from __future__ import annotations

import pytest

from millrace import ladder
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


def test_ladder_is_fitted_before_the_encoding_when_it_is_set_per_title(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "PER_TITLE", frozenset({"default"}))
    cloud.upload()
    cloud.drain()
    video = cloud.video()
    assert video.status == VideoStatus.COMPLETED
    assert [(r["crf"], r["maxrate_bps"]) for r in video.plan["video"]["renditions"]] == [
        (31, 300_000)
    ]


def test_title_is_not_analysed_when_nothing_is_set(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    assert "analyse" not in cloud.engine.calls()
