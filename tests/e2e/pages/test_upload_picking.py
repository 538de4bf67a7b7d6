"""Files that are picked or dropped on the upload page: which are taken, and when."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake
from tests.e2e.pages.uploading import pick

pytestmark = pytest.mark.needs_browser
SIGNED_IN = f"upload.html#token={TOKEN}"


def test_files_are_kept_when_picked_before_the_page_knows_its_api(
    fake: Fake, open_page: OpenPage, small: Path
) -> None:
    fake.state.config_gate = gate = fake.gate()
    page = open_page(SIGNED_IN)
    pick(page, small)
    assert fake.state.count("GET /api") == 0
    fake.open(gate)
    expect(page.locator(".job", has_text="Queued")).to_have_count(1)


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


def test_too_large_a_file_is_refused_in_words_when_the_api_has_a_limit(
    fake: Fake, open_page: OpenPage, small: Path
) -> None:
    fake.state.max_bytes = 4000
    page = open_page(SIGNED_IN)
    expect(page.locator("#drop")).to_contain_text("Each may have up to 4.0 kB.")
    pick(page, small)
    expect(page.locator(".job")).to_contain_text("The file has 5.0 kB. At most 4.0 kB are taken")
    assert fake.state.count("POST") == 0


def test_file_is_taken_once_when_it_is_picked_twice(
    fake: Fake, open_page: OpenPage, small: Path
) -> None:
    page = open_page(SIGNED_IN)
    pick(page, small)
    expect(page.locator(".job")).to_contain_text("Queued")
    pick(page, small)
    expect(page.locator("#queue-note")).to_have_text("short clip.mp4 is in the list already.")
    expect(page.locator(".job")).to_have_count(1)
    assert fake.state.count("POST /api/uploads →") == 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two videos, one of them deeper, among other things."""
    folder = tmp_path / "holiday"
    (folder / "day 2").mkdir(parents=True)
    (folder / "a.mp4").write_bytes(b"video a")
    (folder / "day 2" / "b.mov").write_bytes(b"video b")
    (folder / "notes.txt").write_text("words")
    (folder / ".hidden.mp4").write_bytes(b"x")
    return folder


def test_videos_are_taken_out_of_a_folder_when_it_is_picked(
    fake: Fake, open_page: OpenPage, folder: Path
) -> None:
    page = open_page(SIGNED_IN)
    page.locator("#folder").set_input_files(folder)
    expect(page.locator(".job", has_text="Queued")).to_have_count(2)
    expect(page.locator("#queue-note")).to_contain_text("in the folder")
    assert sorted(body["filename"] for body in fake.state.uploads.values()) == ["a.mp4", "b.mov"]


def test_videos_are_taken_out_of_a_folder_when_it_is_dropped(
    fake: Fake, open_page: OpenPage, folder: Path
) -> None:
    page = open_page(SIGNED_IN)
    expect(page.locator("#access-name")).to_have_text("ann")
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 400, "data": data})
    expect(page.locator(".job", has_text="Queued")).to_have_count(2)
    expect(page.locator("#queue-note")).to_have_text("2 files in the folder are no videos.")
