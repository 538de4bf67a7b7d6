"""The endpoints that are told of events: made, deleted, given new secrets, and how they are doing.

All of them are in one partition, at most `MAX_WEBHOOKS`, so that a move finds with one small query
whether anybody listens.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynamodb.exceptions import DoesNotExist

from millrace import clock, deliveries, keys, news, payloads, signing, transact
from millrace.errors import TransitionRefused
from millrace.model import Count, Item, Topic, Webhook
from millrace.queues import Queues

MAX_WEBHOOKS = 20
PREVIOUS_SECRET_S = 24 * 3600
"""How long the secret before the last rotation signs beside the new one."""
_PATIENCE = 10
"""Failed attempts in a row after which an endpoint gets a rest: an address that does not answer
costs seconds an attempt, and others wait."""
_FIRST_REST_S, _LONGEST_REST_S = 60, 3600


def create(url: str, events: Sequence[str], description: str | None, actor: str) -> Webhook:
    """Make an endpoint with a new secret.

    Args:
        url: as `targets.parse` accepts it.
        events: of `news.EVENTS`.
        actor: name of who asked.

    Raises:
        TransitionRefused: there are `MAX_WEBHOOKS` already.
    """
    webhook_id = keys.new_webhook_id()
    webhook = Webhook(
        keys.HOOKS_PK,
        keys.webhook_sk(webhook_id),
        webhook_id=webhook_id,
        url=url,
        description=description,
        events=list(events),
        secret=signing.new_secret(),
        created_at=clock.stamp(),
        created_by=actor,
    )
    room = Count.webhooks.does_not_exist() | (Count.webhooks < MAX_WEBHOOKS)
    counted = transact.update(_count(), [Count.kind.set(Count), Count.webhooks.add(1)], room)
    transact.commit_unlogged(transact.put(webhook), counted)
    return webhook


def get(webhook_id: str) -> Webhook | None:
    """The endpoint as it is now (a consistent read), or None."""
    try:
        return Webhook.get(keys.HOOKS_PK, keys.webhook_sk(webhook_id), consistent_read=True)
    except DoesNotExist:
        return None


def everything() -> list[Webhook]:
    """All endpoints, disabled ones too, oldest first."""
    prefix = Item.sk.startswith(keys.WEBHOOK_SK_PREFIX)
    found = Item.query(keys.HOOKS_PK, prefix, consistent_read=True)
    webhooks = [item for item in found if isinstance(item, Webhook)]
    return sorted(webhooks, key=lambda webhook: webhook.created_at)


def delete(webhook_id: str) -> bool:
    """Forget an endpoint and its secret. What is on its way to it is cancelled when its turn
    comes; its log expires. Returns whether there was one."""
    there = Webhook.pk.exists()
    counted = transact.update(_count(), [Count.webhooks.add(-1)], Count.webhooks > 0)
    try:
        transact.commit_unlogged(transact.remove(_key(webhook_id), there), counted)
    except TransitionRefused:
        return False
    return True


def rotate(webhook: Webhook) -> str:
    """Give an endpoint a new secret; for a day the one before signs, too.

    Returns:
        The new secret, which is not shown again.

    Raises:
        TransitionRefused: it is gone, or was rotated this instant.
    """
    secret = signing.new_secret()
    actions = [
        Webhook.secret.set(secret),
        Webhook.previous_secret.set(webhook.secret),
        Webhook.previous_until.set(clock.stamp(PREVIOUS_SECRET_S)),
    ]
    transact.update_once(_key(webhook.webhook_id), actions, Webhook.secret == webhook.secret)
    return secret


def signing_secrets(webhook: Webhook) -> list[str]:
    """The secrets that sign now, the newest first."""
    if webhook.previous_secret is None or (webhook.previous_until or "") < clock.stamp():
        return [webhook.secret]
    return [webhook.secret, webhook.previous_secret]


def disable(webhook: Webhook) -> None:
    """It wants nothing more, until somebody enables it again."""
    _note(webhook, Webhook.disabled_at.set(clock.stamp()))


def enable(webhook: Webhook) -> None:
    """Tell a disabled or resting endpoint of what happens from now on."""
    _note(webhook, Webhook.disabled_at.remove(), *_WELL)


def note_success(webhook: Webhook) -> None:
    """It answered well: a run of failures, if there was one, is over."""
    if webhook.failures:
        _note(webhook, *_WELL)


def note_failure(webhook: Webhook) -> None:
    """It did not answer well; after several times it gets a rest, longer each time."""
    actions = [
        Webhook.failures.add(1),
        Webhook.failing_since.set(Webhook.failing_since | clock.stamp()),
    ]
    beyond = int(webhook.failures) + 1 - _PATIENCE
    if beyond >= 0:
        rest_s = min(_FIRST_REST_S * 2 ** min(beyond, 10), _LONGEST_REST_S)
        actions.append(Webhook.rest_until.set(clock.stamp(rest_s)))
    _note(webhook, *actions)


def send_test(queues: Queues, webhook: Webhook) -> str:
    """Have a test event sent to an endpoint, once, be it disabled or resting.

    Returns:
        The event's id, to find the delivery by.
    """
    item = news.new(news.TEST, clock.now(), None)
    item.body = payloads.test_body(webhook.webhook_id, item.at)
    item.due_shard = item.due_at = None  # nobody else is told
    delivery = deliveries.new(item, webhook.webhook_id)
    transact.commit_unlogged(transact.put(item), transact.put(delivery))
    queues.send_notify(delivery)
    return item.event_id


def note_topic(*, listening: bool) -> None:
    """Whether anybody subscribes to the SNS topic, as was just seen."""
    try:
        known = Topic.get(keys.HOOKS_PK, keys.TOPIC_SK, consistent_read=True).listening
    except DoesNotExist:
        known = False
    if known != listening:
        Topic(keys.HOOKS_PK, keys.TOPIC_SK, listening=listening).save()


_WELL = (Webhook.failures.set(0), Webhook.failing_since.remove(), Webhook.rest_until.remove())


def _note(webhook: Webhook, *actions: object) -> None:
    """Book-keeping on an endpoint that may be deleted at this moment: it must not come back."""
    try:
        transact.update_once(_key(webhook.webhook_id), list(actions), Webhook.pk.exists())  # type: ignore[arg-type]
    except TransitionRefused:
        return


def _key(webhook_id: str) -> Webhook:
    return Webhook(keys.HOOKS_PK, keys.webhook_sk(webhook_id))


def _count() -> Count:
    return Count(keys.HOOKS_PK, keys.COUNT_SK)
