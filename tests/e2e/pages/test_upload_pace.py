"""How an upload goes: how fast, how much longer, how much at once; and its options by keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake
from tests.e2e.pages.uploading import pick
from tests.e2e.pages.watching import tab_to

pytestmark = pytest.mark.needs_browser
SIGNED_IN = f"upload.html#token={TOKEN}"
PARALLEL = 3


@pytest.fixture
def film(tmp_path: Path, fake: Fake) -> Path:
    """A file of ten parts."""
    fake.state.single_post_bytes = 100_000
    fake.state.part_size_bytes = 100_000
    path = tmp_path / "film.mkv"
    path.write_bytes(bytes(1_000_000))
    return path


def test_speed_and_time_left_are_told_when_a_file_is_being_sent(
    open_page: OpenPage, film: Path
) -> None:
    page = open_page(SIGNED_IN)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    limits = {"offline": False, "latency": 5, "downloadThroughput": -1}
    slow = {**limits, "uploadThroughput": 50_000}
    network.send("Network.emulateNetworkConditions", slow)
    pick(page, film)
    row = page.locator(".job")
    expect(row).to_contain_text(re.compile(r"of 1(\.0)? MB · [\d.]+ (kb|Mb)/s · \d+ s left"))
    network.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": -1})
    expect(row).to_contain_text("Queued")


def test_several_parts_are_under_way_at_once_when_a_file_has_many(
    fake: Fake, open_page: OpenPage, film: Path
) -> None:
    gate = fake.gate()
    fake.state.storage_gate = gate  # part 1 passes, the others wait
    page = open_page(SIGNED_IN)
    pick(page, film)
    for _ in range(200):
        if fake.state.parts_held == PARALLEL:
            break
        page.wait_for_timeout(50)
    page.wait_for_timeout(300)  # a fourth would have come
    assert fake.state.parts_held == PARALLEL
    fake.open(gate)
    expect(page.locator(".job")).to_contain_text("Queued")


def repeat(page: Page, key: str, wanted: Locator) -> None:
    """Press a key until what is wanted has the focus."""
    for _ in range(40):
        if wanted.evaluate("(field) => field === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never reaches {wanted}")


def test_options_are_chosen_by_keyboard_alone(fake: Fake, open_page: OpenPage, small: Path) -> None:
    page = open_page(SIGNED_IN)
    expect(page.locator("#access-name")).to_have_text("ann")
    press = page.keyboard.press
    tab_to(page, re.compile("^How videos are made"))
    press("Enter")
    expect(page.get_by_role("radio", name="HEVC")).to_be_visible()
    press("Tab")
    repeat(page, "ArrowDown", page.get_by_role("radio", name="HEVC"))
    expect(page.get_by_role("radio", name="HEVC")).to_be_checked()
    tab_to(page, re.compile("^More options"))
    press("Enter")
    repeat(page, "Tab", page.get_by_label("Seconds a segment"))
    press("ControlOrMeta+a")
    page.keyboard.type("2")
    look = page.get_by_label("Let me look at each file")
    repeat(page, "Tab", look)
    press("Space")
    expect(look).to_be_checked()
    pick(page, small)
    title = page.locator(".job").get_by_label("Title")
    expect(title).to_be_visible()
    repeat(page, "Tab", title)
    press("ControlOrMeta+a")
    page.keyboard.type("The Mill")
    tab_to(page, re.compile("^Send"))
    press("Enter")
    expect(page.locator(".job")).to_contain_text("Queued")
    [body] = fake.state.uploads.values()
    assert (body["title"], body["settings"]) == ("The Mill", {"ladder": "hevc", "segment_s": 2})
