"""Lends ports of this machine's loopback to network namespaces that have no other way out: streams
as they are, datagrams with losses and delays as well.

python -m bench.calls.lend NAMESPACE… [--tcp PORT]… [--udp PORT]… [--loss-percent N] [--delay-ms N]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import os
import random
import socket
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
NAMESPACES = Path("/run/netns")
_MOST_BYTES = 65536
_BUFFER_BYTES = 1 << 20
"""A key picture comes in a burst: no loss but the one that is asked for."""
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to datagrams on their way out of a namespace; the way in is free of it. So each
    of two callers hears the other through it once, as with `tc netem` on the devices of both."""

    loss_percent: float = 0.0
    delay_ms: float = 0.0

    def carry(self, outside: socket.socket, data: bytes) -> None:
        """Send, later or never."""
        if 100 * random.random() < self.loss_percent:
            return
        if self.delay_ms:
            asyncio.get_running_loop().call_later(self.delay_ms / 1000, _send, outside, data)
        else:
            _send(outside, data)


class Datagrams:
    """A UDP port in a namespace. Every client has a socket out here, as behind a NAT."""

    def __init__(self, inside: socket.socket, port: int, trouble: Trouble) -> None:
        self._inside = inside
        self._port = port
        self._trouble = trouble
        self._outside: dict[Address, socket.socket] = {}
        asyncio.get_running_loop().add_reader(inside, self._carry_out)

    def _carry_out(self) -> None:
        with contextlib.suppress(OSError):  # at last: nothing more to read
            while True:
                data, client = self._inside.recvfrom(_MOST_BYTES)
                outside = self._outside.get(client) or self._meet(client)
                self._trouble.carry(outside, data)

    def _meet(self, client: Address) -> socket.socket:
        outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outside.setblocking(False)
        outside.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        outside.connect((LOOPBACK, self._port))
        self._outside[client] = outside
        asyncio.get_running_loop().add_reader(outside, self._carry_in, outside, client)
        return outside

    def _carry_in(self, outside: socket.socket, client: Address) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._inside.sendto(outside.recv(_MOST_BYTES), client)


def _send(outside: socket.socket, data: bytes) -> None:
    """Or not: a datagram may get lost where nobody listens."""
    with contextlib.suppress(OSError):
        outside.send(data)


async def lend_stream(inside: socket.socket, port: int) -> asyncio.Server:
    """A TCP port in a namespace."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, other_writer), _pump(other_reader, writer))

    return await asyncio.start_server(accept, sock=inside)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_MOST_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


def bound_in(namespace: str, kind: socket.SocketKind, port: int) -> socket.socket:
    """A socket of a namespace's loopback: it stays there, whoever holds it."""
    with Path("/proc/self/ns/net").open() as home, (NAMESPACES / namespace).open() as there:
        _enter(there.fileno())
        try:
            made = socket.socket(socket.AF_INET, kind)
        finally:
            _enter(home.fileno())
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    made.bind((LOOPBACK, port))
    return made


def _enter(namespace: int) -> None:
    """As `os.setns`, which Python has from 3.12 on."""
    if _LIBC.setns(namespace, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


async def _serve(arguments: argparse.Namespace) -> None:
    trouble = Trouble(arguments.loss_percent, arguments.delay_ms)
    kept: list[object] = []
    for namespace in arguments.namespaces:
        for port in arguments.tcp:
            kept.append(await lend_stream(bound_in(namespace, socket.SOCK_STREAM, port), port))
        for port in arguments.udp:
            kept.append(Datagrams(bound_in(namespace, socket.SOCK_DGRAM, port), port, trouble))
    print("lent", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("namespaces", nargs="+")
    parser.add_argument("--tcp", type=int, action="append", default=[])
    parser.add_argument("--udp", type=int, action="append", default=[])
    parser.add_argument("--loss-percent", type=float, default=0.0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
