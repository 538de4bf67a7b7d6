"""Calls in unit tests: a pretended API Gateway that keeps what it is to deliver, and callers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from millrace import signalling
from millrace.relays import Servers
from millrace.served import Served
from millrace.signalling import Exchange
from millrace.sockets import Sockets

SECRET = "shared with the relay"
_numbers = itertools.count()


@dataclass
class Gateway:
    """In place of boto3's client of `@connections`; and what a WebSocket API does with events."""

    open: set[str] = field(default_factory=set)
    inboxes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    before_post: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.exchange = self.exchange_of(Served())

    def exchange_of(self, served: Served) -> Exchange:
        """This gateway's, of a process that has served so much."""
        servers = Servers(("stun:stun.example",), ("turn:turn.example",), lambda: SECRET)
        return Exchange(Sockets(self), servers, served)

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        self.before_post()
        if ConnectionId not in self.open:
            raise _gone()
        self.inboxes[ConnectionId].append(json.loads(Data))

    def delete_connection(self, ConnectionId: str) -> None:  # noqa: N803
        if ConnectionId not in self.open:
            raise _gone()
        self.open.remove(ConnectionId)
        self.closed.append(ConnectionId)

    def event(self, kind: str, connection_id: str, body: str | None = None) -> dict[str, Any]:
        event = {"requestContext": {"eventType": kind, "connectionId": connection_id}, "body": body}
        return signalling.handle(self.exchange, signalling.parse_event(event))

    def connect(self) -> Phone:
        phone = Phone(self, f"socket-{next(_numbers)}=")
        assert self.event("CONNECT", phone.id) == {"statusCode": 200}
        self.open.add(phone.id)
        self.inboxes[phone.id] = []
        return phone


@dataclass
class Phone:
    """One WebSocket, seen from the browser."""

    gateway: Gateway
    id: str

    def send(self, action: str, **fields: Any) -> list[dict[str, Any]]:
        """Send a message; what came back over this socket, news of others included."""
        return self.send_text(json.dumps({"v": 1, "action": action, **fields}))

    def send_text(self, body: str) -> list[dict[str, Any]]:
        self.gateway.event("MESSAGE", self.id, body)
        return self.take()

    def take(self) -> list[dict[str, Any]]:
        inbox = self.gateway.inboxes[self.id]
        taken, inbox[:] = inbox[:], []
        return taken

    def answer(self, action: str, **fields: Any) -> dict[str, Any]:
        (answer,) = self.send(action, **fields)
        return answer

    def vanish(self, *, told: bool = True) -> None:
        """The socket is closed; API Gateway tells of it, or does not."""
        self.gateway.open.discard(self.id)
        if told:
            self.gateway.event("DISCONNECT", self.id)


def _gone() -> ClientError:
    response: Any = {
        "Error": {"Code": "GoneException"},
        "ResponseMetadata": {"HTTPStatusCode": 410},
    }
    return ClientError(response, "PostToConnection")
