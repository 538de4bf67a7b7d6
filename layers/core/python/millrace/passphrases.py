"""Passphrases of rooms: a salted, slow hash, compared in constant time; guesses are counted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from millrace import clock, transact
from millrace.call_messages import Code, Refusal
from millrace.call_model import Room
from millrace.errors import TransitionRefused

TRIES = 10
WINDOW_S = 600
"""So many wrong passphrases a room stands in such a time; then it opens to no passphrase until the
time is over. Who is in it, or comes back to a seat, is not asked for it."""
_SALT_BYTES = 16
_COST, _BLOCK, _LANES = 2**14, 8, 1  # 16 MiB and some 50 ms: what OWASP asks of scrypt at least


def hashed(passphrase: str) -> str:
    """As the table keeps it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return base64.b64encode(salt + _derive(passphrase, salt)).decode()


def check(room: Room, given: str | None) -> None:
    """Whether a passphrase opens a room.

    Raises:
        Refusal: PASSPHRASE_NEEDED, PASSPHRASE_WRONG or TOO_MANY_TRIES.
    """
    if room.passphrase is None:
        return
    if given is None:
        raise Refusal(Code.PASSPHRASE_NEEDED, "This room asks for a passphrase.")
    _count(room)
    stored = base64.b64decode(room.passphrase)
    salt, wanted = stored[:_SALT_BYTES], stored[_SALT_BYTES:]
    if not hmac.compare_digest(_derive(given, salt), wanted):
        raise Refusal(Code.PASSPHRASE_WRONG, "That is not the passphrase of this room.")
    _take_back(room)


def _derive(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES)


def _count(room: Room) -> None:
    """Before the comparison: guesses made at the same time must not pass the limit together."""
    since = clock.stamp(-WINDOW_S)
    one_more = ([Room.tries.add(1)], (Room.tries_since > since) & (Room.tries < TRIES))
    first = [Room.tries.set(1), Room.tries_since.set(clock.stamp())]
    # Of several that are the first, one is; the others come after it.
    for actions, condition in (
        one_more,
        (
            first,
            Room.pk.exists() & (Room.tries_since.does_not_exist() | (Room.tries_since <= since)),
        ),
        one_more,
    ):
        try:
            transact.update_once(_key(room), actions, condition)
        except TransitionRefused:
            continue
        return
    wait_s = WINDOW_S - int(clock.age_s(room.tries_since)) if room.tries_since else WINDOW_S
    raise Refusal(
        Code.TOO_MANY_TRIES,
        "Too many wrong passphrases were tried in this room. Wait, or make another room.",
        max(1, wait_s),
    )


def _take_back(room: Room) -> None:
    try:
        transact.update_once(_key(room), [Room.tries.add(-1)], Room.tries > 0)
    except TransitionRefused:
        return


def _key(room: Room) -> Room:
    return Room(room.pk, room.sk)
