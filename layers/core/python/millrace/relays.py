"""The servers that help two browsers to connect: STUN, and TURN with credentials of short life.

The credentials follow what coturn calls its REST API
(https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00): the user name is the time
of expiry and a name, the password their HMAC-SHA1 under a secret that the relay shares. The relay
needs no list of users, and a password that leaks is worth nothing soon.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from millrace import clock

log = Logger(child=True)

LIFE_S = 3600
"""An allocation is refreshed under the credentials it was made with, so a call that began with them
needs new ones when it connects anew only."""
_SECRET_KEPT_S = 300.0
"""How long a running function works with a secret that was changed meanwhile."""


def parse_urls(setting: str) -> tuple[str, ...]:
    """Addresses of a setting: comma-separated, or `none`."""
    parts = tuple(part.strip() for part in setting.split(",") if part.strip())
    return () if parts == ("none",) else parts


class Secret:
    """The relay's secret, read from SSM when it is first needed."""

    def __init__(self, ssm: Any, parameter: str, now: Callable[[], float] = time.monotonic) -> None:
        self._ssm = ssm
        self._parameter = parameter
        self._now = now
        self._read_at = 0.0
        self._value: str | None = None

    def __call__(self) -> str:
        if self._value is None or self._now() - self._read_at > _SECRET_KEPT_S:
            answer = self._ssm.get_parameter(Name=self._parameter, WithDecryption=True)
            self._value = str(answer["Parameter"]["Value"])
            self._read_at = self._now()
        return self._value


@dataclass(frozen=True, slots=True)
class Servers:
    """What members of a room are told of."""

    stun_urls: tuple[str, ...]
    turn_urls: tuple[str, ...]
    secret: Callable[[], str]

    def for_member(self, member: str) -> list[dict[str, Any]]:
        """`RTCIceServer`s of a browser, with credentials of this member."""
        found: list[dict[str, Any]] = []
        if self.stun_urls:
            found.append({"urls": list(self.stun_urls)})
        if self.turn_urls:
            found += self._relays(member)
        return found

    def _relays(self, member: str) -> list[dict[str, Any]]:
        try:
            secret = self.secret()
        except (BotoCoreError, ClientError) as error:
            # Most calls need no relay: they are not to fail for the lack of its secret.
            log.error("the secret of the relays cannot be read: %s", error)
            return []
        username, credential = credentials(secret, member)
        return [{"urls": list(self.turn_urls), "username": username, "credential": credential}]


def credentials(secret: str, member: str) -> tuple[str, str]:
    """User name and password for a relay, good for `LIFE_S` seconds."""
    username = f"{int(clock.now().timestamp()) + LIFE_S}:{member}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()
