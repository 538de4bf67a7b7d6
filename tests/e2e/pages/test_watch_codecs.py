"""The watch page: what the engine makes with newer codecs plays, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from millrace.ladder import Rung
from millrace.levels import Codec
from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import Fake, video
from tests.harness import media
from tests.harness.output import transcode

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_engine]
WATCH = f"watch.html?v={video(1)['id']}"
SECONDS = 5
RUNGS = (
    Rung("180p-hevc", 180, 200_000, 26, Codec.HEVC),
    Rung("180p-av1", 180, 200_000, 35, Codec.AV1),
)
"""Debian's Chromium does not decode HEVC."""


def played(page: Page) -> dict[str, Any]:
    """Plays to the end; what the video element says then."""
    page.locator(".mr-start").click()
    page.evaluate("() => { document.querySelector('video').playbackRate = 2; }")
    page.wait_for_function("() => document.querySelector('video').ended")
    facts: dict[str, Any] = page.evaluate(
        """() => {
            const v = document.querySelector("video");
            const { totalVideoFrames } = v.getVideoPlaybackQuality();
            return { frames: totalVideoFrames, height: v.videoHeight, s: v.duration };
        }"""
    )
    return facts


def test_av1_plays_to_its_end_when_the_browser_decodes_no_other_codec(
    open_page: OpenPage, fake: Fake, tmp_path: Path
) -> None:
    source = media.clip("codecs.mp4", SECONDS, "320x180")
    fake.state.media = transcode(source, tmp_path, RUNGS).folder
    fake.state.videos = [video(1, title="Mill wheel", hls_url=fake.master_url)]
    facts = played(open_page(WATCH))
    assert facts["height"] == 180
    assert facts["frames"] > 25
    assert abs(facts["s"] - SECONDS) < 0.1
