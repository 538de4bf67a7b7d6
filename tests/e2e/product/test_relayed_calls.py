"""A call between two networks that a relay alone connects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from bench.calls import callers, network
from tests.harness import chromium, webrtc
from tests.harness.pipeline import Pipeline

pytestmark = [
    pytest.mark.needs_browser,
    pytest.mark.needs_cloud,
    pytest.mark.needs_relay,
    pytest.mark.needs_root,
]


def test_call_takes_the_relay_when_two_networks_have_no_other_way(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    relay_port = int(pipeline.settings["MILLRACE_TURN_PORT"])
    with network.two_networks() as (first, second):
        assert not first.has_way_to(second.address)
        assert not second.has_way_to(first.address)
        ports = (pipeline.port, pipeline.signal_port)
        browsers = network.browser_in(first, tmp_path), network.browser_in(second, tmp_path)
        with (
            network.lent((first, second), ports, (relay_port,)),
            sync_playwright() as playwright,
            callers.in_a_call(
                playwright, browsers, pipeline.site_url, chromium.PATIENCE_MS
            ) as pages,
        ):
            webrtc.expect_growth(*pages)
            assert [webrtc.own_end(page) for page in pages] == ["relay", "relay"]
            for page in pages:
                seen: dict[str, Any] = page.evaluate("measureDelays(1)")
                assert seen["delays"], f"{seen['unreadable']} pictures show no time"
