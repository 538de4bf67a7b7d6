"""Two network namespaces that know the relay and not each other, and ways to this machine's
services that are no network: Unix sockets."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

RELAY_ADDRESS = "10.77.0.1"
"""This machine's end of the first namespace's cable; the second has a route to it."""


@dataclass(frozen=True, slots=True)
class Side:
    """One caller's network: a namespace at the end of a cable."""

    name: str
    device: str
    """This machine's end of the cable."""
    here: str
    there: str


SIDES = (
    Side("call-a", "call-a0", "10.77.0.1", "10.77.0.2"),
    Side("call-b", "call-b0", "10.77.1.1", "10.77.1.2"),
)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def separate_networks() -> Iterator[None]:
    """Two namespaces without a route to each other. Needs root and iproute2."""
    with ExitStack() as undo:
        for side in SIDES:
            undo.callback(_remove, side)
            _remove(side)
            run("ip", "netns", "add", side.name)
            inner = f"{side.device}-in"
            run("ip", "link", "add", side.device, "type", "veth", "peer", "name", inner)
            run("ip", "link", "set", inner, "netns", side.name)
            run("ip", "address", "add", f"{side.here}/30", "dev", side.device)
            run("ip", "link", "set", side.device, "up")
            within(side, "ip", "address", "add", f"{side.there}/30", "dev", inner)
            within(side, "ip", "link", "set", inner, "up")
            within(side, "ip", "link", "set", "lo", "up")
        within(SIDES[1], "ip", "route", "add", f"{RELAY_ADDRESS}/32", "via", SIDES[1].here)
        yield


def within(side: Side, *command: str) -> None:
    run("ip", "netns", "exec", side.name, *command)


def reaches(side: Side, address: str) -> bool:
    """Whether a packet from a side to an address comes back."""
    command = ["ip", "netns", "exec", side.name, "ping", "-c1", "-W1", address]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def can_be_troubled() -> bool:
    """Whether the kernel has what `trouble` needs. Call it while the networks are there."""
    try:
        with trouble(0, 1):
            return True
    except subprocess.CalledProcessError:
        return False


@contextmanager
def trouble(loss_percent: float, delay_ms: float) -> Iterator[None]:
    """What both cables do to each packet, in each direction: half of the delay each."""
    rules = ("netem", "loss", f"{loss_percent}%", "delay", f"{delay_ms / 2}ms", "limit", "10000")
    inner = [f"{side.device}-in" for side in SIDES]
    try:
        for side, device in zip(SIDES, inner, strict=True):
            within(side, "tc", "qdisc", "add", "dev", device, "root", *rules)
        yield
    finally:
        for side, device in zip(SIDES, inner, strict=True):
            with contextlib.suppress(subprocess.CalledProcessError):
                within(side, "tc", "qdisc", "del", "dev", device, "root")


@contextmanager
def services(folder: Path, ports: tuple[int, ...]) -> Iterator[None]:
    """This machine's loopback ports, on each side's own loopback."""
    with ExitStack() as stack:
        for port in ports:
            path = folder / f"{port}.sock"
            path.unlink(missing_ok=True)
            stack.enter_context(_forwarder([], f"unix:{path}", f"tcp:{port}"))
            for side in SIDES:
                namespace = ["ip", "netns", "exec", side.name]
                stack.enter_context(_forwarder(namespace, f"tcp:{port}", f"unix:{path}"))
        yield


def browser_of(side: Side, folder: Path) -> Path:
    """An executable that starts Chromium on a side."""
    script = folder / f"chromium-{side.name}"
    script.write_text(f'#!/bin/sh\nexec ip netns exec {side.name} /usr/bin/chromium "$@"\n')
    script.chmod(0o755)
    return script


@contextmanager
def _forwarder(prefix: list[str], listen: str, target: str) -> Iterator[None]:
    command = [*prefix, sys.executable, "-m", "bench.calls.forward", listen, target]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it listens
        try:
            yield
        finally:
            process.kill()


def _remove(side: Side) -> None:
    for command in (("ip", "link", "del", side.device), ("ip", "netns", "del", side.name)):
        subprocess.run(command, capture_output=True, check=False)
