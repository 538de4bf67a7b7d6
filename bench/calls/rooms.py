"""Many rooms of two on one gateway: how long messages take, and how many get lost.

Each room is made, joined, and told what two browsers tell each other: an offer and an answer of
6 kB, and four candidates each. All sockets stay open until the last room is done.

python -m bench.calls.rooms [ws://127.0.0.1:4567/signal] [--rooms 1000] [--at-once 4]

Without an address a Millrace of its own is started.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import requests

from bench.own import own_pipeline

CANDIDATES = 4
SDP = "v=0\r\n" + "a=candidate-or-codec:0123456789\r\n" * 180
ANSWER_TIMEOUT_S = 60.0


@dataclass
class Tally:
    """What was measured, in s."""

    welcomes: list[float] = field(default_factory=list)
    messages: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    sent: int = 0


class Caller:
    """One socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, tally: Tally) -> None:
        self._socket = socket
        self._tally = tally

    async def ask(self, **message: Any) -> None:
        await self._socket.send_str(json.dumps({"v": 1, **message}))

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; errors are counted, other news skipped."""
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while True:
                message: dict[str, Any] = json.loads(await self._socket.receive_str())
                if message.get("type") == kind:
                    return message
                if message.get("type", "error") == "error":
                    self._tally.errors[message.get("code") or message["message"]] += 1


async def one_room(session: aiohttp.ClientSession, url: str, tally: Tally) -> list[Caller]:
    sockets = [await session.ws_connect(url) for _ in range(2)]
    first, second = callers = [Caller(socket, tally) for socket in sockets]
    begun = time.perf_counter()
    await first.ask(action="create")
    room = (await first.hear("joined"))["room"]
    tally.welcomes.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    await second.ask(action="join", room=room)
    await second.hear("joined")
    tally.welcomes.append(time.perf_counter() - begun)
    offer = {"description": {"type": "offer", "sdp": SDP}}
    answer = {"description": {"type": "answer", "sdp": SDP}}
    candidate = {"candidate": {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host"}}
    await _tell(first, second, [offer], tally)
    await _tell(second, first, [answer], tally)
    await _tell(first, second, [candidate] * CANDIDATES, tally)
    await _tell(second, first, [candidate] * CANDIDATES, tally)
    return callers


async def _tell(
    sender: Caller, receiver: Caller, signals: list[dict[str, Any]], tally: Tally
) -> None:
    begun: dict[int, float] = {}
    for seq, data in enumerate(signals):
        begun[seq] = time.perf_counter()
        tally.sent += 1
        await sender.ask(action="signal", seq=seq, data=data)
    for _ in signals:
        heard = await receiver.hear("signal")
        tally.messages.append(time.perf_counter() - begun[heard["seq"]])


async def run(url: str, rooms: int, at_once: int, tally: Tally) -> None:
    slots = asyncio.Semaphore(at_once)
    open_rooms: list[list[Caller]] = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def play() -> None:
            async with slots:
                try:
                    open_rooms.append(await one_room(session, url, tally))
                except (aiohttp.ClientError, TimeoutError, TypeError) as error:
                    tally.errors[type(error).__name__] += 1

        await asyncio.gather(*(play() for _ in range(rooms)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--rooms", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=4, help="rooms that are being set up")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with _gateway(arguments.url) as url:
        begun, tally = time.perf_counter(), Tally()
        with suppress(KeyboardInterrupt):  # what was measured by then is told
            asyncio.run(run(url, arguments.rooms, arguments.at_once, tally))
        report(tally, len(tally.welcomes) // 2, time.perf_counter() - begun)


@contextmanager
def _gateway(url: str | None) -> Iterator[str]:
    """The signalling at an address, or that of a new Millrace."""
    if url is not None:
        yield url
        return
    with own_pipeline("rooms") as millrace:
        yield requests.get(f"{millrace.site_url}/config.json", timeout=10).json()["signalUrl"]


def report(tally: Tally, rooms: int, took_s: float) -> None:
    print(f"{rooms} rooms, {2 * rooms} sockets, {took_s:.0f} s")
    print("| | number | median, ms | p95, ms | longest, ms |")
    print("|---|---|---|---|---|")
    for name, values in (("seat taken", tally.welcomes), ("message passed on", tally.messages)):
        ordered = sorted(values) or [0.0]
        marks = (statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1])
        cells = " | ".join(f"{1000 * mark:.0f}" for mark in marks)
        print(f"| {name} | {len(values)} | {cells} |")
    lost = tally.sent - len(tally.messages)
    print(f"lost: {lost} of {tally.sent}; errors: {dict(tally.errors) or 'none'}")
    print(f"load average: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")


if __name__ == "__main__":
    main()
