"""Makes the pictures of the documentation from a running Millrace: `./millrace up` first, then
`PYTHONPATH=. .venv/bin/python docs/screenshots.py`. It uploads two clips and a file that is no
video, to have something to show.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect, sync_playwright

from cli.state import REPOSITORY, State

IMAGES = Path(__file__).resolve().parent / "images"
CLIPS = REPOSITORY / "tests" / "media" / "clips"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    state = State(REPOSITORY / ".millrace")
    running = state.running()
    if running is None:
        raise SystemExit("nothing is running; start it with ./millrace up")
    site = running.gallery_url.removesuffix("/index.html")
    token = state.token_file.read_text().strip()
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720}, device_scale_factor=1)
        page.goto(f"{site}/upload.html#token={token}")
        upload(page, "bigbuckbunny.mp4")
        expect(page.locator(".job")).to_contain_text(re.compile("completed", re.I), timeout=90_000)
        upload(page, "sintel_trailer-720p.mp4")
        picture(page, "upload", 6)
        gallery = browser.new_page(viewport={"width": 1280, "height": 720})
        gallery.goto(f"{site}/index.html")
        picture(gallery, "gallery", 6)
        watch = page.locator(".job", has_text="bigbuckbunny").locator(".job__watch")
        watch_address = watch.get_attribute("href") or ""
        page.goto(f"{site}/{watch_address}")
        page.locator(".mr-start").click()
        picture(page, "watch", 3)
        fail(page, f"{site}/upload.html")
        operate(page, site, watch_address.partition("?v=")[2])
        browser.close()


def fail(page: Page, upload_address: str) -> None:
    page.goto(upload_address)
    broken: FilePayload = {"name": "broken.mp4", "mimeType": "video/mp4", "buffer": b"no video"}
    page.locator("#files").set_input_files([broken])
    expect(page.locator(".job")).to_contain_text("This is not a video", timeout=90_000)


def operate(page: Page, site: str, video_id: str) -> None:
    """The operator's pages."""
    page.set_viewport_size({"width": 1280, "height": 1180})
    page.goto(f"{site}/dashboard.html?range=1h")
    expect(page.locator("#workers tbody tr").first).to_be_visible(timeout=90_000)
    picture(page, "dashboard", 6)
    page.goto(f"{site}/dead-letters.html")
    page.get_by_text(re.compile(r"\d+ attempts?")).first.click(timeout=90_000)
    page.set_viewport_size({"width": 1280, "height": 720})
    picture(page, "dead-letters", 1)
    page.goto(f"{site}/trace.html?v={video_id}&task=transcode-00000")
    expect(page.locator(".fall").first).to_be_visible(timeout=90_000)
    page.set_viewport_size({"width": 1280, "height": 1020})
    picture(page, "trace", 1)


def upload(page: Page, name: str) -> None:
    page.locator("#files").set_input_files(CLIPS / name)


def picture(page: Page, name: str, after_s: float) -> None:
    page.wait_for_timeout(after_s * 1000)
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
