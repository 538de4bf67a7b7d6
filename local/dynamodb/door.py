"""A short way to the items for functions: HTTP without LocalStack's chain of handlers, which takes
several times as long as the work itself.

Functions find it by the standard AWS_ENDPOINT_URL_DYNAMODB. What is no operation on items, or comes
before the provider is loaded, goes on to LocalStack's gateway.
"""

from __future__ import annotations

import http.client
import logging
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

API = "DynamoDB_20120810"
_LONGEST_REQUEST_BYTES = 16 * 1024 * 1024
"""DynamoDB's own limit; of BatchWriteItem."""

Answer = Callable[[str, str, bytes], tuple[int, bytes] | None]
"""Operation, Authorization header, request's JSON → status and answer's JSON; None: not for us."""

log = logging.getLogger(__name__)


class Door:
    """Closed until it is opened."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        """Set by the provider when it is loaded."""
        self.gateway = ""

    def open(self, gateway_url: str) -> str:
        """Listen on a port of its own choice, in front of LocalStack's gateway. Its address."""
        self.gateway = urlsplit(gateway_url).netloc
        server = _Server(self)
        threading.Thread(target=server.serve_forever, daemon=True, name="dynamodb").start()
        return f"http://127.0.0.1:{server.server_address[1]}"


DOOR = Door()
"""The one of this process."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = socket.SOMAXCONN

    def __init__(self, door: Door) -> None:
        self.door = door
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """One connection, which a client keeps."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer leaves in one piece

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_REQUEST_BYTES:
            self.close_connection = True
            self.send_error(413 if length.isdecimal() else 411)
            return
        body = self.rfile.read(int(length))
        status, answer = self._answered(body) or self._forwarded(body)
        self.send_response_only(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _answered(self, body: bytes) -> tuple[int, bytes] | None:
        version, _, name = self.headers.get("X-Amz-Target", "").partition(".")
        answer = self.server.door.answer
        if answer is None or version != API:
            return None
        try:
            return answer(name, self.headers.get("Authorization", ""), body)
        except Exception:  # the edge: a client gets an answer, whatever happens
            log.exception("%s failed", name)
            return 500, b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}'

    def _forwarded(self, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.server.door.gateway)
        try:
            connection.request("POST", self.path, body, dict(self.headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def log_message(self, *_: Any) -> None:
        """LocalStack's log has its own requests only; functions log theirs."""
