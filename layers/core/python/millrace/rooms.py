"""Rooms of two seats. Who sits where is settled by conditional writes, so of any number who come at
once two are seated.

A seat belongs to a *session*: whoever was given its key. The session outlives its socket for
`GRACE_S` seconds and may go on over another one, also while the old one is still open. Nothing
depends on a `$disconnect`, which API Gateway does not promise: a seat whose socket is found closed
is treated as if it had come, and one that nobody asks about is free when a socket's longest life is
over.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from millrace import clock, connections, keys, passphrases, transact
from millrace.call_messages import Code, Refusal
from millrace.call_model import Connection, Room
from millrace.errors import TransitionRefused

GRACE_S = 30
"""How long a seat is kept for a session without a socket."""
ROOM_LIFE = timedelta(hours=24)
"""How long a room is there after somebody came in for the last time."""
_SEAT_LIFE_S = connections.LONGEST_LIFE_S + GRACE_S
_RESUMPTIONS = 3


class _Seat(NamedTuple):
    """The attributes of one seat, for conditions and changes."""

    member: Path
    key: Path
    connection: Path
    until: Path


_SEATS = tuple(_Seat(*(Path(f"{name}_{seat}") for name in _Seat._fields)) for seat in range(2))


@dataclass(frozen=True, slots=True)
class Occupant:
    """Who has a seat now. `connection_id` is None while the socket is away."""

    seat: int
    member: str
    connection_id: str | None


@dataclass(frozen=True, slots=True)
class Seated:
    """A session took a seat, or goes on in it."""

    room_id: str
    seat: int
    member: str
    key: str
    """Known to the session alone; the table has its hash."""
    former_connection_id: str | None = None
    """Socket that the session had until now."""


def create(passphrase: str | None) -> str:
    """Make an empty room; its id."""
    room_id = keys.new_room_id()
    room = Room(keys.room_pk(room_id), keys.ROOM_SK, created_at=clock.stamp())
    room.ttl = clock.now() + ROOM_LIFE
    room.passphrase = passphrases.hashed(passphrase) if passphrase else None
    transact.commit_unlogged(transact.put(room))
    return room_id


def get(room_id: str) -> Room | None:
    """The room as it is now, unless it expired: DynamoDB removes it days later only."""
    try:
        room = Room.get(keys.room_pk(room_id), keys.ROOM_SK, consistent_read=True)
    except DoesNotExist:
        return None
    return room if room.ttl > clock.now() else None


def occupants(room: Room) -> list[Occupant]:
    """Who has the seats, by seat."""
    found = []
    for seat in range(len(_SEATS)):
        member, until = getattr(room, f"member_{seat}"), getattr(room, f"until_{seat}")
        if member is not None and until is not None and until > clock.stamp():
            found.append(Occupant(seat, member, getattr(room, f"connection_{seat}")))
    return found


def seat_of(room: Room, key: str | None) -> Occupant | None:
    """Who of those in the room has this key."""
    for occupant in occupants(room) if key else []:
        stored = getattr(room, f"key_{occupant.seat}") or ""
        if secrets.compare_digest(stored, _hash(key or "")):
            return occupant
    return None


def enter(room: Room, connection_id: str, former: Occupant | None = None) -> Seated | None:
    """Take a seat over a socket that sits nowhere yet: a free one, or that of a `former` session of
    the same person. None: there is none."""
    if former is not None:
        own = _SEATS[former.seat].member == former.member
        return _take(room, former.seat, connection_id, own, former.connection_id)
    for number, seat in enumerate(_SEATS):
        free = seat.until.does_not_exist() | (seat.until <= clock.stamp())
        seated = _take(room, number, connection_id, Room.pk.exists() & free)
        if seated is not None:
            return seated
    return None


def _take(
    room: Room,
    number: int,
    connection_id: str,
    condition: Condition,
    former_connection_id: str | None = None,
) -> Seated | None:
    """A new session in a seat."""
    seat, member, key = _SEATS[number], secrets.token_hex(8), secrets.token_urlsafe(32)
    actions = [seat.member.set(member), seat.key.set(_hash(key))]
    if _sit(room, number, connection_id, member, actions, condition):
        return Seated(id_of(room), number, member, key, former_connection_id)
    return None


def resume(room_id: str, connection_id: str, key: str) -> Seated:
    """Go on in a session's seat over another socket.

    Raises:
        Refusal: SESSION_ENDED; ROOM_UNKNOWN.
    """
    for _ in range(_RESUMPTIONS):
        room = need(room_id)
        own = seat_of(room, key)
        if own is None:
            break
        seat, former = _SEATS[own.seat], own.connection_id
        same = seat.connection == former if former else seat.connection.does_not_exist()
        still = (seat.member == own.member) & same & (seat.until > clock.stamp())
        if _sit(room, own.seat, connection_id, own.member, [], still):
            return Seated(room_id, own.seat, own.member, key, former)
        # It dropped, or was taken over, since the room was read.
    raise Refusal(Code.SESSION_ENDED, "This seat is no longer kept for you. Join again.")


def need(room_id: str) -> Room:
    """The room.

    Raises:
        Refusal: ROOM_UNKNOWN.
    """
    room = get(room_id)
    if room is None:
        text = "There is no such room. Rooms are forgotten a day after the last visit."
        raise Refusal(Code.ROOM_UNKNOWN, text)
    return room


def id_of(room: Room) -> str:
    return str(room.pk).partition("#")[2]


def drop(room_id: str, seat: int, connection_id: str) -> bool:
    """The socket of a seat is closed: keep the seat for a while. Returns False if the seat is
    another socket's by now."""
    place = _SEATS[seat]
    kept = [place.connection.remove(), place.until.set(clock.stamp(GRACE_S))]
    return _change(room_id, kept, place.connection == connection_id)


def leave(room_id: str, seat: int, member: str, connection_id: str) -> bool:
    """Give a session's seat up, and make its socket one that sits nowhere. The socket's end may
    have overtaken this. Returns False if the seat is another session's, or socket's, by now."""
    place = _SEATS[seat]
    emptied = [attribute.remove() for attribute in place]
    own = place.connection.does_not_exist() | (place.connection == connection_id)
    gone = _change(room_id, emptied, (place.member == member) & own)
    unseated = [Connection.room_id.remove(), Connection.seat.remove(), Connection.member.remove()]
    item = connections.of(connection_id)
    try:
        transact.update_once(item, unseated, Connection.room_id == room_id)
    except TransitionRefused:
        return gone  # the socket was closed at the same time
    return gone


def _sit(
    room: Room,
    number: int,
    connection_id: str,
    member: str,
    actions: Sequence[Action],
    condition: Condition,
) -> bool:
    """Seat and socket in one transaction: neither knows of the other alone."""
    seat = _SEATS[number]
    taken = [
        *actions,
        seat.connection.set(connection_id),
        seat.until.set(clock.stamp(_SEAT_LIFE_S)),
        Room.ttl.set(clock.now() + ROOM_LIFE),
    ]
    seated = [
        Connection.room_id.set(id_of(room)),
        Connection.seat.set(number),
        Connection.member.set(member),
    ]
    nowhere = Connection.pk.exists() & Connection.room_id.does_not_exist()
    try:
        transact.commit_unlogged(
            transact.update(Room(room.pk, room.sk), taken, condition),
            transact.update(connections.of(connection_id), seated, nowhere),
        )
    except TransitionRefused:
        return False
    return True


def _change(room_id: str, actions: Sequence[Action], condition: Condition) -> bool:
    try:
        transact.update_once(Room(keys.room_pk(room_id), keys.ROOM_SK), actions, condition)
    except TransitionRefused:
        return False
    return True


def _hash(key: str) -> str:
    """A plain hash is enough: the key has 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()
