"""Calls of two real browsers with pretended cameras, over the deployed signalling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from bench.calls import callers
from local.websocket_gateway.frames import MAX_FRAME_BYTES
from tests.harness import chromium
from tests.harness.pipeline import REPOSITORY, Pipeline, eventually
from tests.harness.webrtc import REMEMBER_CONNECTIONS, expect_growth, own_end

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_cloud]

FLAGS = [
    *chromium.FLAGS,
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
TALKING = '#room[data-phase="talking"]'
NO_DEVICES = """
    navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("denied by the test", "NotAllowedError");
    };
"""
ICE_NAME = """() => /a=ice-ufrag:(.*)/.exec(connections.at(-1).localDescription.sdp)[1]"""
CONNECTED = "() => connections.at(-1).connectionState === 'connected'"
WATCH_FOR_GAPS = """() => {
    const far = document.querySelector("#far");
    let before = performance.now();
    Object.assign(window, { frames: 0, longestGap_ms: 0 });
    const look = (now) => {
        window.frames += 1;
        window.longestGap_ms = Math.max(window.longestGap_ms, now - before);
        before = now;
        far.requestVideoFrameCallback(look);
    };
    far.requestVideoFrameCallback(look);
}"""
LONGEST_GAP_MS = 2000
"""Between two pictures that are shown, on a machine that starts a gateway beside two browsers."""
AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium.CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


OpenDoor = Callable[..., Page]


@contextmanager
def _doors(browser: Browser, site_url: str) -> Iterator[OpenDoor]:
    """No page may log an error, but for the sockets that a test breaks on purpose; nor say more at
    once than half of what would close its socket."""
    complaints: list[str] = []
    said_bytes = [0]
    with ExitStack() as contexts:

        def open_door(link: str | None = None) -> Page:
            context: BrowserContext = browser.new_context(reduced_motion="reduce")
            contexts.callback(context.close)
            context.add_init_script(REMEMBER_CONNECTIONS)
            page = context.new_page()
            page.set_default_timeout(chromium.PATIENCE_MS)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda line: complaints.append(line.text) if line.type == "error" else None,
            )
            page.on("websocket", lambda socket: socket.on("framesent", note_size))
            page.goto(link or f"{site_url}/chat.html")
            return page

        def note_size(frame: str | bytes) -> None:
            said_bytes.append(len(frame.encode() if isinstance(frame, str) else frame))

        yield open_door
    assert [text for text in complaints if "WebSocket connection" not in text] == []
    assert max(said_bytes) <= MAX_FRAME_BYTES / 2


@pytest.fixture
def open_door(browser: Browser, pipeline: Pipeline) -> Iterator[OpenDoor]:
    """Opens the call page, as somebody of their own: `open_door(link)`."""
    with _doors(browser, pipeline.site_url) as open_door:
        yield open_door


@pytest.fixture(scope="module")
def call(browser: Browser, pipeline: Pipeline) -> Iterator[tuple[Page, Page]]:
    """Two who talk. Whoever uses them leaves them talking, but for the last."""
    with _doors(browser, pipeline.site_url) as open_door:
        yield _call(open_door)


def _make_room(page: Page, passphrase: str = "") -> str:
    """The link to share."""
    page.locator("#passphrase").fill(passphrase)
    page.get_by_role("button", name="Make a room").click()
    expect(page.locator("#card-title")).to_have_text("Waiting for the other person")
    return page.locator("#link").input_value()


def _join(page: Page) -> None:
    page.get_by_role("button", name="Join the call").click()


def _call(open_door: OpenDoor) -> tuple[Page, Page]:
    first = open_door()
    second = open_door(_make_room(first))
    _join(second)
    for page in (first, second):
        page.wait_for_selector(TALKING)
    return first, second


def test_both_see_hear_show_and_write_when_one_follows_the_others_link(
    call: tuple[Page, Page],
) -> None:
    first, second = call
    expect_growth(first, second)
    _show_the_screen(first, second)
    _write(first, second)
    _read_the_quality(first)
    second.locator("#camera").click()
    expect(first.locator("#far-badges")).to_contain_text("camera off")
    second.locator("#camera").click()
    expect(first.locator("#far-badges")).to_be_hidden()
    second.locator("#leave").click()
    expect(first.locator("#card-title")).to_have_text("Waiting for the other person")
    _join(second)
    for page in (first, second):
        page.wait_for_selector(TALKING)


def _show_the_screen(first: Page, second: Page) -> None:
    first.locator("#screen").click()
    expect(second.locator("#far-badges")).to_contain_text("shares the screen")
    expect_growth(second)
    # As the browser's own button does: the track ends, and the page is told.
    first.evaluate(
        """() => {
            const sender = window.connections.at(-1).getTransceivers()[1].sender;
            sender.track.stop();
            sender.track.dispatchEvent(new Event("ended"));
        }"""
    )
    expect(second.locator("#far-badges")).to_be_hidden()
    expect_growth(second)


def _write(first: Page, second: Page) -> None:
    first.locator("#words").click()
    first.locator("#words-text").fill("<b>Can you read this?</b>")
    first.keyboard.press("Enter")
    expect(second.locator("#words")).to_have_attribute("data-news", "")
    expect(second.locator("#words-list .word__text")).to_have_text("<b>Can you read this?</b>")


def _read_the_quality(first: Page) -> None:
    first.locator("#meter").click()
    expect(first.locator("#readings")).to_contain_text("opus")
    expect(first.locator("#readings")).to_contain_text("direct")
    with first.expect_download() as download:
        first.locator("#report").click()
    assert '"roundTrip_ms"' in Path(download.value.path()).read_text()


def test_call_takes_a_new_path_when_the_network_changes(call: tuple[Page, Page]) -> None:
    former = [page.evaluate(ICE_NAME) for page in call]
    # The polite side cannot restart by itself: it asks the other to.
    call[1].evaluate("dispatchEvent(new Event('online'))")

    def anew() -> bool:
        now = [page.evaluate(ICE_NAME) for page in call]
        return all(name != old for name, old in zip(now, former, strict=True))

    eventually("another name of the path on either side", anew, 30)
    expect_growth(*call)
    assert all(page.evaluate(CONNECTED) for page in call)


def test_call_goes_on_and_signalling_comes_back_when_the_gateway_is_killed(
    call: tuple[Page, Page], open_door: OpenDoor, pipeline: Pipeline
) -> None:
    first, second = call
    third = open_door(first.url)
    _join(third)
    expect(third.locator("#door-trouble")).to_contain_text("Two people are in this room")
    (gateway,) = pipeline.processes("local.websocket_gateway")
    for page in (first, second):
        page.evaluate(WATCH_FOR_GAPS)
    gateway.kill()
    expect_growth(first, second)
    expect(first.locator("#room")).to_have_attribute("data-phase", "talking")
    # Only the server can tell that somebody left, and who comes next.
    eventually("another gateway", lambda: pipeline.processes("local.websocket_gateway"), 60)
    for page in (first, second):
        expect(page.locator("#far-badges")).to_be_hidden()
        # From before the gateway died until its successor serves both.
        seen = page.evaluate("({ frames, longestGap_ms })")
        assert seen["frames"] > 10
        assert seen["longestGap_ms"] < LONGEST_GAP_MS
    second.locator("#leave").click()
    for page in (first, third):
        page.wait_for_selector(TALKING)
    expect_growth(first, third)


def test_other_side_notices_within_ten_seconds_when_a_browser_is_killed(
    open_door: OpenDoor, playwright: Playwright, tmp_path: Path
) -> None:
    first = open_door()
    link = _make_room(first)
    profile = tmp_path / "killed"
    context = playwright.chromium.launch_persistent_context(
        str(profile), executable_path=chromium.CHROMIUM, args=FLAGS
    )
    second = context.pages[0]
    second.add_init_script(NO_DEVICES + REMEMBER_CONNECTIONS)
    second.goto(link)
    expect(second.locator("#problems")).to_contain_text("may not use your camera")
    _join(second)
    for page in (first, second):
        page.wait_for_selector(TALKING)
    expect_growth(second)  # who has no camera sees and hears all the same
    for process in _browser_with(profile):
        process.kill()
    expect(first.locator("#room")).to_have_attribute("data-phase", "away", timeout=10_000)
    expect(first.locator("#card-text")).to_contain_text("lost")


def test_two_browsers_connect_without_a_relay_when_they_are_processes_of_their_own(
    pipeline: Pipeline, playwright: Playwright
) -> None:
    both = (Path(chromium.CHROMIUM), Path(chromium.CHROMIUM))
    site_url, patience_ms = pipeline.site_url, chromium.PATIENCE_MS
    with callers.in_a_call(playwright, both, site_url, patience_ms) as pages:
        expect_growth(*pages)
        # Each browser hides its own address behind a name of multicast DNS, and where that name
        # is not resolved in time the same address is known as `srflx` or `prflx`.
        for page in pages:
            assert own_end(page) in {"host", "srflx", "prflx"}
        for page in pages:
            seen: dict[str, Any] = page.evaluate("measureDelays(1)")
            assert seen["delays"], f"{seen['unreadable']} pictures show no time"


def _browser_with(profile: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(profile) in part for part in process.info["cmdline"] or []):
            found.append(process)
    return found


def test_room_with_a_passphrase_opens_to_it_alone_when_somebody_joins(
    open_door: OpenDoor,
) -> None:
    first = open_door()
    second = open_door(_make_room(first, "mill wheel"))
    _join(second)
    expect(second.locator("#door-trouble")).to_have_text("This room asks for a passphrase.")
    second.locator("#passphrase").fill("mill stone")
    _join(second)
    expect(second.locator("#door-trouble")).to_have_text("That is not the passphrase of this room.")
    second.locator("#passphrase").fill("mill wheel")
    _join(second)
    for page in (first, second):
        page.wait_for_selector(TALKING)
    second.reload()
    # The tab's own key opens the door, and its seat is still there.
    _join(second)
    second.wait_for_selector(TALKING)
    first.wait_for_function(
        "connections.length === 2 && connections.at(-1).connectionState === 'connected'"
    )
    expect_growth(first, second)


def test_page_says_that_the_server_wakes_up_when_it_takes_its_time(open_door: OpenDoor) -> None:
    page = open_door()
    page.route_web_socket("**", lambda _: None)  # connected, and silent
    page.reload()  # pages that are there already keep the real ones
    page.clock.install()
    page.get_by_role("button", name="Make a room").click()
    button, trouble = page.locator("#enter-button"), page.locator("#door-trouble")
    expect(button).to_have_text("One moment…")
    page.clock.fast_forward("00:04")
    expect(button).to_have_text("The server is waking up…")
    expect(trouble).to_be_hidden()
    page.clock.fast_forward("00:15")
    expect(trouble).to_contain_text("The server does not answer")


def test_axe_finds_nothing_and_nothing_overflows_when_at_the_door_and_inside(
    open_door: OpenDoor,
) -> None:
    page = open_door()
    _expect_accessible(page)
    _make_room(page)
    for panel in ("#meter", "#words"):
        page.locator(panel).click()
        _expect_accessible(page)


def _expect_accessible(page: Page) -> None:
    page.evaluate(AXE.read_text())
    # Each theme and each width once: the pairs not looked at share their colours or their layout.
    for dark, width in ((False, 1440), (True, 360)):
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": width, "height": 800})
        faults: list[Any] = page.evaluate(
            """async () => (await axe.run({resultTypes: ["violations"]})).violations.map(
                 ({id, nodes}) => [id, ...nodes.map(({html}) => html.slice(0, 160))])"""
        )
        assert faults == [], f"{width} px"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} px"
