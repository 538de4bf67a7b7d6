"""An operator's way from the figures to the trace of a video, on the real pipeline."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.harness.pipeline import Pipeline

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_cloud, pytest.mark.needs_engine]
"""The first look at all queues is slow where everything runs on one machine."""


def test_the_way_leads_from_the_figures_to_the_trace_of_a_video(
    page: Page, pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    page.goto(f"{pipeline.site_url}/dashboard.html?range=1h#token={pipeline.token}")
    completed = page.locator("#now-completed")
    expect(completed).to_have_text(re.compile(r"^[1-9]"))
    expect(page.locator("#window-cost")).to_have_text(re.compile(r"^\$0\.\d"))
    expect(page.get_by_role("rowheader", name=re.compile("^transcode")).first).to_be_visible()
    page.goto(f"{pipeline.site_url}/trace.html?v={sintel['id']}&task=transcode-00000")
    expect(page.locator("#status")).to_have_text("Completed")
    expect(page.locator("#inspector")).to_contain_text("transcode chunk 0")
    expect(page.locator("#marks")).to_contain_text("playable")
    ends = page.get_by_role("gridcell", name=re.compile("attempt 1, done"))
    assert ends.count() >= 3
