"""The sockets that are open, and what is known of each."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web


def new_id() -> str:
    """Looks like AWS's: base 64 with its padding, so that nobody forgets to escape it in a path."""
    return base64.b64encode(secrets.token_bytes(11)).decode()


@dataclass(slots=True)
class Socket:
    """One WebSocket."""

    id: str
    source_ip: str
    user_agent: str
    headers: dict[str, str]
    response: web.WebSocketResponse | None = None
    """None until `$connect` is answered."""
    connected_at: float = field(default_factory=time.time)
    """Unix time, s."""
    last_active_at: float = field(default_factory=time.time)
    closed_with: tuple[int, str] | None = None
    """Code and reason of a close that began on this side."""
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    def touch(self) -> None:
        self.last_active_at = time.time()

    @property
    def connected_at_ms(self) -> int:
        return int(self.connected_at * 1000)

    def describe(self) -> dict[str, Any]:
        """The answer of `GET @connections`."""
        return {
            "connectedAt": _iso(self.connected_at),
            "identity": {"sourceIp": self.source_ip, "userAgent": self.user_agent},
            "lastActiveAt": _iso(self.last_active_at),
        }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
