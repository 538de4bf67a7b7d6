"""A browser, the stand-in API and an HLS sample for looking at single pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.pages.fake_api import Fake, State, video
from tests.e2e.pages.sample import make_long_sample, make_sample
from tests.harness.chromium import CHROMIUM, FLAGS, PATIENCE_MS

FAILED_LOAD = "Failed to load resource"
"""Chromium's line for every 4xx and 5xx; the tests that provoke them assert what the page says."""

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hls")
    make_sample(folder)
    return folder


@pytest.fixture(scope="session")
def long_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long-hls")
    make_long_sample(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake(State()) as fake:
        yield fake


@pytest.fixture
def open_page(browser: Browser, fake: Fake) -> Iterator[OpenPage]:
    """Opens a page of the site: `open_page("index.html", width=360, theme="dark")`.

    Every page must leave the console clean: no error, no policy violation, no unhandled rejection.
    """
    complaints: list[str] = []
    pages: list[Page] = []

    def open_page(path: str, *, width: int = 1280, height: int = 800, theme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: (
                complaints.append(line.text)
                if line.type == "error" and not line.text.startswith(FAILED_LOAD)
                else None
            ),
        )
        page.goto(f"{fake.site_url}/{path}")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert complaints == []


@pytest.fixture
def entry(fake: Fake, sample: Path) -> dict[str, Any]:
    """A completed video, listed; the test may change it."""
    fake.state.media = sample
    entry = video(
        1,
        title="Mill wheel",
        hls_url=fake.master_url,
        poster_url=f"{fake.api_origin}/media/poster.jpg",
        storyboard_url=f"{fake.api_origin}/media/storyboard.vtt",
        renditions=[
            {"name": "360p", "width": 640, "height": 360, "maxrate_bps": 800_000},
            {"name": "180p", "width": 320, "height": 180, "maxrate_bps": 200_000},
        ],
        media={
            "format": {"container": "mp4", "bytes": 7_608_204},
            "video": [{"codec": "h264", "frame_rate": {"num": 25, "den": 1}}],
            "audio": [{"codec": "aac", "channels": 2}],
        },
    )
    fake.state.videos = [entry]
    return entry


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "short clip.mp4"
    path.write_bytes(b"small" * 1000)
    return path
