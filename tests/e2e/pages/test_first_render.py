"""Pages as they are drawn first: what is there stays where it is when the rest comes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import traces
from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake, video
from tests.e2e.pages.operating import FRAGMENT, admin

__all__ = ["admin"]
pytestmark = pytest.mark.needs_browser
UPLOAD = f"upload.html{FRAGMENT}"
SHIFTS = """window.shift = 0; new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});"""


def arrive(open_page: OpenPage, path: str, width: int) -> Page:
    """A page that adds up how much was moved in it since it was there."""
    page = open_page("embed.html", width=width)
    page.add_init_script(SHIFTS)
    page.goto(page.url.replace("embed.html", path))
    return page


def shift(page: Page) -> float:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    return float(page.evaluate("window.shift"))


@pytest.mark.parametrize(("path", "width"), [("upload.html", 360), (UPLOAD, 360), (UPLOAD, 1440)])
def test_nothing_moves_when_it_is_known_who_uploads(
    open_page: OpenPage, path: str, width: int
) -> None:
    page = arrive(open_page, path, width)
    expect(page.locator("#access-known, #access-form").filter(visible=True)).to_have_count(1)
    expect(page.locator("#drop-limit")).to_contain_text("Each may have")
    expect(page.locator("#access-name")).to_have_text("ann" if "#" in path else "…")
    assert shift(page) < 0.01


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("page_name", ["watch.html", "embed.html"])
def test_nothing_moves_when_the_video_comes(
    open_page: OpenPage, page_name: str, width: int
) -> None:
    page = arrive(open_page, f"{page_name}?v={video(1)['id']}", width)
    expect(page.locator(".mr-start")).to_be_visible()
    if page_name == "watch.html":
        expect(page.locator("#rungs")).to_be_visible()
        expect(page.get_by_role("button", name="Sign in")).to_have_count(1)
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    assert shift(page) < 0.01


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    ("path", "width"),
    [
        ("dashboard.html", 360),
        ("dashboard.html", 1440),
        ("dead-letters.html", 360),
        ("trace.html?v=x", 1440),
    ],
)
def test_nothing_moves_when_the_first_figures_come(
    fake: Fake, open_page: OpenPage, path: str, width: int
) -> None:
    fake.state.traces["x"] = traces.trace("x")
    fake.state.letters = traces.letters(2)
    page = arrive(open_page, path + FRAGMENT, width)
    expect(page.locator("main")).to_have_attribute("aria-busy", "false")
    assert shift(page) < 0.01


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("path", ["chat.html", "chat.html#abcdefghijklmnopqrstuvwxyz"])
def test_nothing_moves_when_the_devices_of_a_caller_are_known(
    open_page: OpenPage, path: str, width: int
) -> None:
    page = arrive(open_page, path, width)
    expect(page.locator("#problems .problem")).to_have_count(2)  # this browser has no devices
    assert shift(page) < 0.01
