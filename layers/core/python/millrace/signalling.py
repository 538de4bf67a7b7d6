"""What happens on the WebSocket of a call: connect, disconnect, and each message.

Errors of a request are answered on its socket; the other side is told what concerns it. A socket
that is found closed while it is told something is treated as disconnected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from millrace import connections, passphrases, relays, rooms
from millrace.call_messages import (
    Code,
    Create,
    Join,
    Leave,
    Message,
    Ping,
    Refusal,
    Relays,
    Resume,
    Signal,
    action_of,
    compose,
    parse,
)
from millrace.call_model import Connection, Room
from millrace.events import MalformedMessage
from millrace.metrics import Metric, record
from millrace.rooms import Occupant, Seated
from millrace.served import Counted, Served
from millrace.sockets import Sockets

_FULL_RETRY_S = 5


class EventType(StrEnum):
    CONNECT = "CONNECT"
    DISCONNECT = "DISCONNECT"
    MESSAGE = "MESSAGE"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What signalling needs of the world."""

    sockets: Sockets
    servers: relays.Servers
    served: Served


@dataclass(frozen=True, slots=True)
class SocketEvent:
    """An event of API Gateway's WebSocket API."""

    kind: EventType
    connection_id: str
    body: str


def parse_event(event: Mapping[str, Any]) -> SocketEvent:
    """
    Raises:
        MalformedMessage: no event of a WebSocket API.
    """
    context = event.get("requestContext")
    if not isinstance(context, dict):
        raise MalformedMessage("A WebSocket event has a requestContext.")
    kind, connection_id = context.get("eventType"), context.get("connectionId")
    if kind not in tuple(EventType) or not isinstance(connection_id, str) or not connection_id:
        raise MalformedMessage("A WebSocket event has an eventType and a connectionId.")
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise MalformedMessage("The body of a WebSocket event is a text.")
    return SocketEvent(EventType(kind), connection_id, body)


def handle(exchange: Exchange, event: SocketEvent) -> dict[str, Any]:
    """Deal with one event; API Gateway's answer. It may come twice, late, or not at all."""
    _count(exchange, _COUNTED[event.kind])
    try:
        _deal_with(exchange, event)
    except Exception:  # counted only: it goes on to whoever called
        _count(exchange, Counted.ERRORS)
        raise
    finally:
        exchange.served.tell()
    return {"statusCode": 200}


_COUNTED = {
    EventType.CONNECT: Counted.CONNECTIONS,
    EventType.DISCONNECT: Counted.DISCONNECTIONS,
    EventType.MESSAGE: Counted.MESSAGES,
}
_METRICS = {
    Counted.CONNECTIONS: Metric.SIGNAL_CONNECTIONS,
    Counted.DISCONNECTIONS: Metric.SIGNAL_DISCONNECTIONS,
    Counted.MESSAGES: Metric.SIGNAL_MESSAGES,
    Counted.REFUSALS: Metric.SIGNAL_REFUSALS,
    Counted.ERRORS: Metric.SIGNAL_ERRORS,
}


def _count(exchange: Exchange, what: Counted) -> None:
    exchange.served.signal(what)
    record(_METRICS[what])


def _deal_with(exchange: Exchange, event: SocketEvent) -> None:
    match event.kind:
        case EventType.CONNECT:
            connections.opened(event.connection_id)
        case EventType.DISCONNECT:
            _closed(exchange, event.connection_id)
        case EventType.MESSAGE:
            _receive(exchange, event)


def _receive(exchange: Exchange, event: SocketEvent) -> None:
    try:
        connection = connections.count_message(event.connection_id)
        if connection is None:
            # Its `$disconnect` overtook this message: a client that lives connects anew.
            exchange.sockets.close(event.connection_id)
            return
        _act(exchange, connection, event.connection_id, parse(event.body))
    except Refusal as refusal:
        _count(exchange, Counted.REFUSALS)
        answer = compose(
            "error",
            code=refusal.code,
            message=refusal.message,
            retry_after_s=refusal.retry_after_s,
            about=action_of(event.body),
        )
        exchange.sockets.send(event.connection_id, answer)


def _act(exchange: Exchange, connection: Connection, connection_id: str, message: Message) -> None:
    match message:
        case Ping():
            exchange.sockets.send(connection_id, compose("pong"))
        case Create() | Join() | Resume():
            _come(exchange, connection, connection_id, message)
        case Signal():
            _pass_on(exchange, connection, connection_id, message)
        case Relays():
            _, _, member = _place(connection)
            servers = exchange.servers.for_member(member)
            exchange.sockets.send(connection_id, compose("relays", ice_servers=servers))
        case Leave():
            room_id, seat, member = _place(connection)
            if rooms.leave(room_id, seat, member, connection_id):
                _tell_peer(exchange, room_id, seat, compose("peer-left", member=member))
            exchange.sockets.send(connection_id, compose("left"))


def _come(
    exchange: Exchange,
    connection: Connection,
    connection_id: str,
    message: Create | Join | Resume,
) -> None:
    if connection.room_id is not None:
        raise Refusal(Code.ALREADY_JOINED, "This socket has a seat. Leave first.")
    match message:
        case Resume():
            seated = rooms.resume(message.room_id, connection_id, message.key)
        case Create():
            room = rooms.need(rooms.create(message.passphrase))
            seated = _seat(exchange, room, connection_id)
        case Join():
            room = rooms.need(message.room_id)
            former = rooms.seat_of(room, message.key)
            if former is None:
                passphrases.check(room, message.passphrase)
            seated = _seat(exchange, room, connection_id, former)
    _welcome(exchange, connection_id, seated, resumed=isinstance(message, Resume))


def _seat(
    exchange: Exchange, room: Room, connection_id: str, former: Occupant | None = None
) -> Seated:
    seated = rooms.enter(room, connection_id, former)
    if seated is None:
        _look_who_is_there(exchange, rooms.id_of(room))
        text = "Two people are in this room already."
        raise Refusal(Code.ROOM_FULL, text, _FULL_RETRY_S)
    return seated


def _look_who_is_there(exchange: Exchange, room_id: str) -> None:
    """Somebody is sent away: are both still there? The seat of a closed socket is free soon."""
    for occupant in rooms.occupants(rooms.need(room_id)):
        _tell(exchange, room_id, occupant, compose("knock"))


def _welcome(exchange: Exchange, connection_id: str, seated: Seated, *, resumed: bool) -> None:
    former = seated.former_connection_id
    if former is not None and former != connection_id:
        if not resumed:
            # A tab that was duplicated: the first one would come back and take another seat.
            text = "This seat was taken over, as by another tab."
            ended = compose("error", code=Code.SESSION_ENDED, message=text)
            exchange.sockets.send(former, ended)
        exchange.sockets.close(former)
    peer = _peer(rooms.need(seated.room_id), seated.seat)
    welcome = compose(
        "joined",
        room=seated.room_id,
        member=seated.member,
        key=seated.key,
        polite=seated.seat == 1,
        resumed=resumed,
        peer=peer.member if peer else None,
        ice_servers=exchange.servers.for_member(seated.member),
    )
    if not exchange.sockets.send(connection_id, welcome):
        _closed(exchange, connection_id)
        return
    news = compose("peer-back" if resumed else "peer-joined", member=seated.member)
    if peer is not None:
        _tell(exchange, seated.room_id, peer, news)


def _pass_on(
    exchange: Exchange, connection: Connection, connection_id: str, signal: Signal
) -> None:
    room_id, seat, member = _place(connection)
    room = rooms.need(room_id)
    if not any(one.connection_id == connection_id for one in rooms.occupants(room)):
        raise Refusal(Code.SESSION_ENDED, "Your seat is another socket's, or was given away.")
    peer = _peer(room, seat)
    message = compose("signal", seq=signal.seq, data=signal.data, **{"from": member})
    if peer is None or not _tell(exchange, room_id, peer, message):
        raise Refusal(Code.PEER_AWAY, "The other side is not there at the moment.")


def _closed(exchange: Exchange, connection_id: str) -> None:
    connection = connections.get(connection_id)
    if connection is None:
        return
    if connection.room_id is not None:
        room_id, seat, member = _place(connection)
        if rooms.drop(room_id, seat, connection_id):
            away = compose("peer-away", member=member, kept_s=rooms.GRACE_S)
            _tell_peer(exchange, room_id, seat, away)
    # Last: whoever dies before it leaves something that a repeated event finds.
    connections.forget(connection_id)


def _tell_peer(exchange: Exchange, room_id: str, seat: int, message: dict[str, Any]) -> None:
    room = rooms.get(room_id)
    peer = _peer(room, seat) if room else None
    if peer is not None:
        _tell(exchange, room_id, peer, message)


def _tell(exchange: Exchange, room_id: str, who: Occupant, message: dict[str, Any]) -> bool:
    """Send to who sits there. Returns False when nobody hears it; then the seat is dropped."""
    if who.connection_id is None:
        return False
    if exchange.sockets.send(who.connection_id, message):
        return True
    if rooms.drop(room_id, who.seat, who.connection_id):
        away = compose("peer-away", member=who.member, kept_s=rooms.GRACE_S)
        _tell_peer(exchange, room_id, who.seat, away)
    connections.forget(who.connection_id)
    return False


def _peer(room: Room, seat: int) -> Occupant | None:
    return next((one for one in rooms.occupants(room) if one.seat != seat), None)


def _place(connection: Connection) -> tuple[str, int, str]:
    """Room, seat and member of a socket.

    Raises:
        Refusal: NOT_JOINED.
    """
    if connection.room_id is None or connection.seat is None or connection.member is None:
        raise Refusal(Code.NOT_JOINED, "Join a room first.")
    return connection.room_id, int(connection.seat), connection.member
