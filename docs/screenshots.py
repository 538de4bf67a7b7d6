"""Makes the pictures of the documentation from a running Millrace: `./millrace up` first, then
`PYTHONPATH=. .venv/bin/python docs/screenshots.py`. It uploads two clips and a file that is no
video, and calls itself, to have something to show: every page once as on a desk (`NAME.png`) and
once as on a phone, in the dark (`NAME-phone.png`).
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, FilePayload, Page, ViewportSize, expect, sync_playwright

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
PATIENCE_MS = 600_000
DESK: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 360, "height": 740}
MIDDLE_S = 20
"""Where in the film it is looked at."""


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
        both = open_both(browser)
        for page in both:
            page.goto(f"{site}/upload.html#token={token}")
        watch_link = view(*both, site)
        video_id = watch_link.partition("?v=")[2]
        embed(*both, f"{site}/embed.html?v={video_id}&t={MIDDLE_S}")
        fail(both[0], f"{site}/upload.html")
        operate(*both, site, video_id)
        call(browser, f"{site}/chat.html")
        browser.close()


def open_both(browser: Browser) -> tuple[Page, Page]:
    """A page on a desk, and one on a phone in the dark."""
    # Drawing whatever moves, without a graphics card, would leave the engines little.
    desk = browser.new_page(viewport=DESK, reduced_motion="reduce")
    phone = browser.new_page(
        viewport=PHONE, device_scale_factor=2, color_scheme="dark", reduced_motion="reduce"
    )
    for page in (desk, phone):
        page.set_default_timeout(PATIENCE_MS)
    return desk, phone


def view(desk: Page, phone: Page, site: str) -> str:
    """Upload, gallery and player; returns the link to the film that was uploaded."""
    for page in (desk, phone):
        upload(page, "bigbuckbunny.mp4")
        expect(page.locator(".job").first).to_contain_text(re.compile("completed", re.I))
    upload(desk, "sintel_trailer-720p.mp4")
    pair(desk, phone, "upload", 6)
    film = desk.locator(".job", has_text="sintel")
    expect(film.locator(".job__watch")).to_be_visible()
    watch_link = film.locator(".job__watch").get_attribute("href") or ""
    for page in (desk, phone):
        page.goto(f"{site}/index.html")
        expect(page.locator(".card").first).to_be_visible()
    pair(desk, phone, "gallery", 6)
    card = desk.locator(".card", has_text="sintel").last
    expect(card).to_contain_text(re.compile("completed", re.I))
    for page in (desk, phone):
        page.goto(f"{site}/{watch_link}&t={MIDDLE_S}")
        page.locator(".mr-start").click()
    pair(desk, phone, "watch", 3)
    return watch_link


def embed(desk: Page, phone: Page, address: str) -> None:
    """With its statistics, when their graphs have gone on for a while."""
    desk.set_viewport_size({"width": 640, "height": 360})
    phone.set_viewport_size({"width": 360, "height": 203})
    for page in (desk, phone):
        page.goto(address)
        page.locator(".mr-start").click()
        page.keyboard.press("i")
        # Who looks on has no need of where the keyboard is.
        page.evaluate("document.activeElement.blur()")
    pair(desk, phone, "embed", 10)
    desk.set_viewport_size(DESK)
    phone.set_viewport_size(PHONE)


def fail(page: Page, upload_address: str) -> None:
    page.goto(upload_address)
    broken: FilePayload = {"name": "broken.mp4", "mimeType": "video/mp4", "buffer": b"no video"}
    page.locator("#files").set_input_files([broken])
    expect(page.locator(".job")).to_contain_text("This is not a video")


def operate(desk: Page, phone: Page, site: str, video_id: str) -> None:
    """The operator's pages; the dashboard from its top to its bottom."""
    for page in (desk, phone):
        page.goto(f"{site}/dashboard.html?range=1h")
        expect(page.locator("#workers tbody tr").first).to_be_visible()
    pair(desk, phone, "dashboard", 6, full_page=True)
    for page in (desk, phone):
        page.goto(f"{site}/dead-letters.html")
        page.get_by_text(re.compile(r"\d+ attempts?")).first.click()
    pair(desk, phone, "dead-letters", 1)
    desk.set_viewport_size({"width": 1280, "height": 1020})
    for page in (desk, phone):
        page.goto(f"{site}/trace.html?v={video_id}&task=transcode-00000")
        expect(page.locator(".fall").first).to_be_visible()
    phone.locator("#falls").scroll_into_view_if_needed()
    pair(desk, phone, "trace", 1)
    desk.set_viewport_size(DESK)


def call(browser: Browser, address: str) -> None:
    """Two people with pretended cameras, one at a desk and one on a phone."""
    desk, phone = open_both(browser)
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


def pair(desk: Page, phone: Page, name: str, after_s: float, *, full_page: bool = False) -> None:
    desk.wait_for_timeout(after_s * 1000)
    for page, file in ((desk, f"{name}.png"), (phone, f"{name}-phone.png")):
        page.screenshot(path=IMAGES / file, full_page=full_page)


if __name__ == "__main__":
    main()
