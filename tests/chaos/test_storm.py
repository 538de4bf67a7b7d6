"""Videos in flight while everything that can go wrong does: see `tests/chaos/storm.py`."""

from __future__ import annotations

import pytest

from tests.chaos.faults import Fault
from tests.chaos.killer import namespace
from tests.chaos.storm import WORK, Plan, exposed_pipeline, markdown, run

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

KILLS = ("an engine was killed", "a function was killed", "the emulator was killed")


def test_every_video_ends_as_it_should_when_a_short_storm_passes() -> None:
    plan = Plan(seed=7, videos=7, bad=1, in_flight=6, storm_s=12.0)
    with exposed_pipeline(WORK / "short-state", plan.seed) as (pipeline, faults):
        outcome = run(pipeline, faults, plan)
    text = markdown(outcome)
    assert outcome.breaches == [], text
    assert (outcome.completed, outcome.failed) == (7, 1), text
    assert outcome.in_flight >= 6, text
    # What else strikes within twelve seconds is up to the machine.
    certain = {Fault.THROTTLED, Fault.DUPLICATED, Fault.DELAYED, Fault.LATE, KILLS[-1]}
    assert certain <= set(outcome.struck), text


@pytest.mark.exhaustive
def test_every_video_ends_as_it_should_when_everything_goes_wrong() -> None:
    with exposed_pipeline(WORK / "test-state", seed=20) as (pipeline, faults):
        outcome = run(pipeline, faults, Plan(seed=20))
    text = markdown(outcome)
    assert outcome.breaches == [], text
    assert (outcome.completed, outcome.failed) == (24, 2), text
    assert outcome.in_flight >= 20, text
    expected = {*Fault, *KILLS, "an S3 event came again, out of order"}
    expected |= {"the disk was full"} if namespace() else set()
    assert set(outcome.struck) == expected, text
