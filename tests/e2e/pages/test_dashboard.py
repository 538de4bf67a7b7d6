"""The dashboard: figures, charts, queues, workers, and who may see them."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import operations
from tests.e2e.pages.conftest import OpenPage
from tests.e2e.pages.fake_api import TOKEN, Fake, video
from tests.e2e.pages.operating import FRAGMENT, admin, look_again

__all__ = ["admin"]
pytestmark = pytest.mark.needs_browser
DRAWN = """(plot) => { const { width, height } = plot.querySelector("canvas");
    const pixels = plot.querySelector("canvas").getContext("2d").getImageData(0, 0, width, height);
    return new Set(new Uint32Array(pixels.data.buffer)).size; }"""
"""How many colours there are on the canvas of a chart."""
PAINTED = """(plot) => { const { width, height } = plot.querySelector("canvas");
    const pencil = plot.querySelector("canvas").getContext("2d");
    const { data } = pencil.getImageData(0, 0, width, height);
    const tones = [...plot.closest("figure").querySelectorAll(".key__mark")].map((mark) => {
        mark.style.color = "var(--tone)";
        return getComputedStyle(mark).color.match(/\\d+/g).map(Number);
    });
    const drawn = tones.map(() => 0);
    for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 60)
            for (const [n, tone] of tones.entries())
                drawn[n] += tone.every((part, k) => Math.abs(part - data[i + k]) < 5);
    return drawn; }"""
"""How many pixels of its canvas have the colour of each line, as its key shows it."""
BUSY = operations.stats("24h")
RATE = round(BUSY["window"]["videos_per_hour"], 1)


@pytest.mark.usefixtures("admin")
def test_figures_charts_queues_and_workers_are_there_when_an_admin_looks(
    open_page: OpenPage,
) -> None:
    page = open_page(f"dashboard.html{FRAGMENT}")
    expect(page.locator("#now-completed")).to_have_text("1,284")
    expect(page.locator("#window-rate")).to_have_text(f"{RATE:,}".removesuffix(".0"))
    expect(page.locator("#window-errors")).to_have_text("12.8 %")
    expect(page.locator("#window-retries")).to_have_text(str(BUSY["window"]["retries"]))
    expect(page.locator("#window-cost")).to_have_text("$3.41")
    depth = page.get_by_role("img", name="Queue depth. 43 messages waiting.")
    assert depth.evaluate(DRAWN) > 10
    expect(page.get_by_role("row", name=re.compile("^transcode 38 8 42 s"))).to_be_visible()
    working = page.get_by_role("row", name=re.compile("host-04"))
    expect(working).to_contain_text("188 %")
    expect(working).to_contain_text("412 MB")
    expect(working.get_by_role("cell").last).to_have_text("0.6 s ago")
    expect(working.get_by_role("link")).to_have_attribute(
        "href", f"trace.html?v={operations.worker(4)['video_id']}&task=transcode-00004"
    )
    lost = page.get_by_role("row", name=re.compile("host-07"))
    expect(lost).to_contain_text("Not heard of")
    expect(lost.get_by_role("cell").last).to_have_text("1 min 34 s ago")
    expect(page.get_by_role("link", name="14 dead letters of transcode")).to_have_attribute(
        "href", "dead-letters.html?queue=transcode"
    )


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("Throughput", ["completed", "failed"]),
        ("Videos on the way", ["queued", "processing", "uploaded"]),
        ("Error rate", ["failed of those that ended"]),
        ("Retries and dead letters", ["retries", "dead letters"]),
    ],
)
def test_each_of_its_lines_is_drawn_and_named_when_something_happened(
    fake: Fake, open_page: OpenPage, title: str, lines: list[str]
) -> None:
    page = open_page(f"dashboard.html{FRAGMENT}")
    chart = page.get_by_role("figure").filter(has_text=title)
    expect(chart.locator(".key__name")).to_have_text(lines)
    plot = chart.get_by_role("img")
    busy = plot.evaluate(PAINTED)
    assert min(busy) > 20, busy
    fake.state.stats = operations.idle_stats
    look_again(page)
    expect(plot).to_have_attribute("data-bare", "")
    idle = plot.evaluate(PAINTED)
    assert all(less < more for less, more in zip(idle, busy, strict=True)), (idle, busy)


@pytest.mark.usefixtures("admin")
def test_the_key_says_of_which_time_its_figures_are(open_page: OpenPage) -> None:
    page = open_page(f"dashboard.html?range=1h{FRAGMENT}")
    depth = page.get_by_role("figure").filter(has_text="Queue depth")
    expect(depth.locator(".chart__legend")).to_contain_text("Now:")
    now = depth.locator(".key", has_text="transcode")
    expect(now).to_contain_text("38")  # as in "43 messages waiting", not as sampled before
    expect(depth.locator(".chart__summary")).to_contain_text("Most: 38 in transcode")
    way = page.get_by_role("figure").filter(has_text="Videos on the way")
    expect(way.locator(".key", has_text="queued")).to_contain_text("5")
    expect(way.locator(".key", has_text="processing")).to_contain_text("3")
    expect(way.locator(".key", has_text="uploaded")).to_contain_text(re.compile(r"since \d\d:\d\d"))
    errors = page.get_by_role("figure").filter(has_text="Error rate")
    expect(errors.locator(".chart__moment")).to_have_text(re.compile(r"^Since \d\d:\d\d:$"))
    depth.locator(".u-over").hover(position={"x": 100, "y": 50})
    expect(depth.locator(".chart__moment")).to_have_text(re.compile(r"^\d\d:\d\d$"))
    expect(now).not_to_contain_text("38")


@pytest.mark.usefixtures("admin")
def test_the_error_rate_is_that_of_all_it_is_put_together_of(open_page: OpenPage) -> None:
    page = open_page(f"dashboard.html?range=24h{FRAGMENT}")
    chart = page.get_by_role("figure").filter(has_text="Error rate")
    failed, completed = BUSY["series"]["failed"], BUSY["series"]["completed"]
    expect(chart.locator(".chart__summary")).to_have_text(
        f"{sum(failed)} of {sum(failed) + sum(completed)} videos that ended failed, 12.8 %."
    )
    chart.get_by_text("As a table").click()
    ended = [one + other for one, other in zip(failed, completed, strict=True)]
    # 288 steps of five minutes become columns of a quarter of an hour, from round times on.
    groups: dict[int, list[int]] = {}
    for i, at in enumerate(BUSY["series"]["at"]):
        group = groups.setdefault(int(datetime.fromisoformat(at).timestamp()) // 900, [0, 0])
        group[0] += failed[i]
        group[1] += ended[i]
    told = [
        f"{100 * one / of:.1f}".removesuffix(".0") + " %" if of else "–"
        for one, of in groups.values()
    ]
    expect(chart.get_by_role("table").locator("td")).to_have_text(told[::-1])


@pytest.mark.usefixtures("admin")
def test_what_changes_is_shown_without_a_reload(fake: Fake, open_page: OpenPage) -> None:
    page = open_page(f"dashboard.html{FRAGMENT}")
    expect(page.get_by_role("row", name=re.compile("host-05"))).to_contain_text("Idle")
    fake.state.workers = [operations.worker(9, percent=55)]
    fake.state.stats = operations.idle_stats
    look_again(page)
    expect(page.get_by_role("row", name=re.compile("host-09"))).to_contain_text("55 %")
    expect(page.locator("#workers tbody tr")).to_have_count(1)
    expect(page.locator("#now-completed")).to_have_text("0")


@pytest.mark.usefixtures("admin")
def test_nothing_is_asked_when_nobody_looks(fake: Fake, open_page: OpenPage) -> None:
    page = open_page(f"dashboard.html{FRAGMENT}")
    expect(page.locator("#now-queued")).to_have_text("5")
    page.clock.install()
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    look_again(page)
    asked = fake.state.count("GET /api/stats")
    page.clock.run_for(60_000)
    assert fake.state.count("GET /api/stats") == asked
    page.evaluate("delete document.hidden")
    with page.expect_response(re.compile("/api/stats")):
        look_again(page)


@pytest.mark.usefixtures("admin")
def test_range_is_in_the_address_and_the_back_button_goes_back(
    fake: Fake, open_page: OpenPage
) -> None:
    page = open_page(f"dashboard.html?range=7d{FRAGMENT}")
    expect(page.get_by_role("radio", name="7 d")).to_be_checked()
    expect(page.locator("#lede")).to_contain_text("The last 7 days")
    page.get_by_role("radio", name="7 d").press("ArrowRight")
    expect(page.locator("#lede")).to_contain_text("The last 30 days")
    expect(page).to_have_url(re.compile(r"range=30d"))
    page.go_back()
    expect(page.locator("#lede")).to_contain_text("The last 7 days")
    expect(page.get_by_role("radio", name="7 d")).to_be_checked()


@pytest.mark.usefixtures("admin")
def test_a_chart_is_a_table_too_when_it_is_opened(open_page: OpenPage) -> None:
    page = open_page(f"dashboard.html?range=1h{FRAGMENT}")
    chart = page.get_by_role("figure").filter(has_text="Cost, estimated")
    chart.get_by_text("As a table").press("Enter")
    table = chart.get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(61)
    expect(table.get_by_role("columnheader")).to_have_text(["From", "cost"])
    expect(table.get_by_role("row").nth(1)).to_contain_text("$0.0")


@pytest.mark.usefixtures("admin")
def test_times_to_completion_take_the_place_of_those_to_playable_when_chosen(
    open_page: OpenPage,
) -> None:
    page = open_page(f"dashboard.html{FRAGMENT}")
    chart = page.get_by_role("figure").filter(has_text="How long it takes")
    expect(chart).to_contain_text("Half of 95 videos were playable within 4.3 s")
    expect(chart.get_by_role("listitem").nth(3)).to_have_text("30≤ 5up to 5 seconds")
    chart.get_by_role("radio", name="until complete").check()
    expect(chart).to_contain_text("Half of 190 videos were complete")


@pytest.mark.usefixtures("admin")
def test_emptiness_is_told_when_nothing_has_ever_happened(fake: Fake, open_page: OpenPage) -> None:
    fake.state.stats = operations.idle_stats
    fake.state.workers = []
    page = open_page(f"dashboard.html{FRAGMENT}")
    expect(page.locator("#workers-note")).to_contain_text("None was heard of")
    expect(page.get_by_role("img", name="No video arrived or ended.")).to_have_attribute(
        "data-bare", ""
    )
    expect(page.locator("#window-errors")).to_have_text("–")


@pytest.mark.usefixtures("admin")
def test_the_last_figures_stay_and_fresh_ones_come_when_the_api_was_away(
    fake: Fake, open_page: OpenPage
) -> None:
    page = open_page(f"dashboard.html{FRAGMENT}")
    expect(page.locator("#now-completed")).to_have_text("1,284")
    fake.state.operations_error = 503
    look_again(page)
    expect(page.get_by_role("alert")).to_contain_text("What is shown is from")
    expect(page.locator("#now-completed")).to_have_text("1,284")
    fake.state.operations_error = None
    fake.state.stats = operations.idle_stats
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#now-completed")).to_have_text("0")
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize("fragment", ["", FRAGMENT, "#token=mr_" + "x" * 43])
def test_a_token_is_asked_for_when_who_looks_is_no_admin(
    fake: Fake, open_page: OpenPage, fragment: str
) -> None:
    page = open_page(f"dashboard.html{fragment}")
    expect(page.get_by_label("Access token")).to_be_visible()
    expect(page.locator("#desk")).to_be_hidden()
    expect(page.locator("#token-error")).to_have_text(
        {"": "", FRAGMENT: "This is ann’s access token, and not an admin's."}.get(
            fragment, "The access token was not accepted."
        )
    )
    assert fake.state.count("GET /api/stats") == 0
    other = "mr_" + "a" * 43
    fake.state.tokens[other] = {"name": "bea", "roles": ["admin"], "expires_at": None}
    page.get_by_label("Access token").fill(other)
    page.keyboard.press("Enter")
    expect(page.locator("#now-queued")).to_have_text("5")
    expect(page.locator("#who-name")).to_have_text("bea")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#desk")).to_be_hidden()
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.usefixtures("admin")
def test_the_figures_go_when_the_token_expires_meanwhile(fake: Fake, open_page: OpenPage) -> None:
    page = open_page(f"dashboard.html{FRAGMENT}")
    expect(page.locator("#now-queued")).to_have_text("5")
    fake.state.tokens = {}
    look_again(page)
    expect(page.locator("#token-error")).to_have_text("The access token has expired.")
    expect(page.locator("#desk")).to_be_hidden()


@pytest.mark.parametrize("path", ["index.html", "upload.html", "watch.html?v=" + video(1)["id"]])
def test_the_dashboard_is_offered_to_admins_alone(
    fake: Fake, open_page: OpenPage, path: str
) -> None:
    fake.state.videos = [video(1, "processing")]
    page = open_page(f"{path}{FRAGMENT}")
    expect(page.get_by_role("link", name="Gallery")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("link", name="Dashboard")).to_be_hidden()
    fake.state.tokens[TOKEN]["roles"] = ["admin"]
    page.reload()
    expect(page.get_by_role("link", name="Dashboard")).to_have_attribute("href", "dashboard.html")


@pytest.mark.usefixtures("admin")
def test_colours_change_with_the_theme(open_page: OpenPage) -> None:
    page = open_page(f"dashboard.html{FRAGMENT}")
    chart = page.get_by_role("img", name=re.compile("^Cost"))
    picture = "(plot) => plot.querySelector('canvas').toDataURL()"
    light = chart.evaluate(picture)
    page.get_by_role("button", name="Use the dark theme").click()
    page.evaluate("new Promise(requestAnimationFrame)")
    assert chart.evaluate(picture) != light
