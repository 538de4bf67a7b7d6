"""What admins may do in the gallery, and what becomes of it when the API refuses."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake, video

pytestmark = pytest.mark.needs_browser


@pytest.fixture
def page(fake: Fake, open_page: OpenPage) -> Page:
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    fake.state.videos = [
        video(3, "processing", percent=30),
        video(2, "failed", reason={"code": "CORRUPT", "message": ""}),
        video(1, title="Mill wheel"),
    ]
    page = open_page(f"index.html#token={TOKEN}")
    expect(page.locator("#videos .card")).to_have_count(3)
    return page


@pytest.mark.parametrize("fragment", ["", f"#token={TOKEN}", "#token=mr_" + "x" * 43])
def test_nothing_can_be_done_when_the_role_does_not_allow_it(
    fake: Fake, open_page: OpenPage, fragment: str
) -> None:
    fake.state.videos = [video(1)]
    page = open_page(f"index.html{fragment}")
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(page.locator(".card__tools")).to_be_hidden()
    expect(page.get_by_role("radio", name="Cancelled")).to_be_hidden()


def test_a_video_is_deleted_by_keyboard_when_confirmed(fake: Fake, page: Page) -> None:
    button = page.get_by_role("button", name="Delete Video 2")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete “Video 2”?")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Delete it").press("Enter")
    expect(page.locator("#videos .card")).to_have_count(2)
    expect(page.locator("#news")).to_have_text("“Video 2” was deleted.")
    expect(page.get_by_role("link", name="Mill wheel", exact=True)).to_be_focused()
    assert fake.state.count(f"DELETE /api/videos/{video(2)['id']} → 202") == 1


def test_a_video_goes_at_once_and_comes_back_when_deleting_it_is_refused(
    fake: Fake, page: Page
) -> None:
    fake.state.deed_error = 409
    fake.state.deed_gate = gate = fake.gate()
    page.get_by_role("button", name="Delete Mill wheel").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("#videos .card")).to_have_count(2)
    fake.open(gate)
    expect(page.get_by_role("alert")).to_contain_text(
        "“Mill wheel” could not be deleted. Somebody was quicker."
    )
    expect(page.locator("#videos .card")).to_have_count(3)


def test_work_stops_and_begins_again_when_cancelled_and_retried(fake: Fake, page: Page) -> None:
    card = page.locator(f'[data-id="{video(3)["id"]}"]')
    card.get_by_role("button", name="Cancel Video 3").click()
    expect(card).to_contain_text("Cancelled")
    card.get_by_role("button", name="Try again: Video 3").click()
    expect(card.get_by_role("button", name="Cancel Video 3")).to_be_visible()
    assert fake.state.videos[0]["status"] == "queued"
    assert fake.state.count("POST /api/videos/") == 2


def test_the_old_state_comes_back_when_a_retry_is_refused(fake: Fake, page: Page) -> None:
    fake.state.deed_error = 409
    page.get_by_role("button", name="Try again: Video 2").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be tried again")
    expect(page.locator(f'[data-id="{video(2)["id"]}"]')).to_contain_text("Failed")


def test_cancelled_videos_are_listed_when_an_admin_looks(fake: Fake, page: Page) -> None:
    fake.state.videos[0]["status"] = "cancelled"
    page.get_by_role("radio", name="Cancelled").check()
    expect(page.locator("#videos .card")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"status=cancelled"))
