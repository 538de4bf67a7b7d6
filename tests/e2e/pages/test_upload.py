"""The upload page: what is sent, what is sent again, what a person is told."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake

pytestmark = pytest.mark.needs_browser
SIGNED_IN = f"upload.html#token={TOKEN}"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "short clip.mp4"
    path.write_bytes(b"small" * 1000)
    return path


@pytest.fixture
def large(tmp_path: Path, fake: Fake) -> Path:
    """A file of 5 parts, small enough to be quick: the sizes are the API's to say."""
    fake.state.single_post_bytes = 100_000
    fake.state.part_size_bytes = 250_000
    path = tmp_path / "holiday.mkv"
    path.write_bytes(bytes(number % 251 for number in range(1_100_000)))
    return path


def pick(page: Page, *paths: Path) -> None:
    page.locator("#files").set_input_files(list(paths))


def stored_bytes(fake: Fake) -> bytes:
    [parts] = fake.state.stored.values()
    return b"".join(data for _, data in sorted(parts.items()))


def test_token_leaves_the_address_bar_when_it_came_by_link(open_page: OpenPage) -> None:
    page = open_page(SIGNED_IN)
    expect(page.locator("#access-known")).to_contain_text("…tttt")
    assert TOKEN not in page.url
    assert page.evaluate("Object.keys(localStorage).length") == 0
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Access token")).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0


def test_small_file_is_posted_and_followed_until_it_can_be_watched(
    fake: Fake, open_page: OpenPage, small: Path
) -> None:
    page = open_page(SIGNED_IN)
    pick(page, small)
    row = page.locator(".job")
    expect(row).to_contain_text("short clip.mp4")
    expect(row).to_contain_text("Queued")
    assert stored_bytes(fake) == small.read_bytes()
    [uploaded] = fake.state.videos
    uploaded |= {"status": "processing", "percent": 44}
    expect(row).to_contain_text("Processing 44 %")
    bar = row.get_by_role("progressbar", name="Transcoding")
    expect(bar).to_have_attribute("aria-valuenow", "44")
    expect(row.get_by_role("link")).to_be_hidden()
    uploaded |= {"playable": True}
    expect(row).to_contain_text("can be watched already")
    uploaded |= {"status": "completed", "percent": 100}
    expect(row).to_contain_text("Completed")
    expect(row.get_by_role("link", name="Watch")).to_have_attribute(
        "href", f"watch.html?v={uploaded['id']}"
    )


def test_failed_video_says_why_on_its_row(fake: Fake, open_page: OpenPage, small: Path) -> None:
    page = open_page(SIGNED_IN)
    pick(page, small)
    expect(page.locator(".job")).to_contain_text("Queued")
    reason = {"code": "CORRUPT", "message": "moov atom not found"}
    fake.state.videos[0] |= {"status": "failed", "reason": reason}
    expect(page.locator(".job")).to_contain_text("damaged or was cut off")
    expect(page.locator(".job")).to_have_attribute("data-phase", "failed")


def test_large_file_arrives_whole_when_a_part_fails_twice(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    fake.state.part_failures = Counter({3: 2})
    page = open_page(SIGNED_IN)
    pick(page, large)
    expect(page.locator(".job")).to_contain_text("Queued")
    assert hashlib.sha256(stored_bytes(fake)).digest() == (
        hashlib.sha256(large.read_bytes()).digest()
    )
    [video_id] = fake.state.uploads
    assert fake.state.count(f"PUT /storage/{video_id}/3 → 500") == 2
    assert fake.state.count(f"PUT /storage/{video_id}/") == 5 + 2, "only the broken part again"


def test_new_url_is_asked_for_when_a_part_url_has_expired(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    fake.state.expired_parts = {2}
    page = open_page(SIGNED_IN)
    pick(page, large)
    expect(page.locator(".job")).to_contain_text("Queued")
    assert stored_bytes(fake) == large.read_bytes()


def test_paused_upload_goes_on_where_it_stopped(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    gate = fake.gate()
    fake.state.storage_gate = gate  # part 1 passes, the others wait
    page = open_page(SIGNED_IN)
    pick(page, large)
    row = page.locator(".job")
    [video_id] = _wait_for_uploads(page, fake)
    _wait_for_line(page, fake, f"PUT /storage/{video_id}/1 → 200")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text(re.compile(r"Paused at \d+ %"))
    fake.open(gate)
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("Queued")
    assert stored_bytes(fake) == large.read_bytes()
    assert fake.state.count(f"PUT /storage/{video_id}/1 → 200") == 1, "not sent twice"


def test_cancelled_upload_is_aborted_at_the_api(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    gate = fake.gate()
    fake.state.storage_gate = gate
    page = open_page(SIGNED_IN)
    pick(page, large)
    row = page.locator(".job")
    [video_id] = _wait_for_uploads(page, fake)
    expect(row.get_by_role("button", name="Pause")).to_be_visible()
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("Cancelled")
    _wait_for_line(page, fake, f"DELETE /api/uploads/{video_id} → 204")
    assert fake.state.uploads[video_id]["state"] == "aborted"
    row.get_by_role("button", name="Remove").click()
    expect(page.locator(".job")).to_have_count(0)


def test_upload_goes_on_by_itself_when_the_wrong_token_is_replaced(
    fake: Fake, open_page: OpenPage, small: Path
) -> None:
    page = open_page(f"upload.html#token=mr_{'x' * 43}")
    pick(page, small)
    row = page.locator(".job")
    expect(row).to_contain_text("The access token was not accepted")
    expect(page.locator("#token-error")).to_have_text("This token was not accepted.")
    field = page.get_by_label("Access token")
    field.fill("nonsense")
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#token-error")).to_contain_text("begins with mr_")
    field.fill(TOKEN)
    field.press("Enter")
    expect(row).to_contain_text("Queued")
    expect(page.locator("#access-known")).to_be_visible()


def test_file_is_refused_before_anything_is_sent_when_it_is_no_video(
    fake: Fake, open_page: OpenPage, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("words")
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    page = open_page(SIGNED_IN)
    pick(page, notes, empty)
    expect(page.locator(".job", has_text="notes.txt")).to_contain_text(".txt files are not taken")
    expect(page.locator(".job", has_text="empty.mp4")).to_contain_text("The file is empty")
    assert fake.state.count("POST") == 0


def test_dropped_files_are_taken_when_several_come_at_once(fake: Fake, open_page: OpenPage) -> None:
    page = open_page(SIGNED_IN)
    transfer = page.evaluate_handle(
        """() => {
            const data = new DataTransfer();
            for (const name of ["a.mp4", "b.webm", "c.mov"])
                data.items.add(new File(["video of " + name], name));
            return data;
        }"""
    )
    page.locator("#drop").dispatch_event("dragenter", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_have_attribute("data-over", "")
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.locator(".job", has_text="Queued")).to_have_count(3)
    assert sorted(body["filename"] for body in fake.state.uploads.values()) == [
        "a.mp4",
        "b.webm",
        "c.mov",
    ]


def _wait_for_uploads(page: Page, fake: Fake) -> list[str]:
    for _ in range(100):
        if fake.state.uploads:
            return list(fake.state.uploads)
        page.wait_for_timeout(50)
    raise AssertionError("no upload was begun")


def _wait_for_line(page: Page, fake: Fake, line: str) -> None:
    for _ in range(100):
        if line in fake.state.requests:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{line!r} is not among {fake.state.requests}")
