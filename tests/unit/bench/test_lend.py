"""The trouble that lent datagrams have."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Iterator

import pytest

from bench.calls.lend import Trouble
from tests.harness.loops import run_apart

NUMBERS = range(500)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a way that loses nothing by itself."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
    with ends[0], ends[1]:
        yield ends


async def _carry(trouble: Trouble, ends: tuple[socket.socket, socket.socket]) -> list[int]:
    """Which of the numbers arrive."""
    arrived = []
    for number in NUMBERS:
        trouble.carry(ends[0], str(number).encode())
        if number % 50 == 49:  # the way holds so many
            await asyncio.sleep(trouble.delay_ms / 1000 + 0.01)
            while True:
                try:
                    arrived.append(int(ends[1].recv(99)))
                except BlockingIOError:
                    break
    return arrived


def test_some_are_lost_and_the_rest_keeps_its_order_when_there_is_loss(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    random.seed(7)
    arrived = run_apart(_carry(Trouble(loss_percent=10), pair))
    assert arrived == sorted(arrived)
    assert 425 < len(arrived) < 475


def test_nothing_arrives_before_its_time_when_there_is_delay(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    async def case() -> float:
        begun = time.monotonic()
        Trouble(delay_ms=80).carry(pair[0], b"late")
        with pytest.raises(BlockingIOError):
            pair[1].recv(99)
        await asyncio.get_running_loop().sock_recv(pair[1], 99)
        return time.monotonic() - begun

    assert run_apart(case()) >= 0.079
