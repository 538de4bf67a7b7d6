"""A webhook's receiver, as somebody would write it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.harness.pipeline import Pipeline


@dataclass
class Receiver:
    """Verifies what comes in, and remembers it."""

    refused_twice: str = ""
    """Answers 500 to the first two attempts at each event of this type."""
    url: str = ""
    secret: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of what was taken, with the id: as often as it came."""
    attempts: Counter[str] = field(default_factory=Counter)
    """By id."""

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        event: dict[str, Any] = Webhook(self.secret).verify(body, headers)
        event_id = headers["webhook-id"]
        self.attempts[event_id] += 1
        if event["type"] == self.refused_twice and self.attempts[event_id] <= 2:
            return 500
        self.events.append({**event, "id": event_id})
        return 204

    def told(self, video_id: str) -> dict[str, int]:
        """How often it was told what of a video."""
        return dict(Counter(event["type"] for event in self._about(video_id)))

    def ids(self, video_id: str, type_: str) -> set[str]:
        """Of the events of a type of a video. Delivery is at least once: the same event may come
        again, under the same id."""
        return {event["id"] for event in self._about(video_id) if event["type"] == type_}

    def _about(self, video_id: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["data"].get("video_id") == video_id]


@contextmanager
def registered(pipeline: Pipeline, refused_twice: str = "") -> Iterator[Receiver]:
    """One that listens, as a webhook of the pipeline."""
    receiver = Receiver(refused_twice)
    with _listening(receiver):
        made = pipeline.api("POST", "/webhooks", {"url": receiver.url})
        assert made.status_code == 201, made.text
        receiver.secret = made.json()["secret"]
        yield receiver
        path = f"/webhooks/{made.json()['id']}"
        assert pipeline.api("DELETE", path).status_code == 204


@contextmanager
def _listening(receiver: Receiver) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(body, headers))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not to the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/millrace"
        yield
        server.shutdown()
