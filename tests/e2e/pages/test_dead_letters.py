"""The dead-letter page: why tasks died, and setting their videos going again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import traces
from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake
from tests.e2e.pages.operating import FRAGMENT, admin, look_again

__all__ = ["admin"]
pytestmark = [pytest.mark.needs_browser, pytest.mark.usefixtures("admin")]
HERE = f"dead-letters.html{FRAGMENT}"


def test_a_letter_says_why_what_was_tried_and_what_the_engine_said(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.letters = [traces.letter(1)]
    page = open_page(HERE)
    letter = page.locator("#letters .letter")
    expect(letter).to_contain_text("The transcoder stopped on this file, each time it tried.")
    expect(letter).to_contain_text("ENGINE_CRASHED")
    expect(letter).to_contain_text("transcode-00001 of “Mill wheel 1”")
    expect(letter).to_contain_text("Every attempt was used up.")
    letter.get_by_text("4 attempts").press("Enter")
    expect(letter.get_by_role("listitem")).to_have_count(4)
    expect(letter.get_by_role("listitem").first).to_contain_text("host-01/4f1c · after 4.2 s")
    letter.get_by_text("Engine log").press("Enter")
    expect(letter.get_by_role("region")).to_contain_text("error while decoding MB 39")
    expect(letter.get_by_role("link", name=re.compile("^Trace of"))).to_have_attribute(
        "href", f"trace.html?v={traces.letter(1)['video_id']}&task=transcode-00001"
    )


def test_a_video_that_is_gone_is_named_by_its_id(fake: Fake, open_page: OpenPage) -> None:
    fake.state.letters = [traces.letter(1, title="")]
    page = open_page(HERE)
    expect(page.locator(".letter__video")).to_have_text(f"of video {traces.letter(1)['video_id']}")


def test_hostile_text_stays_text(fake: Fake, open_page: OpenPage) -> None:
    evil = "<img src=x onerror=alert(1)>"
    reason = {"code": evil, "message": evil}
    fake.state.letters = [traces.letter(1, title=evil, reason=reason, engine_log=evil)]
    page = open_page(HERE)
    expect(page.locator(".letter__why")).to_have_text(evil)
    expect(page.locator(".letter__video")).to_have_text(f"of “{evil}”")
    assert page.locator(".letter img").count() == 0


def test_one_is_redriven_by_keyboard_when_confirmed(fake: Fake, open_page: OpenPage) -> None:
    fake.state.letters = traces.letters(3)
    page = open_page(HERE)
    button = page.get_by_role("button", name=re.compile("^Redrive transcode-00002"))
    button.press("Enter")
    dialog = page.get_by_role("dialog", name="Redrive transcode-00002?")
    expect(dialog.get_by_role("button", name="Leave it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    assert fake.state.redrives == []
    button.press("Enter")
    dialog.get_by_role("button", name="Redrive").press("Enter")
    expect(page.locator("#news")).to_have_text("1 video is under way again.")
    expect(page.locator("#letters .letter")).to_have_count(2)
    expect(page.get_by_role("button", name=re.compile("^Redrive probe-00003"))).to_be_focused()
    assert fake.state.redrives == [
        {"video_id": traces.letter(2)["video_id"], "task_id": "transcode-00002"}
    ]


def test_all_of_a_queue_are_redriven_page_by_page(fake: Fake, open_page: OpenPage) -> None:
    fake.state.letters = traces.letters(8)
    fake.state.redrive_page = 2
    fake.state.stuck = {traces.letter(2)["video_id"]}
    page = open_page(HERE)
    page.get_by_role("radio", name="Transcode").check()
    expect(page.locator("#letters .letter")).to_have_count(4)
    expect(page).to_have_url(re.compile("queue=transcode"))
    page.get_by_role("button", name="Redrive all of transcode").click()
    page.get_by_role("dialog").get_by_role("button", name="Redrive").click()
    expect(page.locator("#news")).to_contain_text("3 videos are under way again. 1 video was left")
    expect(page.locator("#letters .letter")).to_have_count(1)
    assert [wish.get("cursor") for wish in fake.state.redrives] == [None, "on"]
    assert {wish["queue"] for wish in fake.state.redrives} == {"transcode"}


def test_a_letter_stays_with_the_reason_when_redriving_is_refused(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.letters = traces.letters(1)
    fake.state.deed_error = 409
    page = open_page(HERE)
    page.get_by_role("button", name="Redrive all").click()
    page.get_by_role("dialog").get_by_role("button", name="Redrive").click()
    expect(page.get_by_role("alert")).to_contain_text("It could not be redriven. It is being")
    expect(page.locator("#letters .letter")).to_have_count(1)
    expect(page.get_by_role("button", name="Redrive all")).to_have_attribute(
        "aria-disabled", "false"
    )


def test_the_list_goes_on_as_one_scrolls_and_new_letters_come_on_top(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.letters = traces.letters(60)
    page = open_page(HERE)
    expect(page.locator("#count")).to_contain_text("and more")
    for known in (48, 60):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        expect(page.locator("#letters .letter")).to_have_count(known)
    expect(page.locator("#count")).to_have_text("60 dead letters")
    fake.state.letters = [traces.letter(61), *fake.state.letters]
    look_again(page)
    expect(page.locator("#letters .letter")).to_have_count(61)
    expect(page.locator("#letters .letter").first).to_contain_text("transcode-00061")


def test_emptiness_is_told_and_the_list_comes_when_the_api_is_back(
    fake: Fake, open_page: OpenPage
) -> None:
    fake.state.operations_error = 503
    page = open_page(HERE)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()
    fake.state.operations_error = None
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="No dead letters")).to_have_count(1)
    expect(page.get_by_role("alert")).to_be_hidden()
