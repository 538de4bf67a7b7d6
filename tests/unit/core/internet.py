"""The other side of webhooks: names, addresses and endpoints, without a socket that leaves the
process. What is connected to is one end of a pair; an HTTP server sits at the other."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

HOST, ADDRESS = "hooks.example", "93.184.216.34"
URL = f"http://{HOST}/in?from=millrace"


@dataclass(frozen=True, slots=True)
class Request:
    """One request that came in."""

    address: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Internet:
    """Who is at which name, and what they say."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {HOST: [ADDRESS]}
        self.requests: list[Request] = []
        self.looked_up: list[str] = []
        self.connected: list[str] = []
        self.unreachable: set[str] = set()
        self.reply: Callable[[Request], Reply] = lambda _: Reply()
        self.serve_raw: Callable[[socket.socket], None] | None = None
        """Instead of an HTTP server."""
        self.tls: ssl.SSLContext | None = None
        """What the servers prove themselves with."""
        self.before_connecting: Callable[[], None] = lambda: None

    def attach(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(socket, "getaddrinfo", self._look_up)
        patch.setattr(socket, "create_connection", self._connect)

    def answer(self, *statuses: int) -> None:
        """The next requests get these statuses, those after them 204."""
        waiting = list(statuses)
        self.reply = lambda _: Reply(waiting.pop(0)) if waiting else Reply()

    def _look_up(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.looked_up.append(host)
        with contextlib.suppress(OSError):  # as the C library takes numbers: 2130706433, 0x7f.1
            self.names.setdefault(host, [socket.inet_ntoa(socket.inet_aton(host))])
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        stream = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [
            (socket.AF_INET6, *stream, (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, *stream, (address, port))
            for address in self.names[host]
        ]

    def _connect(self, address: tuple[str, int], timeout: float) -> socket.socket:
        self.before_connecting()
        self.connected.append(address[0])
        if address[0] in self.unreachable:
            raise ConnectionRefusedError
        ours, theirs = socket.socketpair()
        ours.settimeout(timeout)
        threading.Thread(target=self._serve, args=(theirs, address[0]), daemon=True).start()
        return ours

    def _serve(self, connection: socket.socket, address: str) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            if self.serve_raw is not None:
                self.serve_raw(connection)
                return
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                _Handler(self, address, connection)


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, internet: Internet, address: str, connection: socket.socket) -> None:
        self._internet, self._address = internet, address
        super().__init__(connection, (address, 0), None)  # type: ignore[arg-type]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self._address, self.path, headers, body)
        self._internet.requests.append(request)
        reply = self._internet.reply(request)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Not to the test's output."""
