"""The player's choices change what is really shown and heard, not only what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake
from tests.e2e.pages.watching import (
    WATCH,
    choose,
    record_frames,
    start,
    wait_for_frames,
    wait_until,
)

pytestmark = pytest.mark.needs_browser
BUFFERED_END = "document.querySelector('video').buffered.end(0)"


def throttle(client: CDPSession, kilobits: float | None) -> None:
    """The page's network carries so much; None: everything."""
    client.send("Network.enable")
    bytes_per_s = -1 if kilobits is None else kilobits * 1000 / 8
    limits = {"downloadThroughput": bytes_per_s, "uploadThroughput": -1}
    client.send("Network.emulateNetworkConditions", {"offline": False, "latency": 5, **limits})


def test_frames_of_the_new_size_follow_without_a_stop_when_a_quality_is_forced(
    fake: Fake, open_page: OpenPage, entry: dict[str, Any], long_sample: Path
) -> None:
    fake.state.media = long_sample
    entry["duration_s"] = 180.0
    page = open_page(WATCH)
    start(page)
    record_frames(page)
    wait_for_frames(page, "320x180")
    page.evaluate(
        """() => {
            const v = document.querySelector("video");
            window.stops = [];
            for (const event of ["seeking", "emptied", "pause"])
                v.addEventListener(event, () => window.stops.push(event));
            v.addEventListener("progress", () => {
                const { buffered, currentTime } = v;
                const here = Array.from({ length: buffered.length }, (_, i) => i).some(i =>
                    buffered.start(i) <= currentTime && currentTime < buffered.end(i));
                if (!here) window.stops.push("nothing to play");
            });
        }"""
    )
    page.get_by_role("button", name="Quality: ").click()
    page.get_by_role("menuitemradio", name="90p", exact=False).last.click()
    wait_for_frames(page, "160x90")
    assert page.evaluate("window.stops") == []


@pytest.mark.usefixtures("entry")
def test_nothing_loaded_is_thrown_away_when_auto_is_chosen(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    start(page)
    choose(page, "Quality", "180p 290 kb/s")
    wait_until(page, "return v.videoHeight === 180 && v.buffered.end(0) > 11.5")
    choose(page, "Quality", "Auto")
    expect(page.get_by_role("button", name="Quality: Auto · 180p")).to_be_visible()
    assert page.evaluate(BUFFERED_END) > 11.5
    assert page.evaluate("document.querySelector('video').buffered.length") == 1


def test_auto_goes_down_and_comes_back_when_the_network_does(
    fake: Fake, open_page: OpenPage, entry: dict[str, Any], long_sample: Path
) -> None:
    fake.state.media = long_sample
    entry["duration_s"] = 180.0
    page = open_page("index.html")
    client = page.context.new_cdp_session(page)
    throttle(client, 8000)
    page.goto(page.url.replace("index.html", WATCH))
    start(page)
    record_frames(page)
    wait_for_frames(page, "320x180")
    expect(page.get_by_role("button", name="Quality: Auto · 180p")).to_be_visible()
    throttle(client, 800)  # the lower one fits, the higher one does not
    page.keyboard.press("5")  # beyond what is loaded
    wait_for_frames(page, "160x90")
    expect(page.get_by_role("button", name="Quality: Auto · 90p")).to_be_visible()
    throttle(client, None)
    page.keyboard.press("9")
    wait_for_frames(page, "320x180")
    expect(page.get_by_role("button", name="Quality: Auto · 180p")).to_be_visible()


@pytest.mark.usefixtures("entry")
def test_video_runs_by_the_clock_at_the_chosen_speed(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    start(page)
    for item, speed in (("2×", 2.0), ("0.5×", 0.5)):
        choose(page, "Speed", item)
        ratio = page.evaluate(
            """async () => {
                const v = document.querySelector("video");
                const frame = () => new Promise(done => v.requestVideoFrameCallback(
                    (now, { mediaTime }) => done({ now, mediaTime })));
                await frame();
                const first = await frame();
                let last = first;
                while (last.now - first.now < 1500) last = await frame();
                return (last.mediaTime - first.mediaTime) * 1000 / (last.now - first.now);
            }"""
        )
        assert ratio == pytest.approx(speed, rel=0.2), item


@pytest.mark.usefixtures("entry")
def test_statistics_tell_what_plays_when_they_are_asked_for(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    start(page)
    panel = page.get_by_role("region", name="Playback statistics")
    expect(panel).to_be_hidden()
    page.keyboard.press("i")
    expect(panel).to_contain_text("360p · 640 × 360 · H.264 · Auto")
    for words in (
        r"Bitrate\d+ kb/s, peak 950 kb/s",
        r"Bandwidthabout [\d.]+ [Mk]b/s",
        r"Buffer[\d.]+ s ahead",
        r"Dropped frames\d+ of [1-9]\d*",
        r"hls\.js \d.*complete",
    ):
        expect(panel).to_contain_text(re.compile(words))
    lines = panel.locator(".mr-graph__line")
    expect(lines).to_have_count(4)
    expect(lines.nth(2)).to_have_attribute("d", re.compile(r"^M[\d. ]+(L[\d. ]+){3,}"))
    choose(page, "Quality", "180p 290 kb/s")
    expect(panel).to_contain_text("180p · 320 × 180 · H.264")
    expect(panel).to_contain_text("1 switches")
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    page.keyboard.press("i")
    expect(panel).to_be_visible()


@pytest.mark.usefixtures("entry")
def test_time_line_shows_the_picture_of_the_place_under_the_pointer(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    start(page)
    picture = page.locator(".mr-scrub__picture")
    box = page.locator(".mr-scrub").bounding_box()
    assert box is not None
    for second, position in ((2, "-320px 0px"), (7, "-480px -90px")):
        page.mouse.move(box["x"] + box["width"] * (second + 0.5) / 12, box["y"] + 8)
        expect(picture).to_be_visible()
        expect(picture).to_have_css("background-position", position)
        expect(page.locator(".mr-scrub__time")).to_have_text(f"0:0{second}")
    loaded = page.evaluate(
        """async () => {
            const { backgroundImage } = getComputedStyle(
                document.querySelector(".mr-scrub__picture"));
            const image = new Image();
            image.src = JSON.parse(backgroundImage.slice(4, -1));
            await image.decode();
            return [image.naturalWidth, image.naturalHeight];
        }"""
    )
    assert loaded == [640, 270]
    # Near the ends it stays inside.
    page.mouse.move(box["x"] + 1, box["y"] + 8)
    tip = page.locator(".mr-scrub__tip").bounding_box()
    assert tip is not None
    assert tip["x"] >= box["x"] - 1


@pytest.mark.usefixtures("entry")
def test_player_goes_on_where_it_was_left_unless_the_address_says_otherwise(
    open_page: OpenPage,
) -> None:
    page = open_page(WATCH)
    start(page)
    page.keyboard.press("5")
    wait_until(page, "return v.currentTime >= 6 && !v.seeking")
    page.keyboard.press("k")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => localStorage.getItem('millrace.player.volume')")
    page.reload()
    wait_until(page, "return v.currentTime >= 5.9 && v.readyState >= 2")
    assert page.evaluate("document.querySelector('video').volume") == pytest.approx(0.95)
    resumed = page.locator(".mr-resumed")
    expect(resumed).to_contain_text("Goes on at 0:06")
    resumed.get_by_role("button", name="From the beginning").click()
    wait_until(page, "return v.currentTime < 0.1")
    expect(resumed).to_be_hidden()
    page.goto(f"{page.url}&t=0")
    wait_until(page, "return v.readyState >= 2")
    assert page.evaluate("document.querySelector('video').currentTime") < 0.5
    expect(resumed).to_be_hidden()


@pytest.mark.usefixtures("entry")
def test_system_knows_what_plays_and_may_control_it(open_page: OpenPage) -> None:
    page = open_page("index.html")
    page.add_init_script(
        """window.handlers = {};
           const set = MediaSession.prototype.setActionHandler;
           MediaSession.prototype.setActionHandler = function (action, handler) {
               window.handlers[action] = handler;
               return set.call(this, action, handler);
           };"""
    )
    page.goto(page.url.replace("index.html", WATCH))
    start(page)
    state = "() => [navigator.mediaSession.metadata.title, navigator.mediaSession.playbackState]"
    assert page.evaluate(state) == ["Mill wheel", "playing"]
    page.evaluate("window.handlers.pause({})")
    wait_until(page, "return v.paused")
    page.evaluate("window.handlers.seekto({ seekTime: 8 })")
    wait_until(page, "return Math.abs(v.currentTime - 8) < 0.2")
    page.evaluate("window.handlers.seekbackward({ seekOffset: 3 })")
    wait_until(page, "return Math.abs(v.currentTime - 5) < 0.2")
    page.evaluate("window.handlers.play({})")
    wait_until(page, "return !v.paused")


@pytest.mark.usefixtures("entry")
def test_keys_are_left_alone_while_somebody_types(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    start(page)
    page.evaluate(
        """() => {
            const field = document.createElement("textarea");
            field.id = "typing";
            document.querySelector("#about").append(field);
        }"""
    )
    page.locator("#typing").press_sequentially("kmif 5?")
    expect(page.locator("#typing")).to_have_value("kmif 5?")
    facts = "() => { const v = document.querySelector('video'); return [v.paused, v.muted]; }"
    assert page.evaluate(facts) == [False, False]
    expect(page.locator(".mr-stats")).to_be_hidden()
    expect(page.locator(".mr-help")).to_be_hidden()


@pytest.mark.usefixtures("entry")
def test_picture_goes_to_a_window_of_its_own_and_back(open_page: OpenPage) -> None:
    page = open_page(WATCH)
    start(page)
    page.get_by_role("button", name="Picture in picture").click()
    page.wait_for_function("() => document.pictureInPictureElement?.matches('.mr-video')")
    page.get_by_role("button", name="Leave picture in picture").click()
    page.wait_for_function("() => document.pictureInPictureElement === null")
