"""What counts as throughput of a batch."""

from __future__ import annotations

import pytest

from bench.pipeline import completed_per_hour


def test_lost_and_failed_videos_do_not_count_when_throughput_is_told() -> None:
    jobs = [
        {"began": 10.0, "ended": 20.0, "status": "completed"},
        {"began": 10.0, "ended": 30.0, "status": "completed"},
        {"began": 12.0, "ended": 40.0, "status": "failed"},
        {"began": 12.0, "ended": 46.0, "status": "lost"},
    ]
    assert completed_per_hour(jobs) == pytest.approx(200)
