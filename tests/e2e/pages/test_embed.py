"""The player in other people's pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake, video
from tests.e2e.pages.watching import WATCH, start, wait_until

pytestmark = pytest.mark.needs_browser
EMBED = f"embed.html?v={video(1)['id']}"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Another site: its address, and the folder of its pages."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}", tmp_path
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.usefixtures("entry")
def test_copied_snippet_plays_on_another_site(
    open_page: OpenPage, entry: dict[str, Any], elsewhere: tuple[str, Path]
) -> None:
    entry["title"] = 'Mill "wheel" <b> & co'
    site, folder = elsewhere
    page = open_page(WATCH)
    origin = re.match(r"https?://[^/]+", page.url)
    assert origin is not None
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin[0])
    wait_until(page, "return v.readyState >= 2")
    page.keyboard.press("5")
    page.get_by_text("Share and embed").click()
    page.get_by_label("From 0:06 on").check()
    page.get_by_role("button", name="Copy the code").click()
    expect(page.locator("#share-said")).to_have_text("Copied")
    snippet = page.evaluate("navigator.clipboard.readText()")
    assert page.locator("#share-link").input_value().endswith(f"{WATCH}&t=6")
    head = '<!doctype html><meta charset="utf-8"><title>Elsewhere</title>'
    (folder / "page.html").write_text(f"{head}{snippet}")
    page.goto(f"{site}/page.html")
    frame = page.frame_locator("iframe")
    expect(page.locator("iframe")).to_have_attribute("title", entry["title"])
    expect(frame.get_by_role("link", name=entry["title"])).to_be_visible()
    frame.locator(".mr-start").click()
    inner = page.frames[1]
    inner.wait_for_function("() => document.querySelector('video').currentTime > 6.3")
    assert inner.evaluate("document.querySelector('video').played.start(0)") > 5.5
    box = page.locator("iframe").bounding_box()
    picture = frame.locator("video").bounding_box()
    assert box is not None
    assert picture is not None
    assert (picture["width"], picture["height"]) == (box["width"], box["height"]), "nothing around"


@pytest.mark.usefixtures("entry")
def test_embedded_player_starts_by_itself_and_muted_when_the_address_says_so(
    open_page: OpenPage,
) -> None:
    page = open_page(f"{EMBED}&autoplay=1&muted=1&t=3")
    page.wait_for_function("() => document.querySelector('video')?.currentTime > 3.3")
    assert page.evaluate("document.querySelector('video').muted")


def test_embedded_video_says_what_it_is_waiting_for(fake: Fake, open_page: OpenPage) -> None:
    fake.state.videos = [video(1, "processing", percent=40)]
    page = open_page(EMBED, width=400, height=225)
    expect(page.locator("#waiting-title")).to_have_text("Transcoding")
    fake.state.videos = [video(1, "failed", reason={"code": "NOT_A_VIDEO", "message": "x"})]
    expect(page.get_by_role("alert")).to_contain_text("This is not a video file")


@pytest.mark.usefixtures("entry")
def test_embedded_page_reads_and_keeps_no_token(fake: Fake, open_page: OpenPage) -> None:
    page = open_page(f"{EMBED}#token=mr_{'t' * 43}")
    start(page)
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.usefixtures("entry")
def test_page_shows_nothing_when_another_site_frames_it(
    open_page: OpenPage, elsewhere: tuple[str, Path]
) -> None:
    """That all pages but one have the script, tests/unit/frontend tells."""
    site, folder = elsewhere
    ours = open_page("index.html")
    frames = "".join(
        f'<iframe title="{name}" src="{ours.url.replace("index.html", name)}"></iframe>'
        for name in ("upload.html", "embed.html")
    )
    (folder / "page.html").write_text(f"<!doctype html>{frames}")
    # Of its own: in a frame of another site, pages are denied their storage, and complain.
    page = ours.context.new_page()
    page.goto(f"{site}/page.html")
    shown = {
        frame.url.rpartition("/")[2]
        for frame in page.frames[1:]
        if frame.evaluate("getComputedStyle(document.documentElement).display") != "none"
    }
    assert len(page.frames) == 3
    assert shown == {"embed.html"}
