"""axe-core and the narrow screen, on each page and in both themes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.pages import operations, traces
from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake, video
from tests.e2e.pages.operating import look_again

pytestmark = pytest.mark.needs_browser
AXE = Path(__file__).resolve().parents[3] / "node_modules" / "axe-core" / "axe.min.js"
WIDE, NARROW = 1440, 360
LONG = "Ein_sehr_langer_Dateiname_ohne_eine_einzige_Lücke_der_nirgends_umbrechen_kann.mov"


def _file(name: str, size: int) -> FilePayload:
    return {"name": name, "mimeType": "", "buffer": b"x" * size}


def _mixed(fake: Fake) -> None:
    poster = f"{fake.api_origin}/media/poster.jpg"
    reason = {"code": "CORRUPT", "message": "x"}
    fake.state.videos = [
        video(6, "queued"),
        video(5, "processing", percent=60),
        video(4, "processing", percent=60, playable=True, poster_url=poster),
        video(3, "failed", title=LONG, reason=reason),
        video(2, poster_url=poster),
    ]


def gallery(fake: Fake, page: Page) -> None:
    _mixed(fake)
    page.goto(f"{fake.site_url}/index.html")
    expect(page.locator("#videos .card")).to_have_count(5)


def empty_gallery(fake: Fake, page: Page) -> None:
    page.goto(f"{fake.site_url}/index.html")
    expect(page.locator("#empty")).to_be_visible()


def searched_gallery(fake: Fake, page: Page) -> None:
    """Nothing found, and the panel of dates open."""
    _mixed(fake)
    page.goto(f"{fake.site_url}/index.html?q=zebra")
    expect(page.locator("#empty-filter")).to_be_visible()
    page.locator("#dates summary").click()


def steered_gallery(fake: Fake, page: Page) -> None:
    """What an admin may do, after something was refused."""
    _mixed(fake)
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    fake.state.deed_error = 409
    page.goto(f"{fake.site_url}/index.html?sort=oldest#token={TOKEN}")
    page.get_by_role("button", name=f"Try again: {LONG}").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name=f"Delete {LONG}").focus()


def asking_gallery(fake: Fake, page: Page) -> None:
    _mixed(fake)
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    page.goto(f"{fake.site_url}/index.html?sort=oldest#token={TOKEN}")
    page.get_by_role("button", name=f"Delete {LONG}").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def broken_gallery(fake: Fake, page: Page) -> None:
    fake.state.listing_error = 503
    page.goto(f"{fake.site_url}/index.html")
    expect(page.locator("#failure")).to_be_visible()


def signed_out_upload(fake: Fake, page: Page) -> None:
    page.goto(f"{fake.site_url}/upload.html")
    page.get_by_label("Access token").fill("wrong")
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#token-error")).to_be_visible()


def upload(fake: Fake, page: Page) -> None:
    """Rows of every kind."""
    fake.state.single_post_bytes = 100
    fake.state.part_size_bytes = 1000
    page.goto(f"{fake.site_url}/upload.html#token={TOKEN}")
    files = page.locator("#files")
    files.set_input_files([_file(name, 90) for name in ("a.mp4", "b.mp4", LONG, "no.txt")])
    expect(page.locator(".job", has_text="Queued")).to_have_count(3)
    fake.state.videos[0] |= {"status": "processing", "percent": 40}
    fake.state.videos[1] |= {"status": "failed", "reason": {"code": "CORRUPT", "message": ""}}
    fake.state.videos[2] |= {"status": "completed"}
    expect(page.locator(".job", has_text="Processing 40 %")).to_have_count(1)
    fake.state.storage_gate = fake.gate()
    files.set_input_files([_file("c.mp4", 3000)])
    expect(page.get_by_role("button", name="Pause c.mp4")).to_be_visible()


def upload_choices(fake: Fake, page: Page) -> None:
    """Everything that can be opened is open; one file is looked at before it is sent."""
    page.goto(f"{fake.site_url}/upload.html#token={TOKEN}")
    page.get_by_text("How videos are made").click()
    expect(page.get_by_role("radio", name="HEVC")).to_be_visible()
    page.get_by_text("More options").click()
    page.get_by_label("Let me look at each file").check()
    page.locator("#files").set_input_files([_file(name, 90) for name in ("a.mp4", LONG)])
    expect(page.get_by_role("button", name="Send all")).to_be_visible()


def held_upload(fake: Fake, page: Page) -> None:
    """One upload begun before the page was loaded again, with another file picked for it; one
    that waits for a token; and the question whether all are to be cancelled."""
    fake.state.single_post_bytes = 100
    fake.state.part_size_bytes = 1000
    fake.state.storage_gate = fake.gate()
    page.goto(f"{fake.site_url}/upload.html#token={TOKEN}")
    files = page.locator("#files")
    files.set_input_files([_file(LONG, 3000)])
    page.wait_for_function("() => Object.keys(localStorage).length > 0")
    page.reload()
    files.set_input_files([_file(LONG, 3100)])
    expect(page.get_by_role("button", name="Start over")).to_be_visible()
    fake.state.tokens = {}
    files.set_input_files([_file("b.mp4", 90), _file("c.mp4", 91)])
    expect(page.locator("#token-error")).to_be_visible()
    page.get_by_role("button", name="Cancel all").click()


def watch(fake: Fake, page: Page) -> None:
    renditions = [{"name": "360p", "width": 640, "height": 360, "maxrate_bps": 800_000}]
    fake.state.videos = [video(1, title=LONG, hls_url=fake.master_url, renditions=renditions)]
    page.goto(f"{fake.site_url}/watch.html?v={video(1)['id']}")
    page.locator(".mr-start").click()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.1")
    page.get_by_role("button", name="Quality").click()


def watch_with_statistics(fake: Fake, page: Page) -> None:
    fake.state.videos = [video(1, title=LONG, hls_url=fake.master_url)]
    page.goto(f"{fake.site_url}/watch.html?v={video(1)['id']}")
    page.locator(".mr-start").click()
    page.keyboard.press("i")
    expect(page.locator(".mr-stats")).to_contain_text("360p")
    page.get_by_text("Share and embed").click()


def embed(fake: Fake, page: Page) -> None:
    fake.state.videos = [video(1, title=LONG, hls_url=fake.master_url)]
    page.goto(f"{fake.site_url}/embed.html?v={video(1)['id']}")
    expect(page.locator(".mr-start")).to_be_visible()


def waiting_watch(fake: Fake, page: Page) -> None:
    fake.state.videos = [video(1, "processing", percent=70)]
    page.goto(f"{fake.site_url}/watch.html?v={video(1)['id']}")
    expect(page.locator("#waiting-percent")).to_have_text("70")


def failed_watch(fake: Fake, page: Page) -> None:
    reason = {"code": "CORRUPT", "message": "x"}
    fake.state.videos = [video(1, "failed", reason=reason)]
    page.goto(f"{fake.site_url}/watch.html?v={video(1)['id']}")
    expect(page.locator("#message")).to_be_visible()


def dashboard(fake: Fake, page: Page) -> None:
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    page.goto(f"{fake.site_url}/dashboard.html?range=1h#token={TOKEN}")
    expect(page.locator("#workers tbody tr")).to_have_count(4)
    page.get_by_text("As a table").first.click()


def idle_dashboard(fake: Fake, page: Page) -> None:
    """Nothing to show, and then the API is away."""
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    fake.state.stats = operations.idle_stats
    fake.state.workers = []
    page.goto(f"{fake.site_url}/dashboard.html#token={TOKEN}")
    expect(page.locator("#workers-note")).to_contain_text("None")
    fake.state.operations_error = 503
    look_again(page)
    expect(page.get_by_role("alert")).to_be_visible()


def signed_out_dashboard(fake: Fake, page: Page) -> None:
    page.goto(f"{fake.site_url}/dashboard.html")
    page.get_by_label("Access token").fill("wrong")
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#token-error")).to_be_visible()


def dead_letters(fake: Fake, page: Page) -> None:
    """What can be opened is open."""
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    fake.state.letters = [traces.letter(2, title=LONG), traces.letter(1)]
    page.goto(f"{fake.site_url}/dead-letters.html#token={TOKEN}")
    page.get_by_text("4 attempts").first.click()
    page.get_by_text("Engine log").first.click()


def asking_dead_letters(fake: Fake, page: Page) -> None:
    dead_letters(fake, page)
    page.get_by_role("button", name="Redrive all").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def trace(fake: Fake, page: Page) -> None:
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    fake.state.traces["x"] = traces.trace("x", 40, title=LONG)
    page.goto(f"{fake.site_url}/trace.html?v=x&task=transcode-00003#token={TOKEN}")
    expect(page.locator("#inspector")).to_contain_text("transcode chunk 3")
    page.locator('[role="gridcell"][tabindex="0"]').focus()


PAGES = [
    gallery,
    empty_gallery,
    searched_gallery,
    steered_gallery,
    asking_gallery,
    broken_gallery,
    signed_out_upload,
    upload,
    upload_choices,
    held_upload,
    watch,
    watch_with_statistics,
    embed,
    dashboard,
    idle_dashboard,
    signed_out_dashboard,
    dead_letters,
    asking_dead_letters,
    trace,
    waiting_watch,
    failed_watch,
]


@pytest.mark.parametrize("arrive", PAGES, ids=lambda arrive: arrive.__name__)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    fake: Fake, open_page: OpenPage, sample: Path, arrive: Callable[[Fake, Page], None]
) -> None:
    fake.state.media = sample
    page = open_page("index.html", width=WIDE)
    arrive(fake, page)
    page.evaluate(AXE.read_text())
    # Each theme and each width once: the pairs not looked at share their colours or their layout.
    for theme, width in (("light", WIDE), ("dark", NARROW)):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 800})
        faults = page.evaluate(
            """async () => (await axe.run({resultTypes: ["violations"]})).violations.map(
                ({id, nodes}) => [id, ...nodes.map(({html}) => html.slice(0, 160))])"""
        )
        assert faults == [], f"{theme}, {width} px"
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0, f"{width} px"
