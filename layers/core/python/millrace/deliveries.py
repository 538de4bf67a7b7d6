"""A delivery's moves: PENDING → DELIVERED | FAILED | CANCELLED, and back to PENDING by a redrive.

An attempt's number fences what is written about it, as a lease does for a task. A delivery is due
at the monitor whenever its message may have been lost, and when it waits longer than a queue can
hold a message.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from millrace import clock, keys, transact
from millrace.errors import TransitionRefused
from millrace.model import Delivery, DeliveryStatus, News
from millrace.news import KEPT, TELL_AFTER_S
from millrace.posting import Answer, Failure
from millrace.queues import Queues

SCHEDULE_S = (1, 5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400)
"""Waits after the first, second, … attempt that failed; then the delivery is given up: ten attempts
in 31 hours and a half."""
MAX_ATTEMPTS = len(SCHEDULE_S) + 1
GIVEN_UP_AFTER_S = 3 * 24 * 3600
"""Also one whose webhook rested so often that its attempts are not used up."""
LEASE_S = 60
"""An attempt whose end was not recorded within this is taken for interrupted."""
_LONGEST_DELAY_S = 900
"""What SQS holds a message back for."""
_LONGEST_RETRY_AFTER_S = 3600
_EARLY_S = 1.0
"""A message may come before its time by as much: clocks differ."""
_LONGEST_REMINDER_S = 1800
_HISTORY = 20
_JITTER = 0.1


def new(news: News, webhook_id: str) -> Delivery:
    """A PENDING delivery, not yet written: the first attempt may be made at once."""
    return Delivery(
        keys.delivery_pk(webhook_id, news.event_id),
        keys.delivery_sk(news.event_id),
        webhook_id=webhook_id,
        event_id=news.event_id,
        event=news.event,
        video_id=news.video_id,
        status=DeliveryStatus.PENDING.value,
        created_at=clock.stamp(),
        next_at=clock.stamp(),
        due_shard=_shard(news.event_id),
        due_at=clock.stamp(TELL_AFTER_S),
        ttl=news.ttl or clock.now() + KEPT,
    )


def get(webhook_id: str, event_id: str) -> Delivery | None:
    """The delivery as it is now (a consistent read), or None."""
    key = _key(webhook_id, event_id)
    try:
        return Delivery.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None


def begin(seen: Delivery) -> Delivery | None:
    """Take the next attempt, for one worker. It is in the history from now on, as one that was
    interrupted, until `succeed` or `fail` know better.

    Returns:
        The delivery with the attempt's number, or None if it is not time, or somebody else's turn.
    """
    if seen.next_at is None or seen.next_at > clock.stamp(_EARLY_S):
        return None
    attempt = int(seen.attempt) + 1
    entry = {"attempt": attempt, "at": clock.stamp(), "duration_ms": None}
    history = [*(seen.attempts or []), {**entry, "status_code": None, "error": Failure.INTERRUPTED}]
    actions = [
        Delivery.attempt.set(attempt),
        Delivery.attempts.set(history[-_HISTORY:]),
        Delivery.next_at.set(clock.stamp(LEASE_S)),
        Delivery.resends.set(0),
        *_due(seen, LEASE_S),
    ]
    mine = _is_pending(seen) & (Delivery.next_at == seen.next_at)
    if not _written(seen, actions, mine):
        return None
    return get(seen.webhook_id, seen.event_id)


def succeed(begun: Delivery, answer: Answer) -> bool:
    """PENDING → DELIVERED. Returns False if the attempt is not the last one any more."""
    actions = [Delivery.delivered_at.set(clock.stamp()), *_ended(begun, answer)]
    actions.append(Delivery.status.set(DeliveryStatus.DELIVERED.value))
    return _written(begun, [*actions, *_not_due()], _is_pending(begun))


def fail(queues: Queues, begun: Delivery, answer: Answer) -> None:
    """The attempt came to nothing: PENDING until the next one, or FAILED after the last."""
    used = int(begun.attempt) - int(begun.forgiven_attempts)
    if used >= MAX_ATTEMPTS:
        give_up(queues, begun, answer)
        return
    asked_s = min(answer.retry_after_s or 0, _LONGEST_RETRY_AFTER_S)
    wait_s = float(max(SCHEDULE_S[used - 1], asked_s))
    if wait_s >= SCHEDULE_S[2]:
        wait_s *= 1 + random.uniform(0, _JITTER)  # noqa: S311 - no secret, just not all at once
    by_message = wait_s <= _LONGEST_DELAY_S
    actions = [
        *_ended(begun, answer),
        Delivery.next_at.set(clock.stamp(wait_s)),
        *_due(begun, wait_s + (TELL_AFTER_S if by_message else 0)),
    ]
    if _written(begun, actions, _is_pending(begun)) and by_message:
        queues.send_notify(begun, wait_s)


def postpone(queues: Queues, delivery: Delivery, until: str) -> None:
    """Wait for a webhook that rests, without an attempt; one that waited for days is given up."""
    if clock.age_s(delivery.created_at) > GIVEN_UP_AFTER_S:
        give_up(queues, delivery, None)
        return
    wait_s = -clock.age_s(until) * (1 + random.uniform(0, _JITTER))  # noqa: S311
    actions = [Delivery.next_at.set(clock.stamp(wait_s)), *_due(delivery, wait_s)]
    _written(delivery, actions, _is_pending(delivery) & (Delivery.next_at == delivery.next_at))


def give_up(queues: Queues, delivery: Delivery, answer: Answer | None) -> None:
    """PENDING → FAILED, with a dead letter. It stays due until the letter is sent."""
    actions = [*(_ended(delivery, answer) if answer else []), *_due(delivery, TELL_AFTER_S)]
    actions += [Delivery.status.set(DeliveryStatus.FAILED.value), Delivery.next_at.remove()]
    if not _written(delivery, actions, _is_pending(delivery)):
        return
    failed = get(delivery.webhook_id, delivery.event_id)
    if failed is not None:
        bury(queues, failed)


def fail_test(begun: Delivery, answer: Answer) -> None:
    """PENDING → FAILED at once and without a letter: whoever asked for the test looks."""
    actions = [*_ended(begun, answer), *_not_due()]
    actions += [Delivery.status.set(DeliveryStatus.FAILED.value)]
    actions += [Delivery.dead_lettered_at.set(clock.stamp())]
    _written(begun, actions, _is_pending(begun))


def bury(queues: Queues, failed: Delivery) -> None:
    """Send the dead letter of a delivery that was given up, unless it is known to have been sent:
    the letter first, the mark second, so at least once."""
    if failed.status != DeliveryStatus.FAILED or failed.dead_lettered_at is not None:
        return
    queues.send_delivery_letter(failed)
    actions = [Delivery.dead_lettered_at.set(clock.stamp()), *_not_due()]
    same = (Delivery.status == failed.status) & (Delivery.attempt == int(failed.attempt))
    _written(failed, actions, same)


def cancel(delivery: Delivery, answer: Answer | None = None) -> None:
    """PENDING → CANCELLED: its webhook does not want it any more."""
    actions = [*(_ended(delivery, answer) if answer else []), *_not_due()]
    actions.append(Delivery.status.set(DeliveryStatus.CANCELLED.value))
    _written(delivery, actions, _is_pending(delivery))


def redrive(queues: Queues, delivery: Delivery) -> bool:
    """FAILED or CANCELLED → PENDING, with all of its attempts anew. Returns False if it was neither
    any more."""
    ended = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)
    actions = [
        Delivery.status.set(DeliveryStatus.PENDING.value),
        Delivery.forgiven_attempts.set(int(delivery.attempt)),
        Delivery.created_at.set(clock.stamp()),
        Delivery.next_at.set(clock.stamp()),
        Delivery.resends.set(0),
        Delivery.dead_lettered_at.remove(),
        *_due(delivery, TELL_AFTER_S),
    ]
    same = Delivery.status.is_in(*ended) & (Delivery.attempt == int(delivery.attempt))
    if not _written(delivery, actions, same):
        return False
    queues.send_notify(delivery)
    return True


def remind(queues: Queues, item: News | Delivery) -> None:
    """What the monitor does about news or a delivery that is due: send its message again, and look
    later and later, because a message may just be waiting in a long queue."""
    if isinstance(item, Delivery) and (item.next_at or "") > clock.stamp(_EARLY_S):
        return  # asked before its time, after a restart of the whole machine
    queues.send_notify(item)
    wait_s = min(TELL_AFTER_S * 2 ** (int(item.resends) + 1), _LONGEST_REMINDER_S)
    cls = type(item)
    with suppress(TransitionRefused):
        transact.update_once(
            cls(item.pk, item.sk),
            [cls.due_at.set(clock.stamp(wait_s)), cls.resends.add(1)],
            cls.due_at == item.due_at,
        )


def _ended(begun: Delivery, answer: Answer) -> list[Action]:
    """Write what is known now into the attempt's entry, which `begin` made."""
    *past, last = begun.attempts
    told = {"status_code": answer.status, "error": answer.failure}
    return [Delivery.attempts.set([*past, {**last, "duration_ms": answer.duration_ms, **told}])]


def _is_pending(delivery: Delivery) -> Condition:
    pending: Condition = (Delivery.status == DeliveryStatus.PENDING) & (
        Delivery.attempt == int(delivery.attempt)
    )
    return pending


def _written(delivery: Delivery, actions: list[Action], condition: Condition) -> bool:
    try:
        transact.update_once(_key(delivery.webhook_id, delivery.event_id), actions, condition)
    except TransitionRefused:
        return False
    return True


def _key(webhook_id: str, event_id: str) -> Delivery:
    return Delivery(keys.delivery_pk(webhook_id, event_id), keys.delivery_sk(event_id))


def _shard(event_id: str) -> str:
    return keys.telling_shard(keys.shard_of(event_id))


def _due(delivery: Delivery, seconds: float) -> list[Action]:
    at = clock.stamp(seconds)
    return [Delivery.due_shard.set(_shard(delivery.event_id)), Delivery.due_at.set(at)]


def _not_due() -> list[Action]:
    return [Delivery.due_shard.remove(), Delivery.due_at.remove(), Delivery.next_at.remove()]


def view(delivery: Delivery) -> dict[str, Any]:
    """What an admin sees of it."""
    return {
        "event_id": delivery.event_id,
        "type": delivery.event,
        "video_id": delivery.video_id,
        "status": delivery.status.lower(),
        "created_at": delivery.created_at,
        "next_attempt_at": delivery.next_at,
        "delivered_at": delivery.delivered_at,
        "attempts": delivery.attempts or [],
    }
