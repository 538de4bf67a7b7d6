"""The delay of a call, from the sender's camera to the receiver's screen, on three paths: direct on
this machine; through a relay between two networks without a route to each other; and the same with
2 % of the packets lost and 80 ms of delay.

The camera is a canvas that shows the time; the receiver reads it out of the picture. Both browsers
have the same clock. Needs root, iproute2, Chromium and coturn.

Without losses the delay has targets; one that is missed, or a call without a picture that could be
read, ends in exit code 1. Under loss the delay is told only.

python -m bench.calls [--seconds N] [--only NAME]
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.calls import callers, network
from bench.calls.lend import Trouble
from bench.calls.network import NO_TROUBLE, Network
from bench.tools import CACHE
from tests.harness import chromium
from tests.harness.pipeline import Pipeline, free_port
from tests.harness.webrtc import own_end

MEDIAN_MS, P95_MS = 150, 500
"""Targets: a delay up to 150 ms is not noticed (ITU-T G.114)."""
SETTLE_MS = 8000
"""Congestion control begins with a coarse picture."""
PATIENCE_MS = 120_000
HERE = Path(chromium.CHROMIUM)


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    apart: bool
    """In two networks that know the relay alone."""
    trouble: Trouble = NO_TROUBLE

    def judge(self, result: Result) -> list[str]:
        """The targets that were missed. Under loss there is one alone: that pictures arrive."""
        if self.trouble == NO_TROUBLE:
            return result.missed()
        return [] if result.delays_ms else ["no picture could be read"]


CASES = {
    "direct": Case("direct, one machine", apart=False),
    "relay": Case("relay, two networks", apart=True),
    "loss": Case("relay, 2 % loss, 80 ms", apart=True, trouble=Trouble(2, 80)),
}


@dataclass(frozen=True, slots=True)
class Result:
    """Of one call: both ends of its path, and what was seen at the second."""

    path: list[str]
    delays_ms: list[float]
    unreadable: int
    stages_ms: dict[str, float]
    """Mean of each picture: parts of the delay that the browsers account for."""
    way: dict[str, float]
    """Round trip and loss, as the receiver knows them."""

    @property
    def marks_ms(self) -> tuple[float, float]:
        """Median and 95th percentile of the delays; infinite if no picture could be read."""
        ordered = sorted(self.delays_ms) or [math.inf]
        return statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]

    def missed(self) -> list[str]:
        """Targets, in words."""
        middle, late = self.marks_ms
        found = [f"median {middle:.0f} ms, not below {MEDIAN_MS} ms"] if middle >= MEDIAN_MS else []
        return found + ([f"p95 {late:.0f} ms, not below {P95_MS} ms"] if late >= P95_MS else [])

    def row(self, name: str) -> str:
        middle, late = self.marks_ms
        stages = ", ".join(f"{stage} {ms:.0f}" for stage, ms in self.stages_ms.items())
        way = f"{self.way['roundTrip_ms']:.0f} ms, {self.way['lost_percent']:.1f} %"
        numbers = [f"{middle:.0f}", f"{late:.0f}", str(len(self.delays_ms)), str(self.unreadable)]
        return f"| {' | '.join([name, ' – '.join(self.path), way, *numbers, stages])} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--only", choices=CASES, action="append")
    arguments = parser.parse_args()
    missed: list[str] = []
    with network.two_networks() as networks, _millrace() as (millrace, turn_port):
        refusal = network.why_no_netem(networks[0])
        print(f"trouble: by {'this kernel (tc netem)' if refusal is None else 'bench.calls.lend'}")
        if refusal:
            print(f"(tc netem says: {refusal})")
        print("\n| call | path | round trip, loss | median, ms | p95, ms | pictures | ", end="")
        print("unreadable | of it, ms |\n|---|---|---|---|---|---|---|---|")
        for name in arguments.only or CASES:
            case = CASES[name]
            with _path(case, networks, millrace, turn_port, by_kernel=not refusal) as browsers:
                result = _measure(browsers, millrace, arguments.seconds)
            # One relay is enough: it reaches the other side itself. Without any there is no way.
            assert "relay" in result.path or not case.apart, f"the call took {result.path}"
            print(result.row(case.name), flush=True)
            missed += [f"{case.name}: {target}" for target in case.judge(result)]
    print(f"\nload average: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    for line in missed:
        print(f"missed: {line}")
    return 1 if missed else 0


@contextmanager
def _millrace() -> Iterator[tuple[Pipeline, int]]:
    """One of its own, kept between runs, and the port of its relay."""
    turn_port = free_port()
    settings = {"MILLRACE_TURN": "1", "MILLRACE_TURN_PORT": str(turn_port)}
    running = Pipeline(CACHE / "calls-state", settings=settings)
    running.start()
    try:
        yield running, turn_port
    finally:
        running.stop()


@contextmanager
def _path(
    case: Case,
    networks: Sequence[Network],
    millrace: Pipeline,
    turn_port: int,
    *,
    by_kernel: bool,
) -> Iterator[tuple[Path, Path]]:
    """The browsers of a case, on each end of its path."""
    if not case.apart:
        yield HERE, HERE
        return
    first, second = networks
    assert not first.has_way_to(second.address), "the two networks know each other"
    with ExitStack() as stack:
        lends = NO_TROUBLE if by_kernel else case.trouble
        ports = (millrace.port, millrace.signal_port)
        stack.enter_context(network.lent(networks, ports, (turn_port,), lends))
        if by_kernel and case.trouble != NO_TROUBLE:
            stack.enter_context(network.netem(networks, case.trouble))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield network.browser_in(first, folder), network.browser_in(second, folder)


def _measure(browsers: tuple[Path, Path], millrace: Pipeline, seconds: float) -> Result:
    with (
        sync_playwright() as playwright,
        callers.in_a_call(playwright, browsers, millrace.site_url, PATIENCE_MS) as (first, second),
    ):
        second.wait_for_timeout(SETTLE_MS)
        seen: dict[str, Any] = second.evaluate(f"measureDelays({seconds})")
        sender, receiver = (page.evaluate("stages()") for page in (first, second))
        stages = sender["sent"] | receiver["shown"]
        path = [own_end(page) for page in (first, second)]
        return Result(path, seen["delays"], seen["unreadable"], stages, receiver["way"])


if __name__ == "__main__":
    sys.exit(main())
