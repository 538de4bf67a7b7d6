"""A person's way through the product in a real Chromium, on the real pipeline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.harness import media
from tests.harness.pipeline import Pipeline

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_cloud, pytest.mark.needs_engine]

COMPLETED_MS = 400_000
FRAME_HASH = """
    const video = document.querySelector("video");
    const canvas = new OffscreenCanvas(64, 36);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 64, 36);
    return Array.from(context.getImageData(0, 0, 64, 36).data).join(",");
"""


def _open_upload(page: Page, pipeline: Pipeline) -> None:
    page.goto(f"{pipeline.site_url}/upload.html#token={pipeline.token}")
    expect(page.locator("#access-known")).to_be_visible()
    assert pipeline.token not in page.url, "the token leaves the address bar"


def _upload(page: Page, pipeline: Pipeline, path: Path) -> str:
    """Pick a file, watch its row until it is completed; the watch link."""
    _open_upload(page, pipeline)
    statuses: list[str] = []
    page.expose_function("noteStatus", lambda text: statuses.append(text))  # noqa: PLW0108
    page.locator("#files").set_input_files(path)
    row = page.locator(".job")
    row.evaluate(
        """row => {
             const note = () => window.noteStatus(row.textContent);
             new MutationObserver(note).observe(row, {subtree: true, childList: true,
               characterData: true, attributes: true});
             note();
           }"""
    )
    watch = row.locator(".job__watch")
    expect(watch).to_be_visible(timeout=COMPLETED_MS)
    expect(row).to_contain_text(re.compile("completed", re.IGNORECASE), timeout=COMPLETED_MS)
    seen = " ".join(statuses).lower()
    for word in ("queued", "processing", "completed"):
        assert word in seen, f"the row never said “{word}”"
    return watch.get_attribute("href") or ""


def test_upload_becomes_a_playing_video_when_a_person_picks_a_file(
    page: Page, pipeline: Pipeline
) -> None:
    link = _upload(page, pipeline, media.short_film())
    video_id = link.rsplit("=", 1)[1]
    page.goto(f"{pipeline.site_url}/index.html")
    card = page.locator(".card", has=page.locator(f'a[href*="{video_id}"]'))
    expect(card.locator(".card__poster")).to_be_visible()
    assert card.locator(".card__poster").evaluate("image => image.naturalWidth") > 0
    card.locator(".card__link").click()
    _expect_playing(page)


def _play(page: Page) -> None:
    page.get_by_role("button", name="Play", exact=True).first.click()
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")


def _expect_playing(page: Page) -> None:
    _play(page)
    pictures = set()
    for second in (0.5, 1.5, 2.5):
        page.wait_for_function(
            f"() => document.querySelector('video').currentTime > {second}",
        )
        pictures.add(page.evaluate(f"() => {{ {FRAME_HASH} }}"))
    decoded = page.evaluate(
        "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"
    )
    assert decoded > 24
    assert len(pictures) == 3, "the picture changes"


def test_picture_grows_when_another_quality_is_chosen(
    page: Page, pipeline: Pipeline, sintel: dict[str, Any]
) -> None:
    page.goto(f"{pipeline.site_url}/watch.html?v={sintel['id']}")
    _play(page)
    for label, height in (("360p", 360), ("720p", 720)):
        page.get_by_role("button", name=re.compile("^quality", re.IGNORECASE)).click()
        page.get_by_role("menuitemradio", name=re.compile(label)).click()
        page.evaluate("document.querySelector('video').currentTime = 0")
        page.wait_for_function(
            f"() => document.querySelector('video').videoHeight === {height}",
        )


def test_upload_survives_a_broken_part_and_a_reload_when_it_is_large(
    page: Page, pipeline: Pipeline
) -> None:
    """Part 1 breaks once, the page is loaded again before the others: they alone are sent then."""
    broken: list[str] = []

    def before_reload(route: Route) -> None:
        if "partNumber=1&" not in route.request.url:
            return  # held up, and dropped with the page
        if broken:
            route.continue_()
        else:
            broken.append(route.request.url)
            route.abort("connectionreset")

    page.route(re.compile(r"partNumber="), before_reload)
    _open_upload(page, pipeline)
    with page.expect_response(lambda answer: "partNumber=1&" in answer.url and answer.ok):
        page.locator("#files").set_input_files(media.large_clip())
    [kept] = page.evaluate("Object.entries(localStorage).map(([, text]) => JSON.parse(text))")
    assert pipeline.token not in str(kept)
    sent: list[str] = []

    def after_reload(request: Request) -> None:
        if request.method == "PUT" and (part := re.search(r"partNumber=(\d+)", request.url)):
            sent.append(part[1])

    page.reload()
    page.on("request", after_reload)
    row = page.locator(".job")
    expect(row).to_contain_text(re.compile(r"[1-9]\d % sent"))
    page.unroute(re.compile(r"partNumber="))
    page.locator("#files").set_input_files(media.large_clip())
    expect(page.locator(".job__watch")).to_be_visible(timeout=COMPLETED_MS)
    assert len(broken) == 1
    others = range(2, kept["partCount"] + 1)
    assert sorted(sent) == [str(part) for part in others], "only what was missing"
    video_id = (page.locator(".job__watch").get_attribute("href") or "").rsplit("=", 1)[1]
    assert video_id == kept["videoId"]
    assert pipeline.wait(video_id, "completed")["duration_s"] == pytest.approx(8, abs=0.2)


def test_cancelled_upload_leaves_nothing_in_storage_when_its_parts_were_stored(
    page: Page, pipeline: Pipeline
) -> None:
    def first_part_only(route: Route) -> None:
        if "partNumber=1&" in route.request.url:
            route.continue_()

    page.route(re.compile(r"partNumber="), first_part_only)
    _open_upload(page, pipeline)
    with page.expect_response(lambda answer: "partNumber=1&" in answer.url and answer.ok) as stored:
        page.locator("#files").set_input_files(media.large_clip())
    _, bucket, key = urlsplit(stored.value.url).path.split("/", 2)
    s3 = pipeline.client("s3")

    def is_open() -> bool:
        found = s3.list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", [])
        return bool(found)

    assert is_open()
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as aborted:
        page.locator(".job").get_by_role("button", name="Cancel").click()
    assert aborted.value.status == 204
    assert not is_open()
