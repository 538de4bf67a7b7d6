"""Finding videos in the gallery: search, filters, order, and the address that keeps them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake, video

pytestmark = pytest.mark.needs_browser
NOW = datetime.now(UTC)


def _days_ago(days: int) -> str:
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture
def page(fake: Fake, open_page: OpenPage) -> Page:
    titles = ["Mill wheel", "Race day", "Millers at work", "Sluice"]
    fake.state.videos = [
        video(9 - n, title=title, created_at=_days_ago(12 * n), duration_s=10.0 * (n + 1))
        for n, title in enumerate(titles)
    ]
    fake.state.videos[3]["status"] = "failed"
    page = open_page("index.html")
    expect(page.locator("#videos .card")).to_have_count(4)
    return page


def _titles(page: Page) -> list[str]:
    return page.locator("#videos .card__title").all_inner_texts()


def test_titles_are_found_when_typed_and_the_back_button_undoes_it_at_once(page: Page) -> None:
    search = page.get_by_role("searchbox", name="Search by title")
    page.keyboard.type("/mil", delay=20)
    expect(page.locator("#videos .card")).to_have_count(2)
    search.press_sequentially("ler", delay=20)
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=miller$"))
    expect(page.locator("#news")).to_have_text("1 found.")
    page.go_back()
    expect(page.locator("#videos .card")).to_have_count(4)
    expect(search).to_have_value("")
    page.go_forward()
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(search).to_have_value("miller")


def test_it_says_what_is_missing_when_nothing_is_found(page: Page) -> None:
    page.get_by_role("searchbox").fill("zebra")
    expect(page.locator("#empty-filter")).to_contain_text("“zebra”")
    expect(page.locator("#news")).to_have_text("Nothing found.")
    page.get_by_role("button", name="Show every video").click()
    expect(page.locator("#videos .card")).to_have_count(4)
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page).to_have_url(re.compile(r"index\.html$"))


def test_only_those_days_are_shown_when_dates_are_chosen(fake: Fake, page: Page) -> None:
    page.get_by_text("Any date").first.click()
    page.get_by_role("button", name="30 days").click()
    expect(page.locator("#videos .card")).to_have_count(3)
    expect(page.locator("#dates summary")).to_be_focused()
    expect(page.locator("#dates-text")).to_contain_text("Since ")
    page.locator("#dates summary").press("Enter")
    page.get_by_label("To", exact=True).fill(_days_ago(6)[:10])
    expect(page.locator("#videos .card")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.get_by_label("To", exact=True)).to_be_hidden()
    expect(page).to_have_url(re.compile(rf"from=[\d-]+&to={_days_ago(6)[:10]}$"))
    page.reload()
    expect(page.locator("#videos .card")).to_have_count(2)


def test_the_order_changes_when_it_is_chosen(page: Page) -> None:
    page.get_by_label("Order").select_option("Longest first")
    expect(page.locator("#videos .card").first).to_contain_text("Sluice")
    page.get_by_label("Order").select_option("By title")
    expect(page.locator("#lede")).to_have_text("Every video, by title.")
    assert _titles(page) == ["Mill wheel", "Millers at work", "Race day", "Sluice"]
    page.get_by_role("searchbox").fill("m")
    expect(page.locator("#videos .card")).to_have_count(2)
    expect(page.get_by_label("Order")).to_have_value("newest")
    expect(page.locator('#sort option[value="title"]')).to_be_disabled()


def test_everything_comes_from_the_address_when_a_link_is_opened(
    fake: Fake, open_page: OpenPage, page: Page
) -> None:
    linked = open_page("index.html?status=failed&q=slu&sort=oldest")
    expect(linked.locator("#videos .card")).to_have_count(1)
    expect(linked.get_by_role("radio", name="Failed")).to_be_checked()
    expect(linked.get_by_role("searchbox")).to_have_value("slu")
    expect(linked.get_by_label("Order")).to_have_value("oldest")


def test_the_search_goes_on_when_pages_hold_nothing_that_was_asked_for(
    fake: Fake, page: Page
) -> None:
    fake.state.empty_pages = 3
    page.get_by_role("radio", name="Failed").check()
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(page.locator("#empty-filter")).to_be_hidden()
