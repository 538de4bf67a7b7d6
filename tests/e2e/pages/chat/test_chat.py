"""The call page in all that can happen around a call: to the seat, the server, the devices, and to
somebody who has a keyboard alone or hears the page read out."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.chat.calling import TALKING, Switchboard, Visitors, call, join, make_room
from tests.e2e.pages.fake_api import TOKEN, Fake
from tests.e2e.pages.test_accessibility import AXE
from tests.harness.webrtc import expect_growth

pytestmark = pytest.mark.needs_browser
NONE_FOUND = """navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException("none in the test", "NotFoundError");
};"""
WATCH_WHAT_IS_SAID = """window.titles = [];
addEventListener("DOMContentLoaded", () => new MutationObserver(() =>
    titles.push(document.querySelector("#card-title").textContent))
    .observe(document.querySelector("#card"), {subtree: true, childList: true}));"""
CONNECTION = "connections.at(-1)"


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))


def expect_accessible(page: Page) -> None:
    """axe finds nothing, in either theme and width; nothing scrolls sideways."""
    page.evaluate(AXE.read_text())
    for dark, width in ((False, 1440), (True, 360)):
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": width, "height": 800})
        faults = page.evaluate(
            """async () => (await axe.run({resultTypes: ["violations"]})).violations.map(
                ({id, nodes}) => [id, ...nodes.map(({html}) => html.slice(0, 160))])"""
        )
        assert faults == [], f"{width} px"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} px"


def test_trouble_with_a_device_is_told_in_the_room_when_it_comes_during_a_call(
    visit: Visitors,
) -> None:
    first, second = call(visit)
    problems = first.locator("#room-problems")
    expect(problems).to_be_empty()
    expect_accessible(first)
    first.evaluate(
        f"""() => {{
            const {{ track }} = {CONNECTION}.getTransceivers()[0].sender;
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }}"""
    )
    expect(problems).to_contain_text("Your microphone was disconnected")
    expect(first.locator("#mic")).to_have_attribute("aria-pressed", "false")
    expect(second.locator("#far-badges")).to_have_text("microphone off")
    expect_accessible(first)
    problems.get_by_role("button", name="Try again").click()
    expect(problems).to_be_empty()
    expect(second.locator("#far-badges")).to_be_hidden()
    expect_growth(second)


def test_door_tells_it_and_the_room_does_not_repeat_it_when_no_device_is_found(
    visit: Visitors,
) -> None:
    page = visit(script=NONE_FOUND)
    problems = page.locator("#problems")
    expect(problems).to_contain_text("No microphone was found on this device.")
    expect(problems).to_contain_text("No camera was found on this device.")
    expect(problems).to_contain_text("You can join all the same")
    expect_accessible(page)
    make_room(page)
    expect(page.locator("#room-problems")).to_be_empty()


def test_other_side_knows_of_the_camera_when_it_is_switched_while_the_screen_is_shared(
    visit: Visitors,
) -> None:
    first, second = call(visit)
    camera, badges = first.locator("#camera"), second.locator("#far-badges")
    first.locator("#screen").click()
    expect(badges).to_have_text("shares the screen")
    camera.click()
    expect(camera).to_have_attribute("aria-pressed", "false")
    first.locator("#screen").click()
    expect(badges).to_have_text("camera off")
    first.locator("#screen").click()
    expect(badges).to_have_text("shares the screen")
    camera.click()
    expect(camera).to_have_attribute("aria-pressed", "true")
    first.locator("#screen").click()
    expect(badges).to_be_hidden()
    expect_growth(second)


def test_whoever_joins_hears_of_no_waiting_and_keeps_the_focus_when_somebody_is_there(
    visit: Visitors, board: Switchboard
) -> None:
    first = visit(script=WATCH_WHAT_IS_SAID)
    link = make_room(first)
    assert focused(first) == "copy"
    second = visit(link, WATCH_WHAT_IS_SAID)
    join(second)
    for page in (first, second):
        page.wait_for_selector(TALKING)
        assert focused(page) == "room-title"
    assert "Waiting for the other person" not in second.evaluate("titles")
    second.keyboard.press("Tab")
    assert focused(second) == "mic"


def test_first_tab_gives_way_for_good_when_it_was_duplicated(visit: Visitors) -> None:
    first, second = call(visit)
    with first.context.expect_page() as opened:
        # Such a page has a copy of its opener's session storage, as a duplicated tab has.
        first.evaluate("open(location.href)")
    duplicate = opened.value
    join(duplicate)
    for page in (duplicate, second):
        page.wait_for_selector(TALKING)
    expect(first.locator("#door-trouble")).to_contain_text("perhaps by another tab of yours")
    expect(first.locator("#enter-button")).to_have_text("Join the call")
    assert first.evaluate(f"{CONNECTION}.connectionState") == "closed"
    expect_growth(duplicate, second)
    expect(first.locator("#door")).to_be_visible()
    assert second.evaluate("connections.length") == 2, "nobody took the other's seat again"


def test_seat_of_who_was_away_too_long_is_the_third_ones_when_the_door_says_so(
    visit: Visitors, board: Switchboard
) -> None:
    first, second = call(visit)
    board.holds = lambda message: message.get("code") == "SESSION_ENDED" and "about" not in message
    with first.context.expect_page() as opened:
        first.evaluate("open(location.href)")
    join(opened.value)  # the first was not told: it asks for its session, and finds it ended
    expect(first.locator("#door-trouble")).to_contain_text("Your seat in this room was taken")
    opened.value.wait_for_selector(TALKING)
    second.locator("#leave").click()
    expect(opened.value.locator("#card-title")).to_have_text("Waiting for the other person")
    expect(first.locator("#door")).to_be_visible()


def test_one_can_stop_waiting_when_the_room_is_full(visit: Visitors) -> None:
    first, second = call(visit)
    third = visit(first.url)
    join(third)
    trouble, stop = third.locator("#door-trouble"), third.locator("#stop-waiting")
    expect(trouble).to_contain_text("Two people are in this room")
    assert focused(third) == "stop-waiting"
    expect_accessible(third)
    third.keyboard.press("Enter")
    expect(stop).to_be_hidden()
    expect(trouble).to_be_hidden()
    assert focused(third) == "enter-button"
    third.clock.install()
    third.keyboard.press("Enter")
    expect(third.locator("#enter-button")).to_have_text("Waiting for a seat…")
    second.locator("#leave").click()
    expect(first.locator("#card-title")).to_have_text("Waiting for the other person")
    third.clock.fast_forward("00:06")
    third.wait_for_selector(TALKING)


def test_page_says_that_nobody_can_join_when_the_server_is_lost_while_one_waits(
    visit: Visitors, board: Switchboard
) -> None:
    page = visit()
    make_room(page)
    board.cut()
    expect(page.locator("#card-title")).to_have_text("No connection")
    expect(page.locator("#card-text")).to_contain_text("until it is back, nobody can join")
    board.reachable = True
    expect(page.locator("#card-title")).to_have_text("Waiting for the other person")


def test_polite_side_asks_again_when_the_offer_never_comes(
    visit: Visitors, board: Switchboard
) -> None:
    first = visit()
    link = make_room(first)
    board.holds = lambda message: message["type"] == "signal"
    second = visit(link)
    second.clock.install()
    join(second)
    expect(second.locator("#card-title")).to_have_text("Connecting…")
    board.held.clear()  # lost for good
    second.clock.fast_forward("00:13")
    second.wait_for_timeout(200)
    wishes = [said for said in board.heard if said.get("data") == {"wish": "restart"}]
    assert len(wishes) == 1
    board.release()
    for page in (first, second):
        page.wait_for_selector(TALKING)


def test_one_of_two_offers_gives_way_when_they_cross(visit: Visitors, board: Switchboard) -> None:
    pages = call(visit)
    board.holds = lambda message: message["type"] == "signal"
    for page in pages:
        page.evaluate(
            f"""() => {{
                window.states = [];
                {CONNECTION}.addEventListener("signalingstatechange", () =>
                    states.push({CONNECTION}.signalingState));
                {CONNECTION}.restartIce();
            }}"""
        )
        page.wait_for_function(f"() => {CONNECTION}.signalingState === 'have-local-offer'")
    offers = [said for said in board.heard[-40:] if "description" in said.get("data", {})]
    assert [said["data"]["description"]["type"] for said in offers[-2:]] == ["offer", "offer"]
    board.release()
    for page in pages:
        page.wait_for_function(
            f"() => {CONNECTION}.signalingState === 'stable' && "
            f"{CONNECTION}.connectionState === 'connected'"
        )
    impolite, polite = [page.evaluate("states") for page in pages]
    assert impolite[:2] == ["have-local-offer", "stable"], "its offer stood"
    assert "have-remote-offer" in polite, "the other's was taken back for it"
    expect_growth(*pages)


def test_a_call_is_made_and_left_when_there_is_a_keyboard_alone(visit: Visitors) -> None:
    def reach(page: Page, wanted: str) -> None:
        for _ in range(30):
            if focused(page) == wanted:
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to #{wanted}")

    first = visit()
    reach(first, "passphrase")
    first.keyboard.type("mill wheel")
    first.keyboard.press("Enter")
    expect(first.locator("#card-title")).to_have_text("Waiting for the other person")
    second = visit(first.url)
    reach(second, "enter-button")
    second.keyboard.press("Space")
    expect(second.locator("#door-trouble")).to_have_text("This room asks for a passphrase.")
    assert focused(second) == "passphrase"
    second.keyboard.type("mill stone")
    second.keyboard.press("Enter")
    expect(second.locator("#door-trouble")).to_contain_text("not the passphrase of this room")
    expect_accessible(second)
    second.keyboard.type("mill wheel")  # what was refused is marked: it is written over
    second.keyboard.press("Enter")
    for page in (first, second):
        page.wait_for_selector(TALKING)
    reach(first, "mic")
    first.keyboard.press("Space")
    expect(second.locator("#far-badges")).to_have_text("microphone off")
    reach(first, "words")
    first.keyboard.press("Enter")
    first.keyboard.type("Hello")
    first.keyboard.press("Enter")
    expect(second.locator("#words-list .word__text")).to_have_text("Hello")
    reach(second, "leave")
    second.keyboard.press("Enter")
    expect(second.locator("#door")).to_be_visible()
    assert focused(second) == "enter-button"
    expect(first.locator("#card-title")).to_have_text("Waiting for the other person")


def test_way_to_the_dashboard_is_shown_when_an_admin_calls(visit: Visitors, fake: Fake) -> None:
    page = visit()
    link = page.locator(".site-nav").get_by_text("Dashboard")
    expect(link).to_be_hidden()
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    page = visit(f"chat.html#token={TOKEN}")
    expect(page.locator(".site-nav").get_by_text("Dashboard")).to_be_visible()
