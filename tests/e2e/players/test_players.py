"""Two players that know nothing of Millrace play what the engine makes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.harness.chromium import PATIENCE_MS

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_engine]

WAYS = [("hls.js", "master.m3u8"), ("shaka", "master.m3u8"), ("shaka", "manifest.mpd")]


@pytest.fixture(params=WAYS, ids=[" ".join(way) for way in WAYS], scope="module")
def page(request: pytest.FixtureRequest, chromium: Browser, site: str) -> Iterator[Page]:
    """A page on which the video plays; it must stay free of errors."""
    player, file = request.param
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site}/page/page.html")
    page.wait_for_function("() => 'start' in window")
    page.evaluate(f"start({player!r}, '{site}/media/{file}')")
    yield page
    complaints += page.evaluate("problems")
    context.close()
    assert complaints == []


def until(page: Page, condition: str) -> None:
    page.wait_for_function(f"() => {condition}")


def play_from(page: Page, time_s: float) -> None:
    page.evaluate(f"video.currentTime = {time_s}; video.play()")
    until(page, "!video.seeking && video.readyState >= 3")


def test_pictures_move_and_time_passes_when_it_plays(page: Page) -> None:
    play_from(page, 0)
    until(page, "video.currentTime > 0.3")
    first, began = page.evaluate("picture()"), page.evaluate("video.currentTime")
    until(page, f"video.currentTime > {began} + 0.7")
    assert page.evaluate("picture()") != first
    assert page.evaluate("video.getVideoPlaybackQuality().totalVideoFrames") > 10
    assert page.evaluate("video.duration") == pytest.approx(12, abs=0.05)


def test_each_rendition_is_shown_when_it_is_chosen(page: Page) -> None:
    assert sorted(page.evaluate("player.heights()")) == [180, 360]
    for height in (180, 360, 180):
        play_from(page, 0.5)
        page.evaluate(f"player.show({height})")
        until(page, f"video.videoHeight === {height} && video.readyState >= 3")
        began = page.evaluate("video.currentTime")
        until(page, f"video.currentTime > {began} + 0.3")
        assert page.evaluate("video.videoWidth") == height * 16 // 9


@pytest.mark.parametrize("time_s", [6.4, 2.5, 10.2])
def test_the_right_picture_is_shown_when_the_viewer_seeks(page: Page, time_s: float) -> None:
    """Full seconds are told by brightness, 16 levels each (of 219)."""
    page.evaluate(f"video.pause(); video.currentTime = {time_s}")
    until(page, "!video.seeking && video.readyState >= 2")
    wanted = (30 + 16 * int(time_s) - 16) * 255 / 219
    until(page, f"Math.abs(brightness() - {wanted}) < 8")
    play_from(page, time_s)
    until(page, f"video.currentTime > {time_s} + 0.3")


def test_the_other_language_is_heard_when_it_is_chosen(page: Page) -> None:
    languages = page.evaluate("player.languages()")
    spoken = {language[:2]: language for language in languages}
    assert sorted(spoken) == ["de", "en"]
    for short, hertz in (("de", 880), ("en", 440)):
        play_from(page, 0.2)
        page.evaluate(f"player.speak({spoken[short]!r})")
        until(page, f"Math.abs(tone() - {hertz}) < 12")
