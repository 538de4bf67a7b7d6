"""What travels over the WebSocket of a call, both ways: version 1, checked in full.

What two browsers tell each other (`Signal.data`) is checked in its shape and passed on; it is never
stored or logged.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from millrace import keys

VERSION = 1
MAX_MESSAGE_BYTES = 32 * 1024
"""One frame of API Gateway's. An offer of a browser has 5 to 10 kB."""
MAX_PASSPHRASE_CHARACTERS = 128
_MAX_KEY_CHARACTERS = 64
_MAX_SDP_CHARACTERS = 28 * 1024
_MAX_CANDIDATE_CHARACTERS = 2048
_LARGEST_NUMBER = 2**53 - 1
"""The largest whole number that JavaScript counts to."""


class Code(StrEnum):
    """Why a request was refused. A client acts on these; they never change meaning."""

    VERSION_UNKNOWN = "VERSION_UNKNOWN"
    MALFORMED = "MALFORMED"
    TOO_LARGE = "TOO_LARGE"
    TOO_FAST = "TOO_FAST"
    ROOM_UNKNOWN = "ROOM_UNKNOWN"
    ROOM_FULL = "ROOM_FULL"
    PASSPHRASE_NEEDED = "PASSPHRASE_NEEDED"  # noqa: S105 - a code, no secret
    PASSPHRASE_WRONG = "PASSPHRASE_WRONG"  # noqa: S105
    TOO_MANY_TRIES = "TOO_MANY_TRIES"
    SESSION_ENDED = "SESSION_ENDED"
    NOT_JOINED = "NOT_JOINED"
    ALREADY_JOINED = "ALREADY_JOINED"
    PEER_AWAY = "PEER_AWAY"


class Refusal(Exception):  # noqa: N818 - an answer to the client, not a fault
    """A request that is answered with an error.

    Args:
        code: the stable code.
        message: one sentence for a person.
        retry_after_s: when the same request may succeed; None: not by waiting.
    """

    def __init__(self, code: Code, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Create:
    """Make a room and take a seat in it."""

    passphrase: str | None


@dataclass(frozen=True, slots=True)
class Join:
    """Take a free seat; or, with the key of a session that was lost (the page was loaded again),
    that session's, as somebody new."""

    room_id: str
    passphrase: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on in one's own seat over this new socket."""

    room_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Signal:
    """For the other side. `seq` counts up: API Gateway keeps no order."""

    seq: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leave:
    """Give the seat up."""


@dataclass(frozen=True, slots=True)
class Relays:
    """Ask for the servers that help to connect, with fresh credentials."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Keep the socket open, and see whether it is."""


Message = Create | Join | Resume | Signal | Leave | Relays | Ping


def parse(body: str) -> Message:
    """What a client asks for.

    Raises:
        Refusal: TOO_LARGE, MALFORMED or VERSION_UNKNOWN.
    """
    if len(body.encode("utf-8", "surrogatepass")) > MAX_MESSAGE_BYTES:
        raise Refusal(Code.TOO_LARGE, f"A message has at most {MAX_MESSAGE_BYTES} bytes.")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise _malformed("A message is JSON.") from None
    if not isinstance(fields, dict):
        raise _malformed("A message is a JSON object.")
    version = fields.pop("v", None)
    if version != VERSION or isinstance(version, bool):
        raise Refusal(Code.VERSION_UNKNOWN, f"This speaks version {VERSION}; load the page again.")
    action = fields.pop("action", None)
    if not isinstance(action, str) or action not in _PARSERS:
        raise _malformed(f"The action is one of {', '.join(_PARSERS)}.")
    parser, allowed = _PARSERS[action]
    unknown = sorted(set(fields) - set(allowed))
    if unknown:
        raise _malformed(f"{action} has no field {unknown[0][:40]!r}.")
    return parser(fields)


def action_of(body: str) -> str | None:
    """Which request an error is about, as far as the body tells."""
    try:
        action = json.loads(body)["action"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return action if isinstance(action, str) and action in _PARSERS else None


def compose(kind: str, **fields: Any) -> dict[str, Any]:
    """A message to a client; fields that are None are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    return {"v": VERSION, "type": kind, **given}


def _create(fields: Mapping[str, Any]) -> Create:
    return Create(_passphrase(fields))


def _join(fields: Mapping[str, Any]) -> Join:
    key = fields.get("key")
    former = None if key is None else _text(key, "key", _MAX_KEY_CHARACTERS)
    return Join(_room_id(fields), _passphrase(fields), former)


def _resume(fields: Mapping[str, Any]) -> Resume:
    return Resume(_room_id(fields), _text(fields.get("key"), "key", _MAX_KEY_CHARACTERS))


def _signal(fields: Mapping[str, Any]) -> Signal:
    data = fields.get("data")
    if not isinstance(data, dict) or len(data) != 1:
        raise _malformed("A signal's data is a description, a candidate or a wish.")
    ((kind, value),) = data.items()
    checks = {"description": _check_description, "candidate": _check_candidate, "wish": _check_wish}
    if kind not in checks:
        raise _malformed("A signal's data is a description, a candidate or a wish.")
    checks[kind](value)
    return Signal(_whole(fields.get("seq"), "seq"), data)


def _check_description(value: Any) -> None:
    if not isinstance(value, dict) or set(value) != {"type", "sdp"}:
        raise _malformed("A description has type and sdp.")
    if value["type"] not in ("offer", "answer"):
        raise _malformed("A description is an offer or an answer.")
    _text(value["sdp"], "sdp", _MAX_SDP_CHARACTERS)


def _check_candidate(value: Any) -> None:
    known = {"candidate", "sdpMid", "sdpMLineIndex", "usernameFragment"}
    if not isinstance(value, dict) or not set(value) <= known:
        raise _malformed(f"A candidate has {', '.join(sorted(known))}.")
    candidate = value.get("candidate")
    if not isinstance(candidate, str) or len(candidate) > _MAX_CANDIDATE_CHARACTERS:
        raise _malformed("A candidate's text is too long, or none.")
    for name in ("sdpMid", "usernameFragment"):
        if value.get(name) is not None:
            _text(value[name], name, 256)
    if value.get("sdpMLineIndex") is not None:
        _whole(value["sdpMLineIndex"], "sdpMLineIndex")


def _check_wish(value: Any) -> None:
    if value != "restart":
        raise _malformed("The only wish is restart: the other side is to offer anew.")


def _leave(_: Mapping[str, Any]) -> Leave:
    return Leave()


def _relays(_: Mapping[str, Any]) -> Relays:
    return Relays()


def _ping(_: Mapping[str, Any]) -> Ping:
    return Ping()


_PARSERS: Mapping[str, tuple[Callable[[Mapping[str, Any]], Message], tuple[str, ...]]] = {
    "create": (_create, ("passphrase",)),
    "join": (_join, ("room", "passphrase", "key")),
    "resume": (_resume, ("room", "key")),
    "signal": (_signal, ("seq", "data")),
    "leave": (_leave, ()),
    "relays": (_relays, ()),
    "ping": (_ping, ()),
}


def _room_id(fields: Mapping[str, Any]) -> str:
    room_id = fields.get("room")
    if not isinstance(room_id, str) or not keys.ROOM_ID.fullmatch(room_id):
        raise _malformed("A room's id is 26 lower-case letters and digits.")
    return room_id


def _passphrase(fields: Mapping[str, Any]) -> str | None:
    """Normalised: two keyboards may write the same letter differently."""
    if fields.get("passphrase") is None:
        return None
    text = _text(fields["passphrase"], "passphrase", MAX_PASSPHRASE_CHARACTERS)
    return unicodedata.normalize("NFC", text)


def _text(value: Any, name: str, most_characters: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most_characters:
        raise _malformed(f"{name} is a text of 1 to {most_characters} characters.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _malformed(f"{name} is no valid Unicode text.") from None
    return value


def _whole(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_NUMBER:
        raise _malformed(f"{name} is a whole number from 0 on.")
    return value


def _malformed(message: str) -> Refusal:
    return Refusal(Code.MALFORMED, message)
