"""Two people in a call, each in a browser of their own, with pretended cameras that show the
time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Page, Playwright

from tests.harness import chromium
from tests.harness.webrtc import REMEMBER_CONNECTIONS

CAMERA = (Path(__file__).parent / "camera.js").read_text()
FLAGS = [
    *chromium.FLAGS,
    # Without these a browser slows down what no screen shows.
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]
TALKING = '#room[data-phase="talking"]'


@contextmanager
def in_a_call(
    playwright: Playwright, browsers: tuple[Path, Path], site_url: str, patience_ms: float
) -> Iterator[tuple[Page, Page]]:
    """The first makes a room, the second follows its link; both talk.

    Args:
        browsers: executables.
        patience_ms: how long each step may take.
    """
    with ExitStack() as stack:
        pages = []
        for executable in browsers:
            browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
            stack.callback(browser.close)
            page = browser.new_page()
            page.set_default_timeout(patience_ms)
            page.add_init_script(REMEMBER_CONNECTIONS + CAMERA)
            pages.append(page)
        first, second = pages
        first.goto(f"{site_url}/chat.html")
        first.get_by_role("button", name="Make a room").click()
        first.wait_for_selector("#room:not([hidden])")
        second.goto(first.url)
        second.get_by_role("button", name="Join the call").click()
        for page in (first, second):
            page.wait_for_selector(TALKING)
        yield first, second
