"""The trace of a video: a waterfall that one can read, point at and walk through."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages import operations, traces
from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake, video
from tests.e2e.pages.operating import FRAGMENT

pytestmark = pytest.mark.needs_browser


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def box(bar: Locator) -> dict[str, Any]:
    found = bar.bounding_box()
    assert found is not None
    return dict(found)


def test_attempts_are_bars_in_their_places_with_outcome_and_reason(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.traces["x"] = traces.trace("x")
    page = open_page("trace.html?v=x")
    bars = row(page, "transcode chunk 3").get_by_role("gridcell")
    expect(bars).to_have_count(6)
    assert [bar.get_attribute("data-outcome") for bar in bars.all()] == [
        *("queue", "retried", "queue", "retried", "queue", "done"),
    ]
    waited, first = box(bars.nth(0)), box(bars.nth(1))
    assert waited["x"] + waited["width"] == pytest.approx(first["x"], abs=2)
    assert waited["height"] < first["height"]
    # The first attempt took 2 s of 30, the last one 5 s.
    assert box(bars.nth(5))["width"] / first["width"] == pytest.approx(2.5, abs=0.1)
    bars.nth(1).hover()
    expect(page.locator("#inspector")).to_contain_text("Failed, and tried again. ENGINE_CRASHED.")
    expect(page.locator("#inspector")).to_contain_text("The engine ended with signal 11.")
    expect(page.locator("#facts")).to_contain_text("2 tried again, 1 worker lost")
    expect(page.locator("#marks")).to_contain_text("rendition ready ×3")


def test_it_is_as_high_as_its_rows_until_they_have_to_scroll(
    fake: Fake, open_page: OpenPage
) -> None:
    for name, chunks in (("few", 3), ("many", 60)):
        fake.state.traces[name] = traces.trace(name, chunks)
    page = open_page("trace.html?v=few", width=1440, height=900)
    expect(page.get_by_role("grid")).to_be_visible()
    height, content, rows = page.locator("#view").evaluate(
        "(view) => [view.clientHeight, view.scrollHeight, view.querySelector('#rows').clientHeight]"
    )
    assert rows == 8 * 30
    assert rows < height == content < rows + 60, "the names of the marks below them, no more"
    page.goto(page.url.replace("few", "many"))
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "65")
    assert page.locator("#view").evaluate("(view) => view.scrollHeight > 2 * view.clientHeight")
    assert box(page.locator("#view"))["height"] < 560


def test_it_begins_at_the_task_of_the_link(fake: Fake, open_page: OpenPage) -> None:
    fake.state.traces["x"] = traces.trace("x", 200)
    page = open_page("trace.html?v=x&task=transcode-00150", height=1200)
    expect(page.locator("#inspector")).to_contain_text("transcode chunk 150")
    expect(row(page, "transcode chunk 150")).to_be_in_viewport()


def test_a_thousand_tasks_are_walked_by_keyboard_with_few_rows_there(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.traces["x"] = traces.trace("x", 1000, to=operations.stamp(1300))
    page = open_page("trace.html?v=x")
    grid = page.get_by_role("grid", name="Tasks of Mill wheel")
    expect(grid).to_have_attribute("aria-rowcount", "1005")
    page.get_by_role("button", name="Nearer").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    focused = page.locator("[role=gridcell]:focus")
    expect(focused).to_have_attribute("aria-label", re.compile("^probe, attempt 1, done"))
    page.keyboard.press("ArrowLeft")
    expect(focused).to_have_attribute("aria-label", re.compile("^probe, waited"))
    page.keyboard.press("End")
    expect(focused).to_have_attribute("aria-label", re.compile("^transcode chunk 999, attempt 1"))
    expect(focused).to_be_in_viewport()
    expect(page.locator("#inspector")).to_contain_text("transcode-00999")
    assert page.locator(".fall").count() < 60
    small = box(focused)["width"]
    for _ in range(4):
        page.keyboard.press("+")
    assert box(focused)["width"] > 8 * small
    expect(focused).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(focused).to_have_attribute("aria-label", re.compile("^upload"))
    expect(focused).to_be_in_viewport()


def test_bars_grow_and_rows_come_while_the_video_is_being_made(
    fake: Fake, open_page: OpenPage
) -> None:
    going = traces.Spans()
    going.add("upload", "upload", 0, 4)
    going.task("probe-00000", "probe", (5, 6, "done"))
    fake.state.traces["x"] = traces.trace("x", to=None, status="processing", spans=going.made)
    page = open_page("trace.html?v=x")
    expect(page.locator("#status")).to_have_text("Processing")
    row(page, "probe").get_by_role("gridcell").last.focus()
    going.task("transcode-00000", "transcode chunk 0", (8, None, "running"))
    expect(row(page, "transcode chunk 0").locator('[data-outcome="running"]')).to_have_count(1)
    expect(row(page, "probe").get_by_role("gridcell").last).to_be_focused()


def test_it_says_so_when_there_is_no_such_video(open_page: OpenPage) -> None:
    page = open_page("trace.html?v=gone")
    expect(page.get_by_role("heading", name="There is no such video")).to_be_visible()
    expect(page.locator("#trace")).to_be_hidden()


def test_what_is_shown_stays_when_the_api_goes_away(fake: Fake, open_page: OpenPage) -> None:
    fake.state.traces["x"] = traces.trace("x", to=None, status="processing")
    page = open_page("trace.html?v=x")
    expect(row(page, "probe")).to_be_visible()
    fake.state.operations_error = 503
    expect(page.get_by_role("alert")).to_contain_text("What is shown is from")
    expect(row(page, "probe")).to_be_visible()
    fake.state.operations_error = None
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_other_tools_get_the_trace_as_a_file(
    fake: Fake, open_page: OpenPage, tmp_path: Path
) -> None:
    fake.state.traces["x"] = traces.trace("x")
    page = open_page("trace.html?v=x")
    with page.expect_download() as begun:
        page.get_by_role("button", name="Save for OpenTelemetry").click()
    begun.value.save_as(tmp_path / "trace.json")
    assert begun.value.suggested_filename == "trace-x.json"
    assert json.loads((tmp_path / "trace.json").read_text()) == {"resourceSpans": []}


def test_the_gallery_leads_to_the_trace_when_an_admin_looks(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    fake.state.videos = [video(1, title="Mill wheel")]
    page = open_page(f"index.html{FRAGMENT}")
    expect(page.get_by_role("link", name="Trace of Mill wheel")).to_have_attribute(
        "href", f"trace.html?v={video(1)['id']}"
    )
