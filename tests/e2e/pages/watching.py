"""What tests of the watch page do again and again."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e.pages.fake_api import video
from tests.harness.chromium import PATIENCE_MS

WATCH = f"watch.html?v={video(1)['id']}"


def wait_until(page: Page, condition: str, timeout: float = PATIENCE_MS) -> None:
    """`condition` is about `v`, the video element, as soon as there is one."""
    find = "const v = document.querySelector('video'); if (!v) return false;"
    function = f"() => {{ {find} {condition} }}"
    page.wait_for_function(function, timeout=timeout)


def time_of(page: Page) -> float:
    return float(page.evaluate("document.querySelector('video').currentTime"))


def start(page: Page) -> None:
    page.locator(".mr-start").click()
    wait_until(page, "return v.currentTime > 0.3")


def tab_to(page: Page, name: str | re.Pattern[str]) -> None:
    """Press Tab until what is called so has the focus."""
    told = "document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"
    for _ in range(40):
        page.keyboard.press("Tab")
        now = page.evaluate(told)
        if name.match(now) if isinstance(name, re.Pattern) else now == name:
            return
    raise AssertionError(f"Tab never reaches {name!r}")


def choose(page: Page, menu: str, item: str) -> None:
    """An item of one of the player's menus, by the mouse."""
    page.get_by_role("button", name=re.compile(f"^{menu}: ")).click()
    page.get_by_role("menuitemradio", name=item, exact=True).filter(visible=True).click()


def record_frames(page: Page) -> None:
    """From now on, `frame_heights` knows what is really presented."""
    page.evaluate(
        """() => {
            const v = document.querySelector("video");
            window.frames_ = [];
            const note = (_now, { width, height }) => {
                window.frames_.push(`${width}x${height}`);
                v.requestVideoFrameCallback(note);
            };
            v.requestVideoFrameCallback(note);
        }"""
    )


def wait_for_frames(page: Page, size: str, count: int = 5) -> None:
    """Until the last `count` presented frames are of this size ("640x360")."""
    page.wait_for_function(
        """([size, count]) => window.frames_.length >= count
            && window.frames_.slice(-count).every(frame => frame === size)""",
        arg=[size, count],
    )


def grow(sample: Path, folder: Path, segments: int) -> Path:
    """The sample in `folder`, as an EVENT playlist that has its first `segments` by now."""
    folder.mkdir(exist_ok=True)
    for path in sample.rglob("*"):
        copy = folder / path.relative_to(sample)
        if path.is_dir():
            copy.mkdir(exist_ok=True)
        elif path.name == "index.m3u8":
            lines = path.read_text().splitlines()
            last = [i for i, line in enumerate(lines) if line.startswith("#EXTINF")][segments]
            text = "\n".join(lines[:last]) + "\n"
            _replace(copy, text.replace("TYPE:VOD", "TYPE:EVENT"))
        elif not copy.exists():
            copy.write_bytes(path.read_bytes())
    return folder


def finish(sample: Path, folder: Path) -> None:
    """What `grow` made becomes the whole VOD."""
    for path in sample.rglob("index.m3u8"):
        _replace(folder / path.relative_to(sample), path.read_text())


def _replace(path: Path, text: str) -> None:
    """At once, as storage does: nobody reads half of it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
