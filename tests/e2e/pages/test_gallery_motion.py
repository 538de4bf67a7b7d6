"""What moves in the gallery: previews, ten thousand cards, and what is asked while one scrolls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake, video
from tests.e2e.pages.scrolling import FRAMES, LOAD_ALL, many

pytestmark = pytest.mark.needs_browser


@pytest.fixture
def media(fake: Fake, tmp_path: Path) -> str:
    """A storyboard of four colours, three seconds each."""
    sheet = Image.new("RGB", (320, 180))
    cues = ["WEBVTT"]
    for n, colour in enumerate(("red", "lime", "blue", "white")):
        x, y = n % 2 * 160, n // 2 * 90
        sheet.paste(colour, (x, y, x + 160, y + 90))
        cues.append(f"00:{3 * n:02}.000 --> 00:{3 * n + 3:02}.000\n0.jpg#xywh={x},{y},160,90")
    sheet.save(tmp_path / "0.jpg")
    (tmp_path / "storyboard.vtt").write_text("\n\n".join(cues) + "\n")
    fake.state.media = tmp_path
    return f"{fake.api_origin}/media"


def _previewed(fake: Fake, media: str, page: Page) -> Any:
    fake.state.videos = [video(1, storyboard_url=f"{media}/storyboard.vtt")]
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    expect(page.locator("#videos .card")).to_have_count(1)
    return page.locator("#videos .card")


def test_pictures_of_the_storyboard_follow_when_the_pointer_rests_on_a_card(
    fake: Fake, open_page: OpenPage, media: str
) -> None:
    page = open_page("index.html")
    card = _previewed(fake, media, page)
    assert fake.state.count("GET /media") == 0, "nothing is loaded before it is wanted"
    card.hover()
    still = page.locator(".card__still")
    expect(still).to_have_css("background-position", "0% 0%")
    expect(still).to_have_css("background-position", "100% 0%")
    expect(still).to_have_css("background-size", "200% 200%")
    page.mouse.move(0, 0)
    expect(still).to_have_count(0)
    assert fake.state.count("GET /media/0.jpg") == 1


def test_pictures_follow_when_the_card_has_the_focus(
    fake: Fake, open_page: OpenPage, media: str
) -> None:
    page = open_page("index.html")
    _previewed(fake, media, page)
    page.locator("#videos .card__link").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(page.locator(".card__still")).to_have_count(1)
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".card__still")).to_have_count(0)


def test_nothing_moves_or_is_loaded_when_less_motion_is_wanted(
    fake: Fake, open_page: OpenPage, media: str
) -> None:
    fake.state.videos = [video(1, storyboard_url=f"{media}/storyboard.vtt")]
    page = open_page("index.html")
    page.locator("#videos .card").hover()
    page.wait_for_timeout(600)  # longer than a pointer must rest
    expect(page.locator(".card__still")).to_have_count(0)
    assert fake.state.count("GET /media") == 0


def test_few_cards_are_there_when_ten_thousand_are_scrolled(
    fake: Fake, open_page: OpenPage, record_property: Any
) -> None:
    fake.state.videos = many(10_000)
    page = open_page("index.html", width=1440, height=900)
    expect(page.locator("#videos .card").first).to_be_visible()
    page.evaluate(LOAD_ALL)
    expect(page.locator("#videos .card").last).to_have_attribute("aria-posinset", "10000")
    expect(page.locator("#videos .card").last).to_have_attribute("aria-setsize", "10000")
    report = page.evaluate(FRAMES, 1)
    record_property("frames_per_second", round(report["fps"], 1))
    assert report["cards"] <= 60
    assert report["nodes"] <= 3000
    # How long one takes is the machine's affair; that most frames need none is ours.
    assert report["long_tasks"] < report["frames"] / 2


def test_the_focus_stays_when_its_card_is_scrolled_away(fake: Fake, open_page: OpenPage) -> None:
    fake.state.videos = many(400)
    page = open_page("index.html")
    page.locator("#videos .card__link").nth(1).focus()
    page.evaluate("scrollTo(0, 9000)")
    expect(page.locator("#videos .card").last).not_to_have_attribute("aria-posinset", "20")
    expect(page.locator("#videos .card").nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator('#videos .card[aria-posinset="1"] .card__link')).to_be_focused()


def test_what_is_on_the_screen_is_kept_live_when_it_is_far_down(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.videos = many(400)
    page = open_page("index.html")
    expect(page.locator("#videos .card").first).to_be_visible()
    page.evaluate(LOAD_ALL)
    fake.state.videos[-1] |= {"status": "failed", "reason": {"code": "CORRUPT", "message": ""}}
    expect(page.locator("#videos .card").last).to_contain_text("The file is damaged", timeout=9000)
    with page.expect_request(re.compile(r"/api/videos\?.*cursor=")):  # every fourth has none
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight - 3000)")
    assert fake.state.count("GET /api/videos/") == 0, "one request for all cards"


def test_a_banner_says_so_when_the_network_is_gone(fake: Fake, open_page: OpenPage) -> None:
    fake.state.videos = [video(1)]
    page = open_page("index.html")
    expect(page.locator("#videos .card")).to_have_count(1)
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("You are offline.")
    expect(page.locator("#videos .card")).to_have_count(1)
    fake.state.videos = [video(2), video(1)]
    page.context.set_offline(False)
    expect(page.locator("#videos .card")).to_have_count(2)
    expect(page.locator("#failure")).to_be_hidden()
    expect(page.locator("#news")).to_have_text("1 new video.")


def test_nothing_shifts_when_the_first_cards_take_the_place_of_the_skeletons(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.videos = many(60)
    page = open_page("index.html")
    expect(page.locator("#videos .card").first).to_be_visible()
    shift = page.evaluate(
        """() => new Promise((done) => {
            let sum = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) sum += entry.value;
            }).observe({ type: "layout-shift", buffered: true });
            setTimeout(() => done(sum), 200);
        })"""
    )
    assert shift < 0.02
