"""Records the product in a browser, for the README: `./millrace up` first, then
`python -m docs.demo`.

It does what `docs/screenshots.py` does, with its steps, while the pages at the desk are filmed: an
upload, its way through queue and transcoding, the gallery, another quality, the operator's pages, a
call. So it takes the pictures of the pages as well: one command makes both anew. What is seen is
what happened; only rests are cut short, and the whole is played faster.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PageClosed

from cli.state import REPOSITORY, State
from docs import screenshots

RECORDING = screenshots.IMAGES / "demo.webp"
SIZE = (800, 450)
LENGTH_S = 60.0
"""Played in no more than this."""
_LONGEST_REST_S, _LEAST_S, _LAST_S = 0.8, 0.12, 2.0
_QUALITY = 45
"""Of the pictures, up to 100; what is left is well below 3 MB."""

Frame = tuple[float, bytes]
"""When it was painted, in seconds, and a JPEG."""


class Film:
    """What pages paint, whichever of them, in the order of time."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def roll(self, page: Page) -> Page:
        """Film a page, until it is closed."""
        session = page.context.new_cdp_session(page)

        def keep(event: dict[str, Any]) -> None:
            with suppress(PageClosed):  # the last frame may come after its page
                session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})
            self.frames.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))

        session.on("Page.screencastFrame", keep)
        session.send("Page.startScreencast", {"format": "jpeg", "quality": 80})
        return page


class Filmed:
    """A browser whose pages at a desk are filmed; those on a phone are not."""

    def __init__(self, browser: Browser, film: Film) -> None:
        self._browser, self._film = browser, film

    def new_page(self, **options: Any) -> Page:
        page = self._browser.new_page(**options)
        return page if "color_scheme" in options else self._film.roll(page)


def main() -> None:
    state = State(Path(os.environ.get("MILLRACE_STATE_DIR", REPOSITORY / ".millrace")))
    running = state.running()
    if running is None:
        raise SystemExit("nothing is running; start it with ./millrace up")
    site = running.gallery_url.removesuffix("/index.html")
    film = Film()
    expect.set_options(timeout=screenshots.PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=screenshots.FLAGS
        )
        play(cast(Browser, Filmed(browser, film)), site, state.token_file.read_text().strip())
        browser.close()
    write(film.frames)
    size = RECORDING.stat().st_size
    sys.stdout.write(f"{len(film.frames)} frames, {size / 1e6:.1f} MB\n")


def play(browser: Browser, site: str, token: str) -> None:
    """The whole story."""
    desk, phone = both = screenshots.open_both(browser)
    for page in both:
        page.goto(f"{site}/upload.html#token={token}")
    watch_link = screenshots.view(*both, site)
    choose(desk)
    video_id = watch_link.partition("?v=")[2]
    screenshots.embed(*both, f"{site}/embed.html?v={video_id}&t={screenshots.MIDDLE_S}")
    screenshots.fail(desk, f"{site}/upload.html")
    screenshots.operate(*both, site, video_id)
    desk.close()
    phone.close()
    screenshots.call(browser, f"{site}/chat.html")


def choose(page: Page) -> None:
    """The smallest quality, and Auto again."""
    for choice in (-1, 0):
        page.locator("video").hover()
        page.get_by_role("button", name=re.compile("^Quality: ")).click()
        page.wait_for_timeout(1500)
        page.get_by_role("menu", name="Quality").get_by_role("menuitemradio").nth(choice).click()
        page.wait_for_timeout(2500)


def durations(times: Sequence[float]) -> list[int]:
    """How long each frame is shown, in milliseconds: rests are cut short, and all of it is made
    to fit."""
    rests = [min(later - earlier, _LONGEST_REST_S) for earlier, later in pairwise(times)]
    faster = min(1.0, LENGTH_S / max(sum(rests), 1e-9))
    return [*(round(1000 * faster * rest) for rest in rests), round(1000 * _LAST_S)]


def thinned(frames: Sequence[Frame], shown_ms: Sequence[int]) -> list[tuple[bytes, int]]:
    """Without what would be seen for less than a moment: its time is the next one's."""
    kept: list[tuple[bytes, int]] = []
    for (_, picture), lasts_ms in zip(frames, shown_ms, strict=True):
        if kept and kept[-1][1] < 1000 * _LEAST_S:
            kept[-1] = (picture, kept[-1][1] + lasts_ms)
        else:
            kept.append((picture, lasts_ms))
    return kept


def write(frames: Sequence[Frame]) -> None:
    """The recording as an animated WebP, which browsers show like any picture."""
    in_order = sorted(frames)
    kept = thinned(in_order, durations([at_s for at_s, _ in in_order]))
    first, *others = [
        ImageOps.pad(Image.open(io.BytesIO(picture)).convert("RGB"), SIZE, color="#0a1f24")
        for picture, _ in kept
    ]
    shown_ms = [lasts_ms for _, lasts_ms in kept]
    first.save(
        RECORDING,
        save_all=True,
        append_images=others,
        duration=shown_ms,
        loop=0,
        quality=_QUALITY,
        method=4,
    )


if __name__ == "__main__":
    main()
