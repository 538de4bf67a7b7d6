"""HTTP front of the Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

Every process gets a port of its own: runtimes know their endpoint as host:port only, so the port
is what tells them apart (and keeps one function from answering for another).
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

from local.runtime_api.endpoint import Endpoint, RefusedError
from local.runtime_api.messages import MAX_RESPONSE_BYTES, Event, Kind

_VERSION = "/2018-06-01/runtime"
_ANSWER = re.compile(rf"{_VERSION}/invocation/(?P<id>[^/]+)/(?P<kind>response|error)")
_CHUNK_BYTES = 1 << 16


class RuntimeApi:
    """Serves one `Endpoint` on a free port of the loopback interface until `close`."""

    def __init__(self, on_taken: Callable[[Event], None] | None = None) -> None:
        self.endpoint = Endpoint(on_taken)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        """Value of AWS_LAMBDA_RUNTIME_API."""
        threading.Thread(
            target=self._accept, name=f"runtime-api-{self.address}", daemon=True
        ).start()

    def close(self) -> None:
        """Ends all connections; safe to call twice."""
        self.endpoint.close()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`; close alone does not
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(connection, address), name="runtime-api", daemon=True
            ).start()

    def _serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        # The process may be killed at any byte of the exchange.
        with connection, contextlib.suppress(ConnectionError):
            _Handler(connection, address, self)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without these two, headers and body go out as two packets and the second waits for the
    # client's delayed acknowledgement: 40 ms and more for each event.
    disable_nagle_algorithm = True
    wbufsize = _CHUNK_BYTES

    @property
    def endpoint(self) -> Endpoint:
        api: Any = self.server
        return api.endpoint  # type: ignore[no-any-return]

    def do_GET(self) -> None:
        if self.path != f"{_VERSION}/invocation/next":
            self._refuse_path()
            return
        try:
            event = self.endpoint.wait_for_event()
        except RefusedError as refused:
            self._send(refused.status, refused.body)
            return
        # A dead process's connection is found closed here, before its event is used up.
        if event is None or self._peer_gone() or not self.endpoint.taken(event):
            self.close_connection = True
            return
        self._send(200, event.payload, _headers(event))

    def do_POST(self) -> None:
        body = self._body()
        try:
            if answer := _ANSWER.fullmatch(self.path):
                kind = Kind.RESPONSE if answer["kind"] == "response" else Kind.ERROR
                if kind is Kind.ERROR and body is not None:
                    body = _error_document(body, self.headers)
                self.endpoint.answer(answer["id"], kind, body)
            elif self.path == f"{_VERSION}/init/error":
                self.endpoint.report(Kind.INIT_ERROR, _error_document(body or b"", self.headers))
            else:
                self._refuse_path()
                return
        except RefusedError as refused:
            self._send(refused.status, refused.body)
            return
        self._send(202, b'{"status":"OK"}')

    def log_message(self, format: str, *args: Any) -> None:
        """Requests of healthy functions are not news."""

    def _refuse_path(self) -> None:
        self._send(404, b'{"errorType":"InvalidPath","errorMessage":"No such operation"}')

    def _peer_gone(self) -> bool:
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
        connection: socket.socket = self.connection
        try:
            return connection.recv(1, flags) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _body(self) -> bytes | None:
        """The whole request body, or None (and it is read past) when it exceeds the limit."""
        parts: list[bytes] = []
        size = 0
        for part in self._parts():
            size += len(part)
            if size <= MAX_RESPONSE_BYTES:
                parts.append(part)
            else:
                parts.clear()
        return b"".join(parts) if size <= MAX_RESPONSE_BYTES else None

    def _parts(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():  # trailers, as streaming runtimes send them
                pass
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            part = self.rfile.read(min(left, _CHUNK_BYTES))
            if not part:
                raise ConnectionAbortedError("the runtime ended within its request")
            left -= len(part)
            yield part

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _headers(event: Event) -> dict[str, str]:
    deadline_ms = int((time.time() + event.timeout_s) * 1000)  # never later than it is
    headers = {
        "Lambda-Runtime-Aws-Request-Id": event.request_id,
        "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": event.function_arn,
        "Lambda-Runtime-Trace-Id": event.trace_id,
        "Lambda-Runtime-Client-Context": event.client_context,
        "Lambda-Runtime-Cognito-Identity": event.cognito_identity,
    }
    return {name: value for name, value in headers.items() if value}


def _error_document(body: bytes, headers: Any) -> bytes:
    """The error a caller gets: the runtime's JSON object, or one made from its error type."""
    try:
        if isinstance(json.loads(body), dict):
            return body
    except ValueError:
        pass
    error_type = headers.get("Lambda-Runtime-Function-Error-Type") or "Unhandled"
    return json.dumps(
        {"errorType": error_type, "errorMessage": body.decode(errors="replace")}
    ).encode()
