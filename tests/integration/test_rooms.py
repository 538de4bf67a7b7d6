"""The measurement of many rooms, with a few."""

from __future__ import annotations

import asyncio

import pytest
import requests

from bench.calls import rooms
from tests.harness.pipeline import Pipeline

pytestmark = pytest.mark.needs_cloud
ROOMS = 3


def test_every_message_arrives_when_rooms_are_made_at_the_same_time(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    config = requests.get(f"{pipeline.site_url}/config.json", timeout=10).json()
    tally = rooms.Tally()
    asyncio.run(rooms.run(config["signalUrl"], ROOMS, ROOMS, tally))
    assert not tally.errors
    assert len(tally.welcomes) == 2 * ROOMS
    # In each an offer, an answer, and the candidates of both.
    assert len(tally.messages) == tally.sent == ROOMS * (2 + 2 * rooms.CANDIDATES)
    rooms.report(tally, ROOMS, 1.0)
    assert f"lost: 0 of {tally.sent}; errors: none" in capsys.readouterr().out
