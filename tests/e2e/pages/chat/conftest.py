"""People who call each other, and a browser that pretends several cameras and microphones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.pages.chat.calling import Switchboard, Visitors, switchboard
from tests.e2e.pages.fake_api import Fake
from tests.harness import chromium

FLAGS = [
    *chromium.FLAGS,
    "--use-fake-device-for-media-stream=device-count=3",
    "--use-fake-ui-for-media-stream",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[Switchboard]:
    with switchboard(monkeypatch.setenv) as board:
        yield board


@pytest.fixture
def visit(browser: Browser, fake: Fake, board: Switchboard) -> Iterator[Visitors]:
    visitors = Visitors(browser, fake.site_url, board)
    yield visitors
    visitors.leave()
