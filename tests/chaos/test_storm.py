"""Twenty videos in flight while everything that can go wrong does: see `tests/chaos/storm.py`."""

from __future__ import annotations

import pytest

from tests.chaos.faults import Fault
from tests.chaos.killer import namespace
from tests.chaos.storm import WORK, Plan, exposed_pipeline, markdown, run

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine, pytest.mark.exhaustive]

KILLS = ("an engine was killed", "a function was killed", "the emulator was killed")


def test_every_video_ends_as_it_should_when_everything_goes_wrong() -> None:
    with exposed_pipeline(WORK / "test-state", seed=20) as (pipeline, faults):
        outcome = run(pipeline, faults, Plan(seed=20))
    text = markdown(outcome)
    assert outcome.breaches == [], text
    assert (outcome.completed, outcome.failed) == (20, 2), text
    expected = {*Fault, *KILLS, "an S3 event came again, out of order"}
    expected |= {"the disk was full"} if namespace() else set()
    assert set(outcome.struck) == expected, text
