"""Two networks without any route between them or to anything else. What their callers reach of this
machine is lent to them port by port (`lend`): the pages, the signalling, the relay."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.calls.lend import Trouble
from tests.harness.chromium import CHROMIUM
from tests.harness.pipeline import REPOSITORY

NO_TROUBLE = Trouble()


@dataclass(frozen=True, slots=True)
class Network:
    """A network namespace with one device, which leads nowhere."""

    name: str
    address: str

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in it."""
        inside = ["ip", "netns", "exec", self.name, *command]
        return subprocess.run(inside, check=True, capture_output=True, text=True)

    def has_way_to(self, address: str) -> bool:
        try:
            self.run("ip", "route", "get", address)
        except subprocess.CalledProcessError:
            return False
        return True


@contextmanager
def two_networks() -> Iterator[tuple[Network, Network]]:
    """Needs root and iproute2. The names are this process's own; the addresses are for examples."""
    first = Network(f"call-{os.getpid()}-a", "192.0.2.1")
    second = Network(f"call-{os.getpid()}-b", "198.51.100.1")
    with ExitStack() as undo:
        for one in (first, second):
            _run("ip", "netns", "add", one.name)
            undo.callback(_run, "ip", "netns", "del", one.name)
            one.run("ip", "link", "set", "lo", "up")
            one.run("ip", "link", "add", "out", "type", "veth", "peer", "name", "nowhere")
            one.run("ip", "address", "add", f"{one.address}/24", "dev", "out")
            for device in ("out", "nowhere"):
                one.run("ip", "link", "set", device, "up")
        yield first, second


@contextmanager
def lent(
    networks: Sequence[Network],
    tcp: Sequence[int],
    udp: Sequence[int],
    trouble: Trouble = NO_TROUBLE,
) -> Iterator[None]:
    """This machine's loopback ports, on the loopback of each network."""
    command = [sys.executable, "-m", "bench.calls.lend", *(one.name for one in networks)]
    command += [f"--tcp={port}" for port in tcp] + [f"--udp={port}" for port in udp]
    command += [f"--loss-percent={trouble.loss_percent}", f"--delay-ms={trouble.delay_ms}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        try:
            assert said == b"lent\n", "no ports were lent"
            yield
        finally:
            process.kill()


def browser_in(network: Network, folder: Path) -> Path:
    """An executable that starts Chromium in a network."""
    script = folder / f"chromium-{network.name}"
    script.write_text(f'#!/bin/sh\nexec ip netns exec {network.name} {CHROMIUM} "$@"\n')
    script.chmod(0o755)
    return script


def why_no_netem(network: Network) -> str | None:
    """What the kernel says when `tc netem` is asked for; None: it has it."""
    try:
        with netem([network], Trouble(delay_ms=1)):
            return None
    except subprocess.CalledProcessError as error:
        return str(error.stderr).strip()


@contextmanager
def netem(networks: Sequence[Network], trouble: Trouble) -> Iterator[None]:
    """The kernel's own trouble. What a caller sends passes the loopback of both networks, so each
    does half of it."""
    rules = ("loss", f"{trouble.loss_percent / 2}%", "delay", f"{trouble.delay_ms / 2}ms")
    try:
        for one in networks:
            one.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "limit", "10000", *rules)
        yield
    finally:
        for one in networks:
            with contextlib.suppress(subprocess.CalledProcessError):
                one.run("tc", "qdisc", "del", "dev", "lo", "root")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
