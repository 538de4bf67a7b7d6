"""The gallery in each of its states."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake, video

pytestmark = pytest.mark.needs_browser


def test_skeletons_show_when_the_listing_is_slow(fake: Fake, open_page: OpenPage) -> None:
    gate = fake.gate()
    fake.state.listing_gate = gate
    fake.state.videos = [video(1)]
    page = open_page("index.html")
    expect(page.locator("#skeletons .card--skeleton")).to_have_count(6)
    expect(page.locator("main")).to_have_attribute("aria-busy", "true")
    fake.open(gate)
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(page.locator("#skeletons")).to_be_hidden()
    expect(page.locator("main")).to_have_attribute("aria-busy", "false")


def test_empty_gallery_invites_to_upload(open_page: OpenPage) -> None:
    page = open_page("index.html")
    expect(page.get_by_role("heading", name="The wheel is still")).to_be_visible()
    page.get_by_role("link", name="Upload the first video").click()
    expect(page).to_have_url(re.compile(r"/millrace-site-local/upload\.html$"))


def test_error_says_why_and_goes_away_when_tried_again(fake: Fake, open_page: OpenPage) -> None:
    fake.state.listing_error = 503
    fake.state.videos = [video(1)]
    page = open_page("index.html")
    expect(page.get_by_role("alert")).to_contain_text("The service is overloaded.")
    fake.state.listing_error = None
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(page.locator("#failure")).to_be_hidden()


def test_cards_tell_everything_when_statuses_are_mixed(fake: Fake, open_page: OpenPage) -> None:
    reason = {"code": "NO_VIDEO_STREAM", "message": "no stream"}
    fake.state.videos = [
        video(4, "queued", duration_s=None, width=None, height=None),
        video(3, "processing", percent=42, playable=True, duration_s=3905, width=3840, height=2160),
        video(2, "failed", title="<b>Podcast</b>", reason=reason),
        video(1, poster_url=f"{fake.site_url}/img/still-wheel.svg"),
    ]
    page = open_page("index.html")
    cards = page.locator("#videos .card")
    expect(cards).to_have_count(4)
    expect(cards.nth(0)).to_contain_text("Queued")
    expect(cards.nth(1)).to_contain_text("Processing 42 %")
    expect(cards.nth(1)).to_contain_text("can be watched")
    expect(cards.nth(1)).to_contain_text("2160p")
    expect(cards.nth(1)).to_contain_text("1:05:05")
    expect(cards.nth(2)).to_contain_text("<b>Podcast</b>")
    expect(cards.nth(2)).to_contain_text("There is no picture in this file")
    expect(cards.nth(3).locator("img")).to_be_visible()
    expect(cards.nth(3).locator(".gauge")).to_be_hidden()
    expect(cards.nth(3).get_by_role("link")).to_have_attribute(
        "href", f"watch.html?v={video(1)['id']}"
    )


def test_broken_poster_gives_way_to_the_gauge(fake: Fake, open_page: OpenPage) -> None:
    fake.state.videos = [video(1, poster_url=f"{fake.site_url}/nowhere.jpg")]
    page = open_page("index.html")
    expect(page.locator(".card .gauge")).to_be_visible()
    expect(page.locator(".card__poster")).to_be_hidden()


def test_cards_follow_without_a_reload_when_work_goes_on(fake: Fake, open_page: OpenPage) -> None:
    fake.state.videos = [video(1, "processing", percent=10)]
    page = open_page("index.html")
    card = page.locator(f'[data-id="{video(1)["id"]}"]')
    expect(card).to_contain_text("Processing 10 %")
    page.evaluate("window.sameDocument = true")
    card.evaluate("element => { element.same = true; }")
    expect(page.locator(".race")).to_have_attribute("data-flowing", "")

    fake.state.videos[0]["percent"] = 55
    expect(card).to_contain_text("Processing 55 %")
    fake.state.videos[0] = video(1)
    fake.state.videos.insert(0, video(2, "queued"))
    expect(card).to_contain_text("Completed")
    expect(page.locator("#videos .card")).to_have_count(2)
    expect(page.locator("#videos .card").first).to_contain_text("Video 2")

    fake.state.videos = [video(2)]
    expect(page.locator("#videos .card")).to_have_count(1)
    assert page.evaluate("window.sameDocument") is True
    assert card.count() == 0
    assert fake.state.count("GET /api/videos/") == 0, "one request for all cards"


def test_unchanged_answers_are_304_when_polling(fake: Fake, open_page: OpenPage) -> None:
    fake.state.videos = [video(1, "processing", percent=10)]
    page = open_page("index.html")
    expect(page.locator("#videos .card")).to_have_count(1)
    for _ in range(2):
        with page.expect_response(re.compile(r"/api/videos\?")) as answer:
            pass
        assert answer.value.json()["videos"][0]["percent"] == 10, "the browser fills it in"
    assert fake.state.count("GET /api/videos → 200") == 1
    assert fake.state.count("GET /api/videos → 304") >= 2


def test_nothing_is_asked_when_nobody_looks(fake: Fake, open_page: OpenPage) -> None:
    fake.state.videos = [video(1, "processing")]
    page = open_page("index.html")
    expect(page.locator("#videos .card")).to_have_count(1)
    hide = """hidden => {
        Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    asked = fake.state.count("GET /api/videos")
    page.wait_for_timeout(2000)  # longer than the pause between two requests
    assert fake.state.count("GET /api/videos") <= asked + 1
    fake.state.videos = [video(1)]
    page.evaluate(hide, False)
    expect(page.locator("#videos .card")).to_contain_text("Completed")


def test_filter_asks_the_api_and_survives_a_reload(fake: Fake, open_page: OpenPage) -> None:
    fake.state.videos = [video(2, "failed"), video(1)]
    page = open_page("index.html")
    expect(page.locator("#videos .card")).to_have_count(2)
    page.get_by_role("radio", name="Failed").check()
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?status=failed$"))
    page.reload()
    expect(page.get_by_role("radio", name="Failed")).to_be_checked()
    expect(page.locator("#videos .card")).to_have_count(1)
    page.get_by_role("radio", name="Queued").check()
    expect(page.get_by_role("heading", name="None like that")).to_be_visible()


def test_every_video_comes_once_when_scrolled_to_the_end(fake: Fake, open_page: OpenPage) -> None:
    fake.state.videos = [video(number) for number in range(260, 0, -1)]
    page = open_page("index.html", height=700)
    expect(page.locator("#videos .card").first).to_contain_text("Video 260")
    seen = page.evaluate(
        """async () => {
            const seen = new Map();
            const list = document.querySelector("#videos");
            while (!seen.has("260")) {
                for (const card of list.children)
                    seen.set(card.getAttribute("aria-posinset"), card.dataset.id);
                scrollBy(0, 300);
                await new Promise(requestAnimationFrame);
            }
            return [...seen.values()];
        }"""
    )
    assert seen == [video(number)["id"] for number in range(260, 0, -1)]
    expect(page.locator("#more")).to_be_hidden()
    assert page.locator("#videos .card").count() < 40


def test_chosen_theme_holds_when_the_page_is_opened_again(fake: Fake, open_page: OpenPage) -> None:
    page = open_page("index.html", theme="light")
    color = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(color)
    page.get_by_role("button", name="Use the dark theme").click()
    dark = page.evaluate(color)
    assert dark != light
    page.reload()
    assert page.evaluate(color) == dark
    expect(page.get_by_role("button", name="Use the light theme")).to_be_visible()
