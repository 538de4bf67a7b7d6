"""The upload page, loaded again in the middle of an upload: what it remembers, asks and sends."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake

pytestmark = pytest.mark.needs_browser
SIGNED_IN = f"upload.html#token={TOKEN}"
KEPT = "JSON.stringify(Object.entries(localStorage).filter(([key]) => key.includes('.upload.')))"


@pytest.fixture
def film(tmp_path: Path, fake: Fake) -> Path:
    """Of five parts, small enough to be quick: the sizes are the API's to say."""
    fake.state.single_post_bytes = 100_000
    fake.state.part_size_bytes = 250_000
    path = tmp_path / "holiday.mkv"
    path.write_bytes(bytes(number % 251 for number in range(1_100_000)))
    return path


def interrupt(page: Page, fake: Fake, film: Path) -> tuple[str, asyncio.Event]:
    """Pick the film, load the page again once part 1 of 5 has arrived: the video's id, and the
    gate that holds the other parts up."""
    gate = fake.gate()
    fake.state.storage_gate = gate
    page.locator("#files").set_input_files(film)
    page.wait_for_function(f"() => {KEPT} !== '[]'")
    [video_id] = fake.state.uploads
    expect(page.locator(".job")).to_contain_text(re.compile("[1-9][0-9]? %"))
    while f"PUT /storage/{video_id}/1 → 200" not in fake.state.requests:
        page.wait_for_timeout(20)
    page.reload()
    fake.state.stored[video_id] = {1: fake.state.stored[video_id][1]}
    return video_id, gate


def test_only_missing_parts_are_sent_when_the_same_file_is_picked_after_a_reload(
    fake: Fake, open_page: OpenPage, film: Path
) -> None:
    page = open_page(SIGNED_IN)
    page.on("filechooser", lambda chooser: chooser.set_files(film))
    video_id, gate = interrupt(page, fake, film)
    row = page.locator(".job")
    expect(row).to_contain_text("22 % sent")
    expect(row).to_contain_text("Begun just now. Choose the same file again")
    kept = page.evaluate(KEPT)
    assert TOKEN not in kept
    assert "http://127.0.0.1" not in kept.replace(fake.site_url, ""), "no address of storage"
    fake.state.requests.clear()
    fake.open(gate)
    row.get_by_role("button", name="Choose the file holiday.mkv").click()
    expect(row).to_contain_text("Queued")
    parts = fake.state.stored[video_id]
    assert b"".join(data for _, data in sorted(parts.items())) == film.read_bytes()
    sent = {line for line in fake.state.requests if line.startswith("PUT")}
    assert sent == {f"PUT /storage/{video_id}/{part} → 200" for part in (2, 3, 4, 5)}
    assert fake.state.count("POST /api/uploads →") == 0, "the same upload"
    assert page.evaluate(KEPT) == "[]", "nothing is remembered of what is done"


def test_it_goes_on_when_the_same_file_is_dropped_among_others(
    fake: Fake, open_page: OpenPage, film: Path
) -> None:
    page = open_page(SIGNED_IN)
    video_id, gate = interrupt(page, fake, film)
    expect(page.locator(".job")).to_contain_text("22 % sent")
    fake.open(gate)
    other = film.with_name("other.mp4")
    other.write_bytes(b"small")
    page.locator("#files").set_input_files([other, film])
    expect(page.locator(".job", has_text="Queued")).to_have_count(2)
    assert fake.state.count(f"PUT /storage/{video_id}/1 → 200") == 1
    assert len(fake.state.uploads) == 2


def test_changed_file_is_told_apart_and_sent_anew_when_asked(
    fake: Fake, open_page: OpenPage, film: Path
) -> None:
    page = open_page(SIGNED_IN)
    video_id, gate = interrupt(page, fake, film)
    film.write_bytes(b"other" + film.read_bytes()[5:])
    row = page.locator(".job")
    expect(row).to_contain_text("22 % sent")
    page.locator("#files").set_input_files(film)
    expect(row).to_contain_text("begins or ends differently from the one begun")
    film.write_bytes(film.read_bytes() + b"more")
    page.locator("#files").set_input_files(film)
    expect(row).to_contain_text("has 1,100,004 bytes, the one begun had 1,100,000 bytes")
    fake.open(gate)
    row.get_by_role("button", name="Start over holiday.mkv").click()
    expect(row).to_contain_text("Queued")
    assert fake.state.uploads[video_id]["state"] == "aborted"
    [other] = set(fake.state.uploads) - {video_id}
    parts = fake.state.stored[other]
    assert b"".join(data for _, data in sorted(parts.items())) == film.read_bytes()


def test_discarded_upload_is_aborted_at_the_api(
    fake: Fake, open_page: OpenPage, film: Path
) -> None:
    page = open_page(SIGNED_IN)
    video_id, _ = interrupt(page, fake, film)
    page.get_by_role("button", name="Discard holiday.mkv").click()
    expect(page.locator(".job")).to_have_count(0)
    assert fake.state.uploads[video_id]["state"] == "aborted"
    assert page.evaluate(KEPT) == "[]"


def test_nothing_is_offered_when_the_upload_has_expired(
    fake: Fake, open_page: OpenPage, film: Path
) -> None:
    page = open_page(SIGNED_IN)
    interrupt(page, fake, film)
    expect(page.locator(".job")).to_have_count(1)
    page.evaluate(
        """() => {
             for (const [key, text] of Object.entries(localStorage))
               localStorage.setItem(key,
                 JSON.stringify({...JSON.parse(text), expiresAt: "2020-01-01"}));
           }"""
    )
    page.reload()
    expect(page.locator("#queue-empty")).to_be_visible()
    page.wait_for_function(f"() => {KEPT} === '[]'")


def test_only_their_owner_is_shown_them_when_another_signs_in(
    fake: Fake, open_page: OpenPage, film: Path
) -> None:
    bob = "mr_" + "b" * 43
    fake.state.tokens[bob] = {"name": "bob", "roles": ["uploader"], "expires_at": None}
    page = open_page(SIGNED_IN)
    interrupt(page, fake, film)
    expect(page.locator(".job")).to_have_count(1)
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator(".job")).to_have_count(0)
    for token, rows in ((bob, 0), (TOKEN, 1)):
        page.get_by_label("Access token").fill(token)
        page.get_by_label("Access token").press("Enter")
        expect(page.locator("#access-name")).to_have_text(fake.state.tokens[token]["name"])
        expect(page.locator(".job")).to_have_count(rows)
        if rows == 0:
            page.get_by_role("button", name="Sign out").click()


def test_it_is_told_as_arrived_when_it_was_finished_elsewhere(
    fake: Fake, open_page: OpenPage, film: Path
) -> None:
    page = open_page(SIGNED_IN)
    video_id, _ = interrupt(page, fake, film)
    expect(page.locator(".job")).to_have_count(1)
    fake.state.uploads[video_id]["state"] = "complete"
    fake.state.videos.append({"id": video_id, "title": "holiday", "status": "completed"})
    page.reload()
    expect(page.locator(".job")).to_contain_text("Ready to watch")
    expect(page.get_by_role("link", name="Watch holiday.mkv")).to_be_visible()


def test_other_tab_does_not_offer_what_this_one_is_sending(
    fake: Fake, open_page: OpenPage, film: Path
) -> None:
    page = open_page(SIGNED_IN)
    fake.state.storage_gate = fake.gate()
    page.locator("#files").set_input_files(film)
    page.wait_for_function(f"() => {KEPT} !== '[]'")
    other = page.context.new_page()
    other.goto(f"{fake.site_url}/{SIGNED_IN}")
    expect(other.locator("#access-name")).to_have_text("ann")
    # It asks the other tabs first; the picture is settled once its own request would be there.
    other.wait_for_timeout(500)
    expect(other.locator(".job")).to_have_count(0)
    page.close()
    other.reload()
    expect(other.locator(".job")).to_contain_text("22 % sent")
