"""A small load on the shared Millrace, to prove the big one's means: docs/explanation/load.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.pipeline import Pipeline
from tests.load.__main__ import run
from tests.load.report import markdown, plot
from tests.load.sources import mix

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]


def test_every_video_completes_and_is_reported_when_several_come_at_once(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    outcome = run(pipeline, 4, None, tmp_path)
    for job in outcome.jobs:  # nobody else on the shared Millrace is to meet them
        pipeline.api("DELETE", f"/videos/{job['id']}")
    assert outcome.failed == []
    assert outcome.completed == 4
    assert outcome.error_rate == 0
    assert outcome.availability == 1
    assert {"engine", "cloud", "function transcode"} <= set(outcome.samples[-1].cpu_s)
    text = markdown(outcome)
    assert "`POST /uploads` | 4 | 0 |" in text
    assert "`S3 POST form` | 3 | 0 |" in text
    assert "`POST /uploads/…/complete` | 1 | 0 |" in text
    plot(outcome, tmp_path / "load.svg")
    assert "<svg" in (tmp_path / "load.svg").read_text()


def test_kinds_are_mixed_by_their_shares_when_a_few_are_uploaded() -> None:
    names = [source.name for source in mix(10)]
    assert names.count("mp4, 360p, 3 s") == 5
    assert names.count("mp4, silent, 2 s") == 3
    assert names.count("mp4, noise, 8 s") == 2
    assert len(set(names[:3])) == 3, "interleaved"
