"""How often something may happen in a minute: the bounds beyond which the API asks for patience.

What is accepted is never refused later: work under way waits in queues, whose depth grows instead.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from pynamodb.expressions.operand import Path

from millrace import clock, keys, transact
from millrace.auth import Caller
from millrace.errors import TransitionRefused
from millrace.model import Allowance
from millrace.problems import Problem, ProblemType

WRONG_TOKEN = (ProblemType.TOKEN_MALFORMED, ProblemType.TOKEN_UNKNOWN)
"""What a guesser is told. An expired token was right once: its holder guesses nothing."""
_KEPT = timedelta(hours=1)
_MINUTE_CHARACTERS = len("2026-05-31T12:00")
_IPV6_NETWORK = 64
"""Bits that are one customer's: with the other 64 everybody has as many addresses as they like."""


def take(caller: Caller, per_minute: int) -> None:
    """Count one upload of the caller's token in this minute.

    Raises:
        Problem: 429 too-many-uploads, with the seconds until the next minute in `Retry-After`.
        RetryableError: the database is too busy.
    """
    item = Allowance(keys.token_pk(caller.token_id), keys.allowance_sk(_minute()))
    said = f"A token may begin {per_minute} uploads a minute."
    _count(item, per_minute, ProblemType.TOO_MANY_UPLOADS, said)


def guess(address: str, per_minute: int) -> None:
    """Count one wrong token that came from an address in this minute. Good ones are not counted,
    and pass whatever else came from there.

    Raises:
        Problem: 429 too-many-guesses, with the seconds until the next minute in `Retry-After`.
        RetryableError: the database is too busy.
    """
    item = Allowance(keys.guesses_pk(_network(address)), keys.guesses_sk(_minute()))
    said = f"An address may send {per_minute} wrong tokens a minute."
    _count(item, per_minute, ProblemType.TOO_MANY_GUESSES, said)


def _minute() -> str:
    return keys.timestamp(clock.now())[:_MINUTE_CHARACTERS]


def _network(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address) or known.ipv4_mapped:
        return str(known)
    return f"{IPv6Address(int(known) >> _IPV6_NETWORK << _IPV6_NETWORK)}/{_IPV6_NETWORK}"


def _count(item: Allowance, per_minute: int, refusal: ProblemType, said: str) -> None:
    now = clock.now()
    within = Allowance.begun.does_not_exist() | (Allowance.begun < per_minute)
    kind = Path("kind").set("allowance")  # else set by PynamoDB when whole items are written only
    actions = [Allowance.begun.add(1), Allowance.ttl.set(now + _KEPT), kind]
    try:
        transact.update_once(item, actions, within)
    except TransitionRefused:
        wait_s = 60 - now.second
        detail = f"{said} Try again in {wait_s} seconds."
        raise Problem(refusal, detail, headers={"Retry-After": str(wait_s)}) from None
