"""The player by keyboard: its shortcuts, its time line, its subtitles, here and in a frame."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake, video
from tests.e2e.pages.watching import WATCH, tab_to, time_of, wait_until

pytestmark = pytest.mark.needs_browser
EMBED = f"embed.html?v={video(1)['id']}"
LANGUAGES = {"en": "English", "de": "Deutsch"}


def ready(open_page: OpenPage, path: str = WATCH) -> Page:
    page = open_page(path)
    wait_until(page, "return v.readyState >= 2")
    return page


def wait_for_time(page: Page, seconds: float) -> None:
    wait_until(page, f"return !v.seeking && Math.abs(v.currentTime - {seconds}) < 0.01")


@pytest.mark.usefixtures("entry")
def test_place_moves_by_jumps_and_by_frames_when_keys_are_pressed(open_page: OpenPage) -> None:
    page = ready(open_page)
    press = page.keyboard.press
    press("l")
    wait_for_time(page, 10)
    press("Home")
    wait_for_time(page, 0)
    press("End")
    wait_until(page, "return Math.abs(v.currentTime - (v.duration - 0.1)) < 0.15")
    press("5")
    wait_until(page, "return !v.seeking && Math.abs(v.currentTime - 6) < 0.2")
    half = time_of(page)
    for key, frames in ((".", 1), (".", 2), (",", 1)):
        press(key)
        wait_for_time(page, half + frames / 25)
    press("k")
    wait_until(page, "return !v.paused && v.currentTime > 6.2")
    page.evaluate(
        """() => { window.sought = 0;
            document.querySelector("video").addEventListener("seeking", () => window.sought++); }"""
    )
    press(",")  # a single frame is for pictures that stand still
    wait_until(page, "return v.currentTime > 6.6")
    assert page.evaluate("window.sought") == 0


@pytest.mark.usefixtures("entry")
def test_speed_goes_down_and_up_within_its_list_when_keys_are_pressed(open_page: OpenPage) -> None:
    page = ready(open_page)
    for key, speed in (("<", 0.75), ("<", 0.5), ("<", 0.5), (">", 0.75), (">", 1), (">", 1.25)):
        page.keyboard.press(key)
        assert page.evaluate("document.querySelector('video').playbackRate") == speed
        expect(page.locator(".mr-note")).to_have_text(f"{speed}×")


@pytest.mark.usefixtures("entry")
def test_time_line_is_operated_when_it_has_the_focus(open_page: OpenPage) -> None:
    page = ready(open_page)
    tab_to(page, "Position")
    line = page.get_by_role("slider", name="Position")
    for key, seconds, spoken in (
        ("ArrowRight", 5, "5 seconds of 12 seconds"),
        ("ArrowRight", 10, "10 seconds of 12 seconds"),
        ("ArrowLeft", 5, "5 seconds of 12 seconds"),
        ("Home", 0, "0 seconds of 12 seconds"),
    ):
        page.keyboard.press(key)
        wait_for_time(page, seconds)
        expect(line).to_have_attribute("aria-valuetext", spoken)
    expect(line).to_be_focused()


@pytest.fixture
def subtitled(fake: Fake, sample: Path, tmp_path: Path) -> None:
    """The sample with subtitles in two languages, neither shown by itself."""
    folder = tmp_path / "subtitled"
    shutil.copytree(sample, folder)
    master = (folder / "master.m3u8").read_text()
    master = re.sub("(#EXT-X-STREAM-INF:.*)", r'\1,SUBTITLES="subs"', master)
    for code, name in LANGUAGES.items():
        master += f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="{name}",LANGUAGE="{code}",'
        master += f'DEFAULT=NO,AUTOSELECT=NO,URI="{code}.m3u8"\n'
        (folder / f"{code}.m3u8").write_text(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:12\n#EXT-X-PLAYLIST-TYPE:VOD\n"
            f"#EXTINF:12,\n{code}.vtt\n#EXT-X-ENDLIST\n"
        )
        (folder / f"{code}.vtt").write_text(f"WEBVTT\n\n00:00.000 --> 00:12.000\n{name}\n")
    (folder / "master.m3u8").write_text(master)
    fake.state.media = folder
    fake.state.videos = [video(1, title="Mill wheel", hls_url=fake.master_url)]


def wait_for_text(page: Page, *shown: str) -> None:
    page.wait_for_function(
        """(wanted) => Array.from(document.querySelector("video").textTracks)
            .filter(({ mode }) => mode === "showing").map(({ label }) => label).join()
            === wanted""",
        arg=",".join(shown),
    )


@pytest.mark.usefixtures("subtitled")
def test_subtitles_go_and_the_same_come_back_when_c_is_pressed(open_page: OpenPage) -> None:
    page = ready(open_page)
    button = page.get_by_role("button", name=re.compile("^Subtitles: "))
    expect(button).to_have_text("Off")
    page.keyboard.press("c")
    expect(button).to_have_text("English")
    wait_for_text(page, "English")
    button.click()
    page.get_by_role("menuitemradio", name="Deutsch").click()
    wait_for_text(page, "Deutsch")
    page.keyboard.press("c")
    expect(page.locator(".mr-note")).to_have_text("Subtitles off")
    wait_for_text(page)
    page.keyboard.press("c")
    expect(page.locator(".mr-note")).to_have_text("Subtitles: Deutsch")
    wait_for_text(page, "Deutsch")


@pytest.mark.usefixtures("entry")
def test_it_says_so_when_c_is_pressed_and_there_are_no_subtitles(open_page: OpenPage) -> None:
    page = ready(open_page)
    page.keyboard.press("c")
    expect(page.locator(".mr-note")).to_have_text("There are no subtitles")


@pytest.mark.usefixtures("entry")
def test_embedded_player_is_operated_by_keyboard_alone(open_page: OpenPage) -> None:
    page = ready(open_page, EMBED)
    tab_to(page, re.compile("^Play"))
    page.keyboard.press("Enter")
    wait_until(page, "return !v.paused && v.currentTime > 0.3")
    page.keyboard.press("k")
    wait_until(page, "return v.paused")
    tab_to(page, "Position")
    page.keyboard.press("ArrowRight")
    wait_until(page, "return v.currentTime > 5")
    tab_to(page, re.compile("^Quality: "))
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitemradio", name="Auto")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Quality: 180p")).to_be_focused()
    page.keyboard.press("k")
    wait_until(page, "return v.videoHeight === 180")
    tab_to(page, "Mill wheel")
    expect(page.get_by_role("link", name="Mill wheel")).to_be_focused()
