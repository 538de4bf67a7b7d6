"""The upload page: what is sent, what is sent again, what a person is told."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake
from tests.e2e.pages.uploading import pick
from tests.e2e.pages.watching import tab_to

pytestmark = pytest.mark.needs_browser
SIGNED_IN = f"upload.html#token={TOKEN}"


@pytest.fixture
def large(tmp_path: Path, fake: Fake) -> Path:
    """A file of 5 parts, small enough to be quick: the sizes are the API's to say."""
    fake.state.single_post_bytes = 100_000
    fake.state.part_size_bytes = 250_000
    path = tmp_path / "holiday.mkv"
    path.write_bytes(bytes(number % 251 for number in range(1_100_000)))
    return path


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


def test_wrong_token_is_told_and_replaced_before_anything_is_sent(
    fake: Fake, open_page: OpenPage, small: Path
) -> None:
    page = open_page(f"upload.html#token=mr_{'x' * 43}")
    expect(page.locator("#token-error")).to_have_text("The access token was not accepted.")
    expect(page.get_by_role("button", name="Choose files")).to_be_hidden()
    field = page.get_by_label("Access token")
    field.fill("nonsense")
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#token-error")).to_contain_text("begins with mr_")
    field.fill(TOKEN)
    field.press("Enter")
    expect(page.locator("#access-known")).to_contain_text("ann")
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    pick(page, small)
    expect(page.locator(".job")).to_contain_text("Queued")


def test_viewer_is_offered_no_upload_and_told_why(open_page: OpenPage, small: Path) -> None:
    page = open_page("upload.html")
    expect(page.locator("#drop")).to_contain_text("Watching needs no token, uploading does.")
    expect(page.get_by_role("button", name="Choose files")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose a folder")).to_be_hidden()
    pick(page, small)
    expect(page.locator("#token-error")).to_contain_text("Enter an access token first")
    expect(page.locator(".job")).to_have_count(0)


def test_uploads_stop_and_nothing_is_kept_of_the_token_when_signing_out(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    gate = fake.gate()
    fake.state.storage_gate = gate
    page = open_page(SIGNED_IN)
    pick(page, large)
    row = page.locator(".job")
    [video_id] = _wait_for_uploads(page, fake)
    _wait_for_line(page, fake, f"PUT /storage/{video_id}/1 → 200")
    page.get_by_role("button", name="Sign out").click()
    expect(row).to_contain_text(re.compile(r"Paused at \d+ %"))
    expect(page.locator("#drop")).to_contain_text("Uploading needs a token")
    kept = page.evaluate("JSON.stringify([Object.entries(localStorage), sessionStorage.length])")
    assert TOKEN not in kept
    assert kept.endswith(",0]"), "nothing in the session"
    fake.open(gate)
    page.get_by_label("Access token").fill(TOKEN)
    page.get_by_label("Access token").press("Enter")
    expect(page.locator("#access-name")).to_have_text("ann")
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("Queued")
    assert stored_bytes(fake) == large.read_bytes()


def test_what_the_token_may_do_is_told_when_signed_in(fake: Fake, open_page: OpenPage) -> None:
    fake.state.tokens[TOKEN] = {
        "name": "Ann's laptop",
        "roles": ["admin"],
        "expires_at": "2999-05-01T12:00:00.000000Z",
    }
    page = open_page(SIGNED_IN)
    known = page.locator("#access-known")
    expect(known).to_contain_text("Ann's laptop")
    expect(known).to_contain_text(re.compile(r"manage every video, until 1 May 2999"))


def test_upload_goes_on_with_what_was_sent_when_the_token_expires_midway(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    fake.state.part_size_bytes = 100_000  # more parts than URLs are asked for at once
    gate = fake.gate()
    fake.state.storage_gate = gate
    page = open_page(SIGNED_IN)
    pick(page, large)
    [video_id] = _wait_for_uploads(page, fake)
    _wait_for_line(page, fake, f"PUT /storage/{video_id}/1 → 200")
    renewed = "mr_" + "n" * 43
    fake.state.tokens = {renewed: fake.state.tokens[TOKEN]}
    fake.open(gate)
    row = page.locator(".job")
    expect(row).to_contain_text("The access token has expired. Enter a new one")
    expect(row).to_contain_text(re.compile(r"Waits at \d+ %"))
    sent_before = dict(fake.state.stored[video_id])
    assert sent_before, "something was sent before"
    field = page.get_by_label("Access token")
    field.fill(renewed)
    field.press("Enter")
    expect(row).to_contain_text("Queued")
    assert stored_bytes(fake) == large.read_bytes()
    assert fake.state.count(f"PUT /storage/{video_id}/") == 11, "no part twice"


def test_busy_api_is_told_in_words_and_outlasted_when_it_answers_503(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    fake.state.retry_after_s = 3
    fake.state.refusals = Counter({"POST /api/uploads": 1})
    page = open_page(SIGNED_IN)
    pick(page, large)
    row = page.locator(".job")
    expect(row).to_contain_text(re.compile(r"Millrace is busy \(503\)\. Next try in [23] s\."))
    assert fake.state.count("POST /api/uploads → 201") == 0, "it waits as long as it was asked to"
    expect(row).to_contain_text("Queued")
    expect(row.locator(".job__trouble")).to_be_hidden()
    assert stored_bytes(fake) == large.read_bytes()
    assert fake.state.count("POST /api/uploads →") == 2


def test_choices_go_with_the_file_when_they_are_made(
    fake: Fake, open_page: OpenPage, small: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(b"other")
    page = open_page(SIGNED_IN)
    page.get_by_text("How videos are made").click()
    page.get_by_role("radio", name="HEVC").check()
    expect(page.locator(".ladder", has_text="HEVC")).to_contain_text("2160p, 1440p, 1080p")
    page.get_by_text("More options").click()
    page.get_by_label("Segments are").select_option("mpegts")
    expect(page.locator("#settings-note")).to_contain_text("MPEG-TS carries H.264 only")
    page.get_by_label("Seconds a segment").fill("2")
    page.get_by_label("Priority").first.select_option("high")
    page.get_by_label("Let me look at each file").check()
    pick(page, small, other)
    row = page.locator(".job", has_text="short clip")
    expect(row).to_contain_text("Not sent yet")
    assert fake.state.count("POST") == 0
    row.get_by_label("Title").fill("The Mill")
    row.get_by_label("Ladder").select_option("av1")
    page.get_by_role("button", name="Send all").click()
    expect(page.locator(".job", has_text="Queued")).to_have_count(2)
    bodies = {body["filename"]: body for body in fake.state.uploads.values()}
    shared = {"segment_s": 2, "priority": "high"}
    assert bodies["short clip.mp4"]["title"] == "The Mill"
    assert bodies["short clip.mp4"]["settings"] == {"ladder": "av1", **shared}
    assert "title" not in bodies["other.mp4"]
    assert bodies["other.mp4"]["settings"] == {"ladder": "hevc", **shared}
    expect(row.get_by_label("Title")).to_be_hidden()


def test_all_files_stop_and_go_on_when_asked_together(
    fake: Fake, open_page: OpenPage, large: Path, small: Path
) -> None:
    third = large.with_name("third.mkv")
    third.write_bytes(large.read_bytes()[:500_000])
    gate = fake.gate()
    fake.state.storage_gate = gate
    page = open_page(SIGNED_IN)
    pick(page, large, small, third)
    expect(page.locator("#queue-count")).to_have_text("3 files, 3 on the way")
    page.get_by_role("button", name="Pause all").click()
    expect(page.locator(".job", has_text="Paused at")).to_have_count(3)
    fake.open(gate)
    page.get_by_role("button", name="Resume all").click()
    expect(page.locator(".job", has_text="Queued")).to_have_count(3)
    sent = {len(b"".join(parts.values())) for parts in fake.state.stored.values()}
    assert sent == {1_100_000, 5000, 500_000}
    expect(page.get_by_role("button", name="Pause all")).to_be_hidden()


def test_all_uploads_are_aborted_when_cancelled_together_and_confirmed(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    other = large.with_name("other.mkv")
    other.write_bytes(large.read_bytes())
    fake.state.storage_gate = fake.gate()
    page = open_page(SIGNED_IN)
    pick(page, large, other)
    expect(page.locator(".job", has_text="%")).to_have_count(2)
    page.get_by_role("button", name="Cancel all").click()
    page.get_by_role("button", name="Go on uploading").click()
    expect(page.locator(".job", has_text="Cancelled")).to_have_count(0)
    page.get_by_role("button", name="Cancel all").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel all").click()
    expect(page.locator(".job", has_text="Cancelled")).to_have_count(2)
    for video_id in list(fake.state.uploads):
        _wait_for_line(page, fake, f"DELETE /api/uploads/{video_id} → 204")
    page.get_by_role("button", name="Clear finished").click()
    expect(page.locator(".job")).to_have_count(0)


def test_person_is_asked_before_leaving_when_a_file_is_being_sent(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    fake.state.storage_gate = fake.gate()
    page = open_page(SIGNED_IN)
    page.locator("h1").click()  # browsers ask only where somebody did something
    pick(page, large)
    expect(page.locator(".job")).to_contain_text("%")
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    page.goto(f"{fake.site_url}/index.html")
    assert asked == ["beforeunload"]


def test_upload_is_begun_paused_and_resumed_by_keyboard_alone(
    fake: Fake, open_page: OpenPage, large: Path
) -> None:
    gate = fake.gate()
    fake.state.storage_gate = gate
    page = open_page(SIGNED_IN)
    # Listening from the start: Chromium is a moment late to hand over its first chooser.
    page.on("filechooser", lambda chooser: chooser.set_files(large))
    expect(page.locator("#access-name")).to_have_text("ann")
    tab_to(page, "Choose files")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause holiday.mkv")).to_be_visible()
    tab_to(page, "Pause holiday.mkv")
    page.keyboard.press("Enter")
    expect(page.locator(".job")).to_be_focused()
    tab_to(page, "Resume holiday.mkv")
    fake.open(gate)
    page.keyboard.press("Enter")
    expect(page.locator(".job")).to_contain_text("Queued")


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
