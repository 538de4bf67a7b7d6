"""Access tokens: `mr_` and 32 random bytes, url-safe. Only the SHA-256 is stored.

Verifying costs one read by key, however many tokens there are; a malformed token costs none.
A plain hash is enough (no salt, no stretching): the secret has 256 random bits, so there is
nothing to guess and no dictionary to try.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pynamodb.exceptions import DoesNotExist

from millrace import clock, keys
from millrace.model import Token
from millrace.problems import Problem, ProblemType

PREFIX = "mr_"
TOKEN = re.compile(r"mr_[A-Za-z0-9_-]{43}")
_BEARER = re.compile(r"bearer +(?P<token>[^\s]+)", re.IGNORECASE)
_CHALLENGE = 'Bearer realm="millrace"'
_KEEP_EXPIRED = timedelta(days=30)
"""How long an expired token is remembered, so that its holder is told "expired", not "unknown"."""


class Role(StrEnum):
    UPLOADER = "uploader"
    ADMIN = "admin"
    """May do everything, uploads of others included."""
    METRICS = "metrics"
    """May read `GET /metrics`, and nothing else: Prometheus needs no more."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking. Uploads belong to `name`: a renewed token of that name goes on with them."""

    name: str
    token_id: str
    """SHA-256 of the token, hexadecimal."""
    roles: frozenset[Role]
    expires_at: str | None = None
    """UTC timestamp after which the token is refused; None: never."""

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    def has(self, role: Role) -> bool:
        return self.is_admin or role in self.roles

    def owns(self, owner: str | None) -> bool:
        return self.is_admin or owner == self.name


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made. `secret` is shown once and kept nowhere; `token_id` is its SHA-256."""

    secret: str
    token_id: str


def create_token(
    name: str,
    roles: Iterable[Role | str],
    *,
    expires_at: datetime | None = None,
) -> NewToken:
    """Make and store a token.

    Args:
        name: whose it is, 1 to 100 printable characters; owner of what is uploaded with it.
        roles: at least one of `uploader`, `admin`, `metrics`.
        expires_at: aware time after which it is refused; None = never.

    Raises:
        ValueError: empty or unprintable name, no or unknown role, a time without a zone.
    """
    granted = sorted({Role(role) for role in roles})
    if not granted:
        raise ValueError("a token needs at least one role")
    if not (0 < len(name) <= 100 and name.isprintable() and name.strip()):
        raise ValueError("a token's name must be 1 to 100 printable characters")
    if expires_at is not None and expires_at.tzinfo is None:
        raise ValueError("expires_at must have a time zone")
    new = _generate()
    item = Token(keys.token_pk(new.token_id), keys.TOKEN_SK)
    item.name = name
    item.roles = [role.value for role in granted]
    item.created_at = clock.stamp()
    if expires_at is not None:
        item.expires_at = keys.timestamp(expires_at)
        item.ttl = expires_at + _KEEP_EXPIRED
    item.save()
    return new


def revoke_token(token_or_id: str) -> bool:
    """Delete a token, named by the secret itself or by its id. True if there was one."""
    token_id = _sha256(token_or_id) if TOKEN.fullmatch(token_or_id) else token_or_id
    try:
        Token.get(keys.token_pk(token_id), keys.TOKEN_SK, consistent_read=True).delete()
    except DoesNotExist:
        return False
    return True


def verify(authorization: str | None) -> Caller:
    """The caller behind an `Authorization` header.

    Raises:
        Problem: 401 token-missing, token-malformed, token-unknown or token-expired, each with
            a `WWW-Authenticate` challenge (RFC 6750 section 3).
    """
    if authorization is None or not authorization.strip():
        raise _unauthorized(ProblemType.TOKEN_MISSING, "Send 'Authorization: Bearer mr_…'.", "")
    match = _BEARER.fullmatch(authorization.strip())
    if match is None or TOKEN.fullmatch(match["token"]) is None:
        detail = "The header must read 'Bearer mr_' and 43 letters, digits, '-' or '_'."
        raise _unauthorized(ProblemType.TOKEN_MALFORMED, detail)
    token_id = _sha256(match["token"])
    try:
        token = Token.get(keys.token_pk(token_id), keys.TOKEN_SK)
    except DoesNotExist:
        detail = "The token was never given out, or it was revoked."
        raise _unauthorized(ProblemType.TOKEN_UNKNOWN, detail) from None
    if token.expires_at is not None and token.expires_at <= clock.stamp():
        raise _unauthorized(ProblemType.TOKEN_EXPIRED, f"It was valid until {token.expires_at}.")
    roles = frozenset(Role(role) for role in token.roles)
    return Caller(token.name, token_id, roles, token.expires_at)


def require(authorization: str | None, role: Role) -> Caller:
    """Like `verify`, and the caller must have `role` (403 role-missing otherwise)."""
    caller = verify(authorization)
    if not caller.has(role):
        raise Problem(
            ProblemType.ROLE_MISSING,
            f"This needs the role '{role.value}'.",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope"'},
        )
    return caller


def optional(authorization: str | None) -> Caller | None:
    """None without a header; a header that is there must be good: a silent downgrade to the
    public's view would look like lost videos."""
    return verify(authorization) if authorization else None


def describe(caller: Caller) -> dict[str, Any]:
    """What a client may know about the token it holds: whose it is, what it may do, how long."""
    return {
        "name": caller.name,
        "roles": sorted(role.value for role in caller.roles),
        "expires_at": caller.expires_at,
    }


def _generate() -> NewToken:
    secret = PREFIX + secrets.token_urlsafe(32)
    return NewToken(secret=secret, token_id=_sha256(secret))


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _unauthorized(kind: ProblemType, detail: str, error: str = "invalid_token") -> Problem:
    challenge = f'{_CHALLENGE}, error="{error}"' if error else _CHALLENGE
    return Problem(kind, detail, headers={"WWW-Authenticate": challenge})
