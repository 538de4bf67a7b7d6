"""The player while its video grows, while the network fails, and without Media Source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake
from tests.e2e.pages.watching import WATCH, finish, grow, record_frames, start, time_of, wait_until

pytestmark = pytest.mark.needs_browser


def test_growing_video_turns_into_a_whole_one_while_it_plays(
    fake: Fake, open_page: OpenPage, entry: dict[str, Any], tmp_path: Path, sample: Path
) -> None:
    fake.state.media = grow(sample, tmp_path, segments=2)
    entry |= {"status": "processing", "percent": 30, "duration_s": 12.0}
    page = open_page(WATCH)
    page.evaluate("window.sameDocument = true")
    page.wait_for_selector(".mr-player")
    page.evaluate(
        """() => document.addEventListener("mr-complete", () => { window.complete = true; })"""
    )
    start(page)
    page.keyboard.press("i")
    panel = page.locator(".mr-stats")
    expect(panel).to_contain_text("still growing")
    # Played to its edge, it waits there and says for what.
    expect(page.locator(".mr-line")).to_have_text("The next part is still being transcoded")
    edge = time_of(page)
    assert 3 < edge < 4.5
    grow(sample, tmp_path, segments=5)
    wait_until(page, f"return v.currentTime > {edge} + 0.5")
    expect(page.locator(".mr-line")).to_be_empty()
    finish(sample, tmp_path)
    entry |= {"status": "completed", "percent": 100}
    page.wait_for_function("() => window.complete === true")
    expect(panel).to_contain_text("complete")
    page.keyboard.press("9")
    wait_until(page, "return v.ended && v.currentTime > 11.5")
    assert page.evaluate("window.sameDocument"), "without a reload"


def test_growing_video_starts_at_its_beginning_when_the_wanted_time_is_not_there_yet(
    fake: Fake, open_page: OpenPage, entry: dict[str, Any], tmp_path: Path, sample: Path
) -> None:
    fake.state.media = grow(sample, tmp_path, segments=2)
    entry |= {"status": "processing", "percent": 30, "duration_s": 12.0}
    page = open_page(f"{WATCH}&t=10")
    start(page)
    assert time_of(page) < 4


@pytest.mark.usefixtures("entry")
def test_playback_recovers_by_itself_when_a_segment_fails_five_times(
    fake: Fake, open_page: OpenPage
) -> None:
    # At both qualities: going down is no way out.
    fake.state.media_failures.update({f"{level}/00002.m4s": 5 for level in (0, 1)})
    page = open_page(WATCH)
    start(page)
    line = page.locator(".mr-line")
    expect(line).to_contain_text("The server answers with an error: trying again")
    expect(page.locator(".mr-trouble")).to_contain_text("The server has trouble")
    wait_until(page, "return v.currentTime > 4.5")
    expect(line).to_be_empty()
    expect(page.locator(".mr-trouble")).to_be_hidden()
    assert fake.state.count("GET /media/0/00002.m4s → 503") == 5
    assert page.evaluate("document.querySelector('video').played.length") == 1, "nothing skipped"


@pytest.mark.usefixtures("entry")
def test_player_says_that_it_is_offline_and_goes_on_when_it_is_not(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.media_failures["0/00000.m4s"] = 1
    page = open_page(WATCH)
    page.wait_for_selector(".mr-player")
    page.context.set_offline(True)
    trouble = page.locator(".mr-trouble")
    expect(trouble).to_contain_text("You are offline")
    page.context.set_offline(False)
    expect(trouble).to_be_hidden()
    start(page)


@pytest.mark.usefixtures("entry")
def test_browsers_own_hls_plays_when_there_are_no_media_source_extensions(
    open_page: OpenPage,
) -> None:
    page = open_page("index.html")
    page.add_init_script(
        "for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource'])"
        " delete globalThis[name];"
    )
    page.goto(page.url.replace("index.html", f"{WATCH}&t=2"))
    start(page)
    assert page.evaluate("document.querySelector('video').src").endswith("/media/master.m3u8")
    assert time_of(page) >= 2
    record_frames(page)
    page.wait_for_function("() => window.frames_.length > 10")
    assert time_of(page) > 2
    expect(page.locator(".mr-time")).to_contain_text("/ 0:12")
    page.keyboard.press("i")
    expect(page.locator(".mr-stats")).to_contain_text("the browser's own HLS, complete")
    page.keyboard.press("9")
    wait_until(page, "return v.ended")


@pytest.mark.usefixtures("entry")
def test_player_says_so_when_the_browser_can_play_no_hls(open_page: OpenPage) -> None:
    page = open_page("index.html")
    page.add_init_script(
        """delete globalThis.MediaSource;
           delete globalThis.ManagedMediaSource;
           HTMLMediaElement.prototype.canPlayType = () => "";"""
    )
    page.goto(page.url.replace("index.html", WATCH))
    expect(page.get_by_role("alert")).to_contain_text("This browser cannot play it")


@pytest.mark.usefixtures("entry")
def test_native_player_says_what_happened_when_the_network_fails(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.media_error = 404
    page = open_page("index.html")
    page.add_init_script("delete globalThis.MediaSource; delete globalThis.ManagedMediaSource;")
    page.goto(page.url.replace("index.html", WATCH))
    trouble = page.locator(".mr-trouble")
    expect(trouble).to_be_visible(timeout=20_000)
    fake.state.media_error = None
    trouble.get_by_role("button", name="Try again").click()
    expect(trouble).to_be_hidden()
    start(page)
