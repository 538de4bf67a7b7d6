"""The watch page plays what the engine makes, in each container, with its subtitles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from millrace.ladder import Rung
from millrace.plan import Container
from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake, video
from tests.harness import media
from tests.harness.output import transcode

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_engine]
WATCH = f"watch.html?v={video(1)['id']}"
SHOWING = """() => Array.from(document.querySelector("video").textTracks)
    .filter(({ mode }) => mode === "showing").map(({ label }) => label)"""
RUNGS = (Rung("180p", 180, 300_000, 23),)


def played(page: Page) -> dict[str, Any]:
    """Plays to the end; what the video element says then, with the cues of the text it shows."""
    page.locator(".mr-start").wait_for()
    page.evaluate(
        """() => {
            const v = document.querySelector("video");
            v.playbackRate = 3;
            window.shown = [];
            v.addEventListener("timeupdate", () => {
                for (const track of v.textTracks)
                    for (const cue of track.activeCues ?? [])
                        window.shown.push([track.label, cue.startTime, cue.endTime, cue.text]);
            });
        }"""
    )
    page.locator(".mr-start").click()
    page.wait_for_function("() => document.querySelector('video').ended")
    facts: dict[str, Any] = page.evaluate(
        """() => {
            const v = document.querySelector("video");
            const { totalVideoFrames } = v.getVideoPlaybackQuality();
            const tracks = Array.from(v.textTracks, ({ label, mode }) => [label, mode]);
            return { frames: totalVideoFrames, height: v.videoHeight, s: v.duration, tracks,
                     shown: window.shown };
        }"""
    )
    return facts


@pytest.mark.parametrize("container", Container)
def test_video_plays_with_its_subtitles_when_it_has_some(
    open_page: OpenPage, fake: Fake, tmp_path: Path, container: Container
) -> None:
    fake.state.media = transcode(media.everything(), tmp_path, RUNGS, container=container).folder
    fake.state.videos = [video(1, title="Mill wheel", hls_url=fake.master_url)]
    facts = played(open_page(WATCH))
    assert facts["height"] == 180
    assert facts["frames"] > 100
    assert abs(facts["s"] - 9) < 0.2
    # The default track is shown without being chosen, in time with the picture; hls.js counts
    # from the first decoding time of a transport stream, two frames before the picture.
    delay_s = {Container.CMAF: 0, Container.MPEG_TS: 2 / 25}[container]
    shown = {
        (name, round(begin - delay_s, 3), round(end - delay_s, 3), text)
        for name, begin, end, text in facts["shown"]
    }
    assert shown == {
        ("eng (1)", 1.0, 2.5, "<b>Both</b> &amp; <i>one</i>"),
        ("eng (1)", 3.5, 8.25, "Over &amp; over the borders\nof the grid"),
    }


def test_subtitles_are_chosen_when_the_menu_is_used(
    open_page: OpenPage, fake: Fake, tmp_path: Path
) -> None:
    made = transcode(media.everything(), tmp_path, RUNGS, keep_surround=True)
    fake.state.media = made.folder
    fake.state.videos = [video(1, title="Mill wheel", hls_url=fake.master_url)]
    page = open_page(WATCH)
    button = page.get_by_role("button", name=re.compile("^Subtitles: "))
    expect(button).to_have_text("English (1)")
    for name, showing in (("subtitles-2 forced", ["subtitles-2 forced"]), ("Off", [])):
        button.click()
        page.get_by_role("menuitemradio", name=name).click()
        expect(button).to_have_text(name)
        assert page.evaluate(SHOWING) == showing
    # Stereo and surround of one picture are one choice of quality.
    page.get_by_role("button", name=re.compile("^Quality: ")).click()
    expect(page.get_by_role("menuitemradio").filter(visible=True)).to_have_count(2)
