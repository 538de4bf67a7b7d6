"""The open WebSockets: one item each, which counts its messages and expires by itself."""

from __future__ import annotations

from datetime import timedelta

from pynamodb.exceptions import DoesNotExist

from millrace import clock, keys, transact
from millrace.call_messages import Code, Refusal
from millrace.call_model import Connection
from millrace.errors import TransitionRefused

WINDOW_S = 10
MESSAGES_PER_WINDOW = 120
"""A browser that gathers candidates on many networks sends some forty at once."""
LONGEST_LIFE_S = 2 * 3600
"""API Gateway closes every socket after that."""
_KEPT_BEYOND = timedelta(seconds=LONGEST_LIFE_S + 900)


def of(connection_id: str) -> Connection:
    """The item as a key, for conditional writes."""
    return Connection(keys.connection_pk(connection_id), keys.CONNECTION_SK)


def opened(connection_id: str) -> None:
    """Note a new socket. Repeated, it changes nothing."""
    item = of(connection_id)
    item.ttl = clock.now() + _KEPT_BEYOND
    try:
        transact.commit_unlogged(transact.put(item))
    except TransitionRefused:
        return


def get(connection_id: str) -> Connection | None:
    try:
        key = keys.connection_pk(connection_id)
        return Connection.get(key, keys.CONNECTION_SK, consistent_read=True)
    except DoesNotExist:
        return None


def forget(connection_id: str) -> None:
    """The socket is closed."""
    of(connection_id).delete()


def count_message(connection_id: str) -> Connection | None:
    """Count one message of a socket.

    Returns:
        The socket's item, or None for one that is closed, or was never opened.

    Raises:
        Refusal: TOO_FAST.
    """
    now_s = clock.now().timestamp()
    window = int(now_s // WINDOW_S)
    item = of(connection_id)
    there = Connection.pk.exists()
    room = (Connection.window >= window) & (Connection.messages < MESSAGES_PER_WINDOW)
    one_more = ([Connection.messages.add(1)], there & room)
    first = [Connection.window.set(window), Connection.messages.set(1)]
    # Of several that are the first, one is; the others come after it.
    for actions, condition in (
        one_more,
        (first, there & (Connection.window < window)),
        one_more,
    ):
        try:
            transact.update_once(item, actions, condition)
        except TransitionRefused:
            continue
        return item
    if get(connection_id) is None:
        return None
    wait_s = int((window + 1) * WINDOW_S - now_s) + 1
    limit = f"{MESSAGES_PER_WINDOW} messages in {WINDOW_S} seconds"
    raise Refusal(Code.TOO_FAST, f"A socket may send {limit}.", wait_s)
