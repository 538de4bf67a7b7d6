"""Scrolls through ten thousand videos and tells the frames per second.

python -m tests.e2e.pages.scrolling
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import sync_playwright

from tests.e2e.pages.fake_api import Fake, State, video
from tests.harness.chromium import CHROMIUM, FLAGS

SECONDS = 5.0
_NEWEST = datetime(2026, 5, 31, tzinfo=UTC)

LOAD_ALL = """async () => {
    const more = document.querySelector("#more");
    while (!more.hidden) {
        scrollTo(0, document.documentElement.scrollHeight);
        await new Promise(requestAnimationFrame);
    }
    scrollTo(0, document.documentElement.scrollHeight);
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
}"""
"""To the end of the list, however often it grows."""

FRAMES = """async (seconds) => {
    const list = document.querySelector("#videos");
    const begun = performance.now();
    let [frames, cards, nodes, longest_ms, before] = [0, 0, 0, 0, begun];
    let long_tasks = 0;
    const watcher = new PerformanceObserver((list) => (long_tasks += list.getEntries().length));
    watcher.observe({ type: "longtask" });
    while (performance.now() - begun < seconds * 1000) {
        scrollBy(0, -60);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        longest_ms = Math.max(longest_ms, now - before);
        before = now;
        frames += 1;
        cards = Math.max(cards, list.children.length);
        nodes = Math.max(nodes, document.getElementsByTagName("*").length);
    }
    watcher.disconnect();
    const fps = (1000 * frames) / (before - begun);
    return { fps, frames, cards, nodes, longest_ms, long_tasks };
}"""
"""Scrolls 60 px a frame, 3,600 px a second at 60 frames. `long_tasks` took more than 50 ms each."""


def many(count: int) -> list[dict[str, Any]]:
    """Videos a minute apart, newest first."""
    return [
        video(
            number,
            created_at=(_NEWEST - timedelta(minutes=count - number)).strftime(
                "%Y-%m-%dT%H:%M:%S.%fZ"
            ),
        )
        for number in range(count, 0, -1)
    ]


def main() -> None:
    with Fake(State(videos=many(10_000))) as fake, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{fake.site_url}/index.html")
        page.locator("#videos .card").first.wait_for()
        page.evaluate(LOAD_ALL)
        report = page.evaluate(FRAMES, SECONDS)
        print(f"{report['fps']:.1f} frames per second over {SECONDS:.0f} s,", end=" ")
        print(f"the longest took {report['longest_ms']:.0f} ms;", end=" ")
        print(f"{report['cards']} cards, {report['nodes']} elements at most;", end=" ")
        print(f"{report['long_tasks']} tasks of more than 50 ms")
        browser.close()


if __name__ == "__main__":
    main()
