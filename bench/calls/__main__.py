"""The delay of a call, from the sender's camera to the receiver's screen, on three paths: direct on
this machine; through a relay between two networks without a route to each other; and the same with
2 % of the packets lost and 80 ms of delay.

The camera is a canvas that shows the time; the receiver reads it out of the picture. Both browsers
have the same clock. Needs root, iproute2, Chromium and coturn.

python -m bench.calls [--seconds N] [--folder DIR]
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.calls import network
from tests.harness import chromium
from tests.harness.pipeline import REPOSITORY, Pipeline

CAMERA = (Path(__file__).parent / "camera.js").read_text()
FLAGS = [
    *chromium.FLAGS,
    # Without these a browser slows down what no screen shows.
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]
SETTLE_MS = 5000
LONG_MS = 120_000
HOST = chromium.CHROMIUM


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    apart: bool
    """In two networks that know the relay alone."""
    loss_percent: float = 0.0
    delay_ms: float = 0.0


CASES = (
    Case("direct, one machine", apart=False),
    Case("relay, two networks", apart=True),
    Case("relay, 2 % loss, 80 ms", apart=True, loss_percent=2, delay_ms=80),
)


@dataclass(frozen=True, slots=True)
class Result:
    path: list[str]
    delays_ms: list[float]
    unreadable: int

    def row(self, name: str) -> str:
        ordered = sorted(self.delays_ms)
        middle = statistics.median(ordered)
        late = ordered[int(0.95 * (len(ordered) - 1))]
        cells = (name, " – ".join(self.path), f"{middle:.0f}", f"{late:.0f}", str(len(ordered)))
        return f"| {' | '.join((*cells, str(self.unreadable)))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build" / "bench-calls")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with network.separate_networks(), _millrace(arguments.folder) as millrace:
        print("| call | path | median, ms | p95, ms | pictures | unreadable |")
        print("|---|---|---|---|---|---|")
        for case in CASES:
            if case.delay_ms and not network.can_be_troubled():
                print(f"| {case.name} | not measured: this kernel has no netem | | | | |")
                continue
            print(measure(case, millrace, arguments).row(case.name), flush=True)
    print(f"\nload average: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")


@contextmanager
def _millrace(folder: Path) -> Iterator[Pipeline]:
    """One of its own, with a relay that both networks reach; kept between runs."""
    settings = {"MILLRACE_TURN": "1", "MILLRACE_TURN_ADDRESS": network.RELAY_ADDRESS}
    running = Pipeline(folder / "state", port=4690, signal_port=4691, settings=settings)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def measure(case: Case, millrace: Pipeline, arguments: argparse.Namespace) -> Result:
    """One call, measured on the second caller's side."""
    if not case.apart:
        return _call(millrace, (HOST, HOST), arguments.seconds)
    for side, other in (network.SIDES, network.SIDES[::-1]):
        assert not network.reaches(side, other.there), "the two networks know each other"
    folder: Path = arguments.folder
    paths = [str(network.browser_of(side, folder)) for side in network.SIDES]
    ports = (millrace.port, millrace.signal_port)
    bad = network.trouble(case.loss_percent, case.delay_ms) if case.delay_ms else nullcontext()
    with network.services(folder, ports), bad:
        result = _call(millrace, (paths[0], paths[1]), arguments.seconds)
    # One relay is enough: it reaches the other side itself. Without any there is no way.
    assert "relay" in result.path, f"the call took {result.path}"
    return result


def _call(millrace: Pipeline, browsers: tuple[str, str], seconds: float) -> Result:
    with sync_playwright() as playwright:
        running = [playwright.chromium.launch(executable_path=one, args=FLAGS) for one in browsers]
        pages = [one.new_page() for one in running]
        for page in pages:
            page.set_default_timeout(LONG_MS)
            page.add_init_script(CAMERA)
        first, second = pages
        first.goto(f"{millrace.site_url}/chat.html")
        first.get_by_role("button", name="Make a room").click()
        first.wait_for_selector("#room:not([hidden])")
        second.goto(first.url)
        second.get_by_role("button", name="Join the call").click()
        for page in pages:
            page.wait_for_selector('#room[data-phase="talking"]')
        result = _read(first, second, seconds)
        for one in running:
            one.close()
    return result


def _read(first: Page, second: Page, seconds: float) -> Result:
    second.wait_for_timeout(SETTLE_MS)
    seen: dict[str, Any] = second.evaluate(f"measureDelays({seconds})")
    # Each end as its own browser knows it: the other learns a relay's address from its packets.
    path = [page.evaluate("ownEnd()") for page in (first, second)]
    return Result(path, seen["delays"], seen["unreadable"])


if __name__ == "__main__":
    main()
