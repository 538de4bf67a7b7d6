"""`./millrace player sample`: the player's folder plays a video without the rest of Millrace."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.pages.watching import start, wait_until
from tests.harness import media
from tests.harness.chromium import PATIENCE_MS

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_engine]
Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Runs the command on an eight-second clip; the address it prints."""
    running: list[subprocess.Popen[str]] = []

    def serve(*options: str) -> str:
        source = media.clip("sample.mp4", 8, "854x480")
        command = [sys.executable, "-m", "cli", "player", "sample", "--source", str(source)]
        process = subprocess.Popen(
            [*command, *options], cwd=media.REPOSITORY, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
                return found[0]
        pytest.fail(f"the command ended with {process.wait()}")

    yield serve
    for process in running:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda line: (
            complaints.append(f"{line.text} {line.location}") if line.type == "error" else None
        ),
    )
    yield page
    context.close()
    assert complaints == []


def test_sample_plays_from_the_players_folder_alone(serve: Serve, page: Page) -> None:
    paths: set[str] = set()
    page.on("request", lambda request: paths.add(urlsplit(request.url).path))
    page.goto(serve())
    start(page)
    page.get_by_role("button", name=re.compile("^Quality: ")).click()
    expect(page.get_by_role("menuitemradio").filter(visible=True)).to_have_text(
        [re.compile("^Auto"), re.compile("^480p"), re.compile("^360p")]
    )
    page.keyboard.press("Escape")
    page.locator(".mr-scrub").hover()
    expect(page.locator(".mr-scrub__picture")).to_be_visible()
    page.keyboard.press("9")
    wait_until(page, "return v.ended")
    expect(page.locator("#events")).to_contain_text("mr-level 480p")
    expect(page.locator("#events")).to_contain_text("ended")
    assert {path.split("/")[1] for path in paths} <= {"player", "media", "favicon.ico"}


def test_growing_sample_is_complete_in_the_end(serve: Serve, page: Page) -> None:
    page.goto(serve("--growing"))
    start(page)
    page.keyboard.press("i")
    expect(page.locator(".mr-stats")).to_contain_text(re.compile("still growing|complete"))
    expect(page.locator("#events")).to_contain_text("mr-complete")
    wait_until(page, "return v.duration > 7.9")


def test_folder_above_is_not_served(serve: Serve, page: Page) -> None:
    address = urlsplit(serve())
    for path in ("/player/../js/api.js", "/player/%2e%2e/js/api.js", "/media/../../../README.md"):
        answer = page.request.get(f"{address.scheme}://{address.netloc}{path}")
        assert answer.status == 404, path
