"""How fast a token may begin uploads: the bound beyond which the API asks for patience.

What is accepted is never refused later: work under way waits in queues, whose depth grows instead.
"""

from __future__ import annotations

from datetime import timedelta

from pynamodb.expressions.operand import Path

from millrace import clock, keys, transact
from millrace.auth import Caller
from millrace.errors import TransitionRefused
from millrace.model import Allowance
from millrace.problems import Problem, ProblemType

_KEPT = timedelta(hours=1)
_MINUTE_CHARACTERS = len("2026-05-31T12:00")


def take(caller: Caller, per_minute: int) -> None:
    """Count one upload of the caller's token in this minute.

    Raises:
        Problem: 429 too-many-uploads, with the seconds until the next minute in `Retry-After`.
        RetryableError: the database is too busy.
    """
    now = clock.now()
    minute = keys.timestamp(now)[:_MINUTE_CHARACTERS]
    item = Allowance(keys.token_pk(caller.token_id), keys.allowance_sk(minute))
    within = Allowance.begun.does_not_exist() | (Allowance.begun < per_minute)
    kind = Path("kind").set("allowance")  # else set by PynamoDB when whole items are written only
    actions = [Allowance.begun.add(1), Allowance.ttl.set(now + _KEPT), kind]
    try:
        transact.update_once(item, actions, within)
    except TransitionRefused:
        wait_s = 60 - now.second
        detail = f"A token may begin {per_minute} uploads a minute. Try again in {wait_s} seconds."
        headers = {"Retry-After": str(wait_s)}
        raise Problem(ProblemType.TOO_MANY_UPLOADS, detail, headers=headers) from None
