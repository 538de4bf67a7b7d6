"""Signing in and out on pages that are everybody's, where a token shows more."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import traces
from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake, video
from tests.e2e.pages.operating import FRAGMENT, admin

__all__ = ["admin"]
pytestmark = pytest.mark.needs_browser
ID = video(1)["id"]
PAGES = ["index.html", f"watch.html?v={ID}", f"trace.html?v={ID}"]
KEPT = "sessionStorage.getItem('millrace.token')"


@pytest.fixture(autouse=True)
def one_video(fake: Fake) -> None:
    fake.state.videos = [video(1, "processing", title="Mill wheel")]
    fake.state.traces[ID] = traces.trace(ID)


def sign_in(page: Page, token: str) -> None:
    """By keyboard alone."""
    page.get_by_role("button", name="Sign in").press("Enter")
    expect(page.get_by_label("Access token")).to_be_focused()
    page.get_by_label("Access token").fill(token)
    page.keyboard.press("Enter")


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("path", PAGES)
def test_an_admin_is_named_and_offered_more_until_signing_out(
    open_page: OpenPage, path: str
) -> None:
    page = open_page(path)
    sign_in(page, TOKEN)
    expect(page.locator("#account")).to_contain_text("Signed in as ann")
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
    assert TOKEN not in page.url
    page.get_by_role("button", name="Sign out").press("Enter")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Signed in as")).to_be_hidden()
    expect(page.get_by_role("link", name="Dashboard")).to_be_hidden()
    assert page.evaluate(KEPT) is None


@pytest.mark.usefixtures("admin")
def test_deeds_come_and_go_with_the_token(open_page: OpenPage) -> None:
    page = open_page("index.html")
    cancel = page.get_by_role("button", name="Cancel Mill wheel")
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(cancel).to_have_count(0)
    sign_in(page, TOKEN)
    expect(cancel).to_have_count(1)
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(cancel).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
def test_a_token_that_is_not_accepted_is_not_kept_and_another_one_is(
    open_page: OpenPage, path: str
) -> None:
    page = open_page(path)
    sign_in(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("begins with mr_")
    page.get_by_label("Access token").fill("mr_" + "x" * 43)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The access token was not accepted.")
    expect(page.get_by_label("Access token")).to_be_focused()
    assert page.evaluate(KEPT) is None
    page.get_by_label("Access token").fill(TOKEN)
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#account")).to_contain_text("Signed in as ann")


def test_nothing_is_kept_and_the_focus_goes_back_when_signing_in_is_given_up(
    open_page: OpenPage,
) -> None:
    page = open_page("index.html")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Access token").fill(TOKEN)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_focused()
    assert page.evaluate(KEPT) is None


def test_a_video_plays_on_when_somebody_signs_in(open_page: OpenPage) -> None:
    page = open_page(f"watch.html?v={ID}")
    expect(page.locator("#waiting-title")).to_have_text("Transcoding")
    page.evaluate("window.here = true")
    sign_in(page, TOKEN)
    expect(page.locator("#account")).to_contain_text(re.compile("ann"))
    assert page.evaluate("window.here") is True


def test_a_token_that_could_not_be_looked_at_is_kept(fake: Fake, open_page: OpenPage) -> None:
    fake.state.refusals["GET /api/token"] = 1
    page = open_page(f"index.html{FRAGMENT}")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page.locator("#videos .card")).to_have_count(1)
    assert page.evaluate(KEPT) == TOKEN
