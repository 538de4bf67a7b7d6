"""The items of calls, in the same table as all others; see `model`."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from millrace.model import Item


class Room(Item, discriminator="room"):
    """A call of two. Each seat is free, held by a session with a socket, or kept for a while for
    one whose socket dropped; see `rooms`."""

    created_at = UnicodeAttribute()
    passphrase = UnicodeAttribute(null=True)
    """Salt and scrypt hash. None: the link alone opens the room."""
    tries = NumberAttribute(default=0)
    """Wrong passphrases since `tries_since`."""
    tries_since = UnicodeAttribute(null=True)
    member_0 = UnicodeAttribute(null=True)
    """Id of the session that has the seat; the other side knows it by this."""
    key_0 = UnicodeAttribute(null=True)
    """SHA-256 of what the session proves itself with when it comes back."""
    connection_0 = UnicodeAttribute(null=True)
    """None while its socket is away."""
    until_0 = UnicodeAttribute(null=True)
    """From then on the seat is free, whatever the other attributes say."""
    member_1 = UnicodeAttribute(null=True)
    key_1 = UnicodeAttribute(null=True)
    connection_1 = UnicodeAttribute(null=True)
    until_1 = UnicodeAttribute(null=True)
    ttl = TTLAttribute()


class Connection(Item, discriminator="connection"):
    """An open WebSocket."""

    room_id = UnicodeAttribute(null=True)
    seat = NumberAttribute(null=True)
    member = UnicodeAttribute(null=True)
    window = NumberAttribute(default=0)
    """The stretch of time (see `connections`) that `messages` were counted in."""
    messages = NumberAttribute(default=0)
    ttl = TTLAttribute()
