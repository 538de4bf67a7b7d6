"""The watch page: a real HLS sample really plays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake, video
from tests.e2e.pages.watching import WATCH, grow, start, time_of, wait_until

pytestmark = pytest.mark.needs_browser
PICTURE = """() => {
    const canvas = new OffscreenCanvas(64, 36);
    const context = canvas.getContext("2d");
    context.drawImage(document.querySelector("video"), 0, 0, 64, 36);
    return Array.from(context.getImageData(0, 0, 64, 36).data).join();
}"""


@pytest.mark.usefixtures("entry")
def test_video_plays_when_it_is_started(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    expect(page.get_by_role("heading", name="Mill wheel")).to_be_visible()
    expect(page).to_have_title("Mill wheel · Millrace")
    start(page)
    first = page.evaluate(PICTURE)
    began = time_of(page)
    wait_until(page, f"return v.currentTime > {began} + 0.7")
    assert page.evaluate(PICTURE) != first
    frames = page.evaluate(
        "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"
    )
    assert frames > 10
    expect(page.locator(".mr-time")).to_contain_text(re.compile(r"0:0\d / 0:12"))
    facts = page.locator("#facts")
    for words in ("0:12", "640 × 360 (360p)", "H.264, 25 frames/s", "AAC, stereo", "7.6 MB"):
        expect(facts).to_contain_text(words)


@pytest.mark.usefixtures("entry")
def test_picture_changes_size_when_another_quality_is_forced(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    start(page)
    quality = page.get_by_role("button", name=re.compile("^Quality: "))
    for name, height in (("180p", 180), ("360p", 360)):
        quality.click()
        page.get_by_role("menuitemradio", name=name).click()
        wait_until(page, f"return v.videoHeight === {height}")
        expect(quality).to_have_text(name)
        expect(page.locator(".rung[data-current]")).to_contain_text(name)
    quality.press("ArrowDown")
    expect(page.get_by_role("menuitemradio", name="360p")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(quality).to_have_text("Auto · 360p")
    expect(quality).to_be_focused()


@pytest.mark.usefixtures("entry")
def test_menu_stays_open_when_the_quality_changes_under_it(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    start(page)
    held: list[Route] = []
    segments_of_180p = re.compile(r"/1/.*\.m4s")
    page.route(segments_of_180p, lambda route: held.append(route))  # noqa: PLW0108 - it gets marked
    quality = page.get_by_role("button", name=re.compile("^Quality: "))
    quality.click()
    page.get_by_role("menuitemradio", name="180p").click()
    quality.click()
    page.keyboard.press("Home")
    assert held
    page.unroute(segments_of_180p)  # lets the held ones go
    expect(page.locator(".rung[data-current]")).to_contain_text("180p")
    expect(page.get_by_role("menuitemradio", name="Auto")).to_be_focused()


@pytest.mark.usefixtures("entry")
def test_shortcuts_do_what_the_help_says(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    wait_until(page, "return v.readyState >= 2")
    press = page.keyboard.press
    press("k")
    wait_until(page, "return !v.paused && v.currentTime > 0.1")
    press("Space")
    wait_until(page, "return v.paused")
    press("5")
    wait_until(page, "return Math.abs(v.currentTime - 6) < 0.2")
    press("ArrowRight")
    wait_until(page, "return Math.abs(v.currentTime - 11) < 0.2")
    press("j")
    wait_until(page, "return Math.abs(v.currentTime - 1) < 0.2")
    press("ArrowLeft")
    wait_until(page, "return v.currentTime === 0")
    press("m")
    wait_until(page, "return v.muted")
    press("ArrowUp")
    wait_until(page, "return !v.muted")
    press(">")
    wait_until(page, "return v.playbackRate === 1.25")
    expect(page.get_by_role("button", name="Speed: 1.25×")).to_be_visible()
    press("?")
    help_ = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help_).to_be_visible()
    press("Escape")
    expect(help_).to_be_hidden()
    press("f")
    page.wait_for_function("() => document.fullscreenElement?.classList.contains('mr-player')")
    press("f")
    page.wait_for_function("() => document.fullscreenElement === null")


@pytest.mark.usefixtures("entry")
def test_playback_begins_at_the_time_in_the_address(open_page: OpenPage) -> None:
    page = open_page(f"{WATCH}&t=7s")
    start_button = page.locator(".mr-start")
    expect(start_button).to_be_visible()
    wait_until(page, "return v.currentTime >= 6.9 && v.currentTime < 7.5")


def test_playback_starts_by_itself_when_the_video_becomes_playable(
    fake: Fake, open_page: OpenPage, entry: dict[str, Any]
) -> None:
    ready = dict(entry)
    entry |= {"status": "queued", "playable": False, "percent": 0, "hls_url": None}
    page = open_page(WATCH)
    expect(page.locator("#waiting-title")).to_have_text("Waiting for its turn")
    entry |= {"status": "processing", "percent": 31}
    expect(page.locator("#waiting-title")).to_have_text("Transcoding")
    expect(page.locator("#waiting-percent")).to_have_text("31")
    entry |= {"playable": True, "hls_url": ready["hls_url"], "percent": 40}
    wait_until(page, "return v && v.currentTime > 0.3")
    expect(page.locator("#waiting")).to_be_hidden()
    expect(page.locator("#status")).to_have_text("Processing 40 %")
    entry |= ready
    expect(page.locator("#status")).to_have_text("Completed")
    assert not page.evaluate("document.querySelector('video').paused"), "it was not disturbed"


def test_growing_video_plays_from_its_beginning_and_shows_its_whole_length(
    fake: Fake, open_page: OpenPage, entry: dict[str, Any], tmp_path: Path, sample: Path
) -> None:
    fake.state.media = grow(sample, tmp_path, segments=4)
    entry |= {"status": "processing", "percent": 50, "duration_s": 12.0}
    page = open_page(WATCH)
    start(page)
    assert page.evaluate("document.querySelector('video').played.start(0)") < 0.5
    expect(page.locator(".mr-time")).to_contain_text("/ 0:12")
    page.keyboard.press("9")
    expect(page.locator(".mr-note")).to_have_text("That part is still being transcoded")
    assert time_of(page) < 8.1


def test_failed_video_says_why(fake: Fake, open_page: OpenPage) -> None:
    reason = {"code": "NOT_A_VIDEO", "message": "x"}
    fake.state.videos = [video(1, "failed", reason=reason)]
    page = open_page(WATCH)
    expect(page.get_by_role("alert")).to_contain_text("This is not a video file")
    expect(page.get_by_role("link", name="Back to the gallery")).to_be_visible()


def test_unknown_video_is_said_to_be_unknown(open_page: OpenPage) -> None:
    page = open_page("watch.html?v=nothing")
    expect(page.get_by_role("alert")).to_contain_text("There is no such video")


@pytest.mark.usefixtures("entry")
def test_player_says_what_is_missing_and_goes_on_when_asked_to(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.media_error = 404
    page = open_page(WATCH)
    trouble = page.locator(".mr-trouble")
    expect(trouble).to_contain_text("A part of the video is missing", timeout=40_000)
    fake.state.media_error = None
    trouble.get_by_role("button", name="Try again").click()
    expect(trouble).to_be_hidden()
    start(page)


@pytest.mark.usefixtures("entry")
def test_player_goes_on_by_itself_when_the_server_is_back(fake: Fake, open_page: OpenPage) -> None:
    fake.state.media_error = 503
    page = open_page(WATCH)
    trouble = page.locator(".mr-trouble")
    expect(trouble).to_contain_text("The server has trouble", timeout=40_000)
    fake.state.media_error = None
    expect(trouble).to_be_hidden(timeout=20_000)
    start(page)
