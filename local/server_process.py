"""Processes and ports, as the launcher of the cloud needs them."""

from __future__ import annotations

import shlex
import socket
from dataclasses import dataclass

import psutil


class CloudError(Exception):
    """The cloud cannot be started or has failed; the text is for the person who started it."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who holds a port; `process` is None when it may not be seen (another user's)."""

    process: psutil.Process | None


def listener_on(port: int, address: str = "127.0.0.1") -> Listener | None:
    """The TCP listener on `address`:`port` (or on every address), or None when it can be bound."""
    with socket.socket() as probe:
        # Without it, connections of an ended server in TIME_WAIT would make the port look busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return Listener(_holder(port))
    return None


def _holder(port: int) -> psutil.Process | None:
    for connection in psutil.net_connections(kind="tcp"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
        if listens and connection.pid is not None:
            try:
                return psutil.Process(connection.pid)
            except psutil.NoSuchProcess:
                return None
    return None


def describe(process: psutil.Process) -> str:
    """Pid and the start of the command line, e.g. `process 42 (python3 -m http.server 4566)`."""
    try:
        command = shlex.join(process.cmdline()) or process.name()
    except psutil.Error:
        command = "ended meanwhile"
    return f"process {process.pid} ({command[:77] + '…' if len(command) > 78 else command})"


def tree_of(pid: int) -> set[psutil.Process]:
    """Every living descendant of a process; empty when it is gone."""
    try:
        return set(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return set()
