"""Makes the pictures of the documentation from a running Millrace: `./millrace up` first, then
`PYTHONPATH=. .venv/bin/python docs/screenshots.py`. It uploads two clips and a file that is no
video, and calls itself, to have something to show: every page once as on a desk (`NAME.png`) and
once as on a phone, in the dark (`NAME-phone.png`).
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from cli.state import REPOSITORY, State

IMAGES = Path(__file__).resolve().parent / "images"
CLIPS = REPOSITORY / "tests" / "media" / "clips"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
PATIENCE_MS = 120_000


def main() -> None:
    state = State(REPOSITORY / ".millrace")
    running = state.running()
    if running is None:
        raise SystemExit("nothing is running; start it with ./millrace up")
    site = running.gallery_url.removesuffix("/index.html")
    token = state.token_file.read_text().strip()
    IMAGES.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        desk = browser.new_page(viewport={"width": 1280, "height": 720})
        desk.set_default_timeout(PATIENCE_MS)
        phone = browser.new_page(
            viewport={"width": 360, "height": 740}, device_scale_factor=2, color_scheme="dark"
        )
        phone.goto(f"{site}/upload.html#token={token}")
        watch_link = view(desk, phone, site, token)
        video_id = watch_link.partition("?v=")[2]
        embed(desk, f"{site}/embed.html?v={video_id}")
        fail(desk, f"{site}/upload.html")
        operate(desk, site, video_id)
        call(browser, f"{site}/chat.html")
        browser.close()


def view(desk: Page, phone: Page, site: str, token: str) -> str:
    """Upload, gallery and player; returns the link to the film that was uploaded."""
    desk.goto(f"{site}/upload.html#token={token}")
    for page in (desk, phone):
        upload(page, "bigbuckbunny.mp4")
        done = page.locator(".job").first
        expect(done).to_contain_text(re.compile("completed", re.I))
    link = desk.locator(".job", has_text="bigbuckbunny").locator(".job__watch")
    watch_link = link.get_attribute("href") or ""
    for page in (desk, phone):
        upload(page, "sintel_trailer-720p.mp4")
    pair(desk, phone, "upload", 6)
    for page in (desk, phone):
        page.goto(f"{site}/index.html")
        expect(page.locator(".card").first).to_be_visible()
    pair(desk, phone, "gallery", 6)
    for page in (desk, phone):
        page.goto(f"{site}/{watch_link}")
        page.locator(".mr-start").click()
    pair(desk, phone, "watch", 3)
    return watch_link


def embed(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 640, "height": 360})
    page.goto(address)
    page.locator(".mr-start").click()
    page.keyboard.press("i")
    picture(page, "embed", 3)
    page.set_viewport_size({"width": 1280, "height": 720})


def fail(page: Page, upload_address: str) -> None:
    page.goto(upload_address)
    broken: FilePayload = {"name": "broken.mp4", "mimeType": "video/mp4", "buffer": b"no video"}
    page.locator("#files").set_input_files([broken])
    expect(page.locator(".job")).to_contain_text("This is not a video")


def operate(page: Page, site: str, video_id: str) -> None:
    """The operator's pages."""
    page.set_viewport_size({"width": 1280, "height": 1180})
    page.goto(f"{site}/dashboard.html?range=1h")
    expect(page.locator("#workers tbody tr").first).to_be_visible()
    picture(page, "dashboard", 6)
    page.goto(f"{site}/dead-letters.html")
    page.get_by_text(re.compile(r"\d+ attempts?")).first.click()
    page.set_viewport_size({"width": 1280, "height": 720})
    picture(page, "dead-letters", 1)
    page.goto(f"{site}/trace.html?v={video_id}&task=transcode-00000")
    expect(page.locator(".fall").first).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 1020})
    picture(page, "trace", 1)


def call(browser: Browser, address: str) -> None:
    """Two people with pretended cameras, one at a desk and one on a phone."""
    desk = browser.new_page(viewport={"width": 1280, "height": 720})
    phone = browser.new_page(
        viewport={"width": 360, "height": 740}, device_scale_factor=2, color_scheme="dark"
    )
    desk.goto(address)
    desk.get_by_role("button", name="Make a room").click()
    expect(desk.locator("#card-title")).to_have_text("Waiting for the other person")
    phone.goto(desk.locator("#link").input_value())
    phone.get_by_role("button", name="Join the call").click()
    for page in (desk, phone):
        page.wait_for_selector('#room[data-phase="talking"]', timeout=PATIENCE_MS)
    desk.locator("#meter").click()
    pair(desk, phone, "chat", 8)


def upload(page: Page, name: str) -> None:
    page.locator("#files").set_input_files(CLIPS / name)


def pair(desk: Page, phone: Page, name: str, after_s: float) -> None:
    picture(desk, name, after_s)
    picture(phone, f"{name}-phone", 0)


def picture(page: Page, name: str, after_s: float) -> None:
    page.wait_for_timeout(after_s * 1000)
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
