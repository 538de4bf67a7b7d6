"""The look from outside, at a real HTTP server that is well or ill."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import pytest

from cli import deploy_smoke
from cli.deploy import Outputs
from cli.deploy_smoke import SmokeError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "Strict-Transport-Security": "max-age=1",
    "X-Content-Type-Options": "nosniff",
}
Served = dict[str, tuple[int, str, bytes]]


class Account:
    """What only the owner may do: the monitor can be called, and S3 has an address."""

    def __init__(self, url: str, failure: str | None) -> None:
        self._url, self._failure = url, failure

    def client(self, service: str) -> Any:
        return self if service == "lambda" else _S3(self._url)

    def invoke(self, **_arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {"Payload": BytesIO((self._failure or "").encode())}
        return {"FunctionError": "Unhandled", **answer} if self._failure else answer


class _S3:
    def __init__(self, url: str) -> None:
        self.meta = type("Meta", (), {"endpoint_url": f"{url}/s3"})


@contextmanager
def _serving(served: Served) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = served.get(self.path.split("?")[0], (404, "text/plain", b""))
            self.send_response(status)
            for name, value in {"Content-Type": kind, **HEADERS}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_arguments: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _outputs(url: str, distribution: str = "d1.cloudfront.net") -> Outputs:
    return Outputs(
        api_url=f"{url}/api",
        signal_url="wss://signal",
        site_url=f"{url}/site",
        uploads_bucket="uploads",
        site_bucket="site",
        table="millrace",
        queue_urls={},
        distribution_domain=distribution,
    )


def _well(url: str) -> Served:
    config = json.dumps({"apiUrl": f"{url}/api", "signalUrl": "wss://signal"}).encode()
    return {
        "/site/index.html": (200, "text/html; charset=utf-8", b"<!doctype html>"),
        "/site/config.json": (200, "application/json", config),
        "/s3/site/index.html": (403, "application/xml", b""),
        "/api/health/ready": (200, "application/json", b"{}"),
        "/api/videos": (200, "application/json", b'{"videos": []}'),
        "/api/uploads": (401, "application/problem+json", b"{}"),
    }


def _look(change: Callable[[Served], None], failure: str | None = None) -> list[str]:
    told: list[str] = []
    served: Served = {}
    with _serving(served) as url:
        served.update(_well(url))
        change(served)
        deploy_smoke.check(Account(url, failure), _outputs(url), told.append, patience_s=0)
    return told


def test_everything_is_told_once_when_all_is_well() -> None:
    told = _look(lambda _served: None)
    assert len(told) == len(set(told)) == 8


def test_cloudfront_is_not_looked_for_when_there_is_none() -> None:
    told: list[str] = []
    served: Served = {}
    with _serving(served) as url:
        served.update(_well(url))
        del served["/s3/site/index.html"]
        deploy_smoke.check(Account(url, None), _outputs(url, ""), told.append, patience_s=0)
    assert len(told) == 6


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        ("/site/index.html", (403, "text/plain", b""), "the pages are served: index.html: 403"),
        ("/site/index.html", (200, "text/plain", b""), "index.html is text/plain"),
        ("/site/config.json", (200, "application/json", b'{"apiUrl": "x"}'), "names x"),
        ("/site/config.json", (200, "application/json", b"{"), "they know the API"),
        (
            "/s3/site/index.html",
            (200, "text/html", b""),
            "everybody else: S3 answers 200",
        ),
        ("/api/health/ready", (503, "application/json", b'"table"'), "ready: 503 b.*table"),
        ("/api/videos", (200, "application/json", b"{}"), "it lists the videos"),
        ("/api/uploads", (201, "application/json", b"{}"), "without a token: /uploads: 201"),
    ],
)
def test_what_is_ill_is_named_when_it_does_not_become_well(
    path: str, answer: tuple[int, str, bytes], message: str
) -> None:
    with pytest.raises(SmokeError, match=message):
        _look(lambda served: served.update({path: answer}))


def test_reason_of_the_monitor_is_told_when_it_fails() -> None:
    with pytest.raises(SmokeError, match="the monitor runs: no table"):
        _look(lambda _served: None, failure="no table")


def test_it_is_looked_at_again_when_something_needs_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deploy_smoke, "_PAUSE_S", 0.01)
    answers = iter([SmokeError("not yet"), OSError("refused"), None])

    def look() -> None:
        if (trouble := next(answers)) is not None:
            raise trouble

    deploy_smoke._patiently("it works", look, patience_s=5)
    assert next(answers, "asked three times") == "asked three times"
