"""Telling the outside: news become one delivery for each webhook that wants them, and a message of
the SNS topic; a delivery becomes a signed POST.

Messages only name what is to be told; the table says whether it still is. A death between any two
steps leaves something due at the monitor.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

import millrace
from millrace import (
    clock,
    deliveries,
    events,
    news,
    payloads,
    posting,
    signing,
    trace_ids,
    transact,
    webhooks,
)
from millrace.errors import TransitionRefused
from millrace.events import MalformedMessage
from millrace.metrics import Metric, record
from millrace.model import Delivery, DeliveryStatus, News, Webhook
from millrace.posting import Answer
from millrace.queues import Queues
from millrace.targets import Policy

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

GONE = 410
"""The answer of an endpoint that wants nothing more."""
_LONGEST_WAIT_S = 60
_UNCONFIRMED = "PendingConfirmation"
"""What SNS lists instead of the name of a subscription whose owner has not agreed yet."""

log = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Office:
    """What telling needs."""

    queues: Queues
    sns: SNSClient
    policy: Policy

    @property
    def site_url(self) -> str:
        return self.queues.settings.site_url


def receive(office: Office, message: SQSRecord) -> None:
    """Take one message of the notify queue to its end.

    Raises:
        Exception: any failure of AWS; the message comes again, sooner than its queue's visibility
            timeout would bring it.
    """
    try:
        wanted = events.parse_notify(message.body)
    except MalformedMessage as error:
        log.error("message.rejected", extra={"reason": error.reason, "why": error.message})
        record(Metric.MESSAGES_REJECTED)
        office.queues.send_unreadable("notify", message.body, error.reason, error.message)
        return
    log.append_keys(event_id=wanted.event_id, webhook_id=wanted.webhook_id)
    try:
        if wanted.webhook_id is None:
            tell(office, wanted.event_id)
        else:
            deliver(office, wanted.webhook_id, wanted.event_id)
    except BaseException:
        tries = int(message.attributes.approximate_receive_count)
        office.queues.hold("notify", message.receipt_handle, min(2**tries, _LONGEST_WAIT_S))
        raise


def tell(office: Office, event_id: str) -> None:
    """Make news a delivery for each webhook that wants them, once, and publish them to the topic,
    at least once."""
    item = news.get(event_id)
    if item is None or item.due_at is None:
        return  # told before
    _log_about(item)
    item = _with_body(item, office.site_url)
    listeners = news.audience()
    for webhook in listeners.webhooks:
        if item.event in webhook.events:
            _put_delivery(office, item, webhook)
    if listeners.topic:
        _publish(office, item)
    actions = [News.due_shard.remove(), News.due_at.remove()]
    transact.update_once(News(item.pk, item.sk), actions, News.pk.exists())
    log.info("news.told", extra={"event": item.event})


def _log_about(item: News | Delivery) -> None:
    if item.video_id is not None:
        log.append_keys(**trace_ids.log_keys(item.video_id))


def deliver(office: Office, webhook_id: str, event_id: str) -> None:
    """Make one attempt at a delivery, if it is time for one."""
    delivery = deliveries.get(webhook_id, event_id)
    if delivery is None:
        return
    _log_about(delivery)
    if delivery.status == DeliveryStatus.FAILED:
        deliveries.bury(office.queues, delivery)
    if delivery.status != DeliveryStatus.PENDING:
        return
    webhook, item = webhooks.get(webhook_id), news.get(event_id)
    if webhook is None or item is None or item.body is None:
        deliveries.cancel(delivery)
        return
    if delivery.event != news.TEST and not _is_open(office, webhook, delivery):
        return
    if begun := deliveries.begin(delivery):
        answer = _posted(office, webhook, begun, item.body)
        _settle(office, webhook, begun, answer)


def _is_open(office: Office, webhook: Webhook, delivery: Delivery) -> bool:
    """Whether a webhook is to be called now; if not, its delivery is cancelled or waits."""
    if webhook.disabled_at is not None:
        deliveries.cancel(delivery)
        return False
    if webhook.rest_until is not None and webhook.rest_until > clock.stamp():
        deliveries.postpone(office.queues, delivery, webhook.rest_until)
        return False
    return True


def _with_body(item: News, site_url: str) -> News:
    """Settle what is sent, before anybody gets it: a second telling sends the same bytes."""
    if item.body is not None:
        return item
    actions = [News.body.set(payloads.body(item, site_url))]
    unsettled = News.pk.exists() & News.body.does_not_exist()
    with suppress(TransitionRefused):  # somebody else was quicker, or its video was purged
        transact.update_once(News(item.pk, item.sk), actions, unsettled)
    return news.get(item.event_id) or item


def _put_delivery(office: Office, item: News, webhook: Webhook) -> None:
    try:
        delivery = deliveries.new(item, webhook.webhook_id)
        still_told = transact.check(News(item.pk, item.sk), News.pk.exists())
        transact.commit_unlogged(transact.put(delivery), still_told)
    except TransitionRefused:
        return  # there is one already, told of by its own messages; or the video was purged
    office.queues.send_notify(delivery)


def _publish(office: Office, item: News) -> None:
    texts = {"type": item.event, "id": item.event_id, "video_id": item.video_id}
    office.sns.publish(
        TopicArn=office.queues.settings.topic_arn,
        Message=item.body or "",
        MessageAttributes={
            name: {"DataType": "String", "StringValue": text} for name, text in texts.items()
        },
    )


def _posted(office: Office, webhook: Webhook, begun: Delivery, body: str) -> Answer:
    signed = signing.headers(begun.event_id, clock.now(), body, webhooks.signing_secrets(webhook))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Millrace/{millrace.__version__}",
        **signed,
    }
    return posting.post(webhook.url, body.encode(), headers, office.policy)


def _settle(office: Office, webhook: Webhook, begun: Delivery, answer: Answer) -> None:
    told = {"status": answer.status, "error": answer.failure, "attempt": int(begun.attempt)}
    log.info("webhook.called", extra={**told, "duration_ms": answer.duration_ms})
    if answer.is_success:
        deliveries.succeed(begun, answer)
        webhooks.note_success(webhook)
        record(Metric.WEBHOOKS_DELIVERED)
        return
    record(Metric.WEBHOOKS_FAILED)
    if begun.event == news.TEST:
        deliveries.fail_test(begun, answer)
        return
    if answer.status == GONE:
        webhooks.disable(webhook)
        deliveries.cancel(begun, answer)
        return
    webhooks.note_failure(webhook)
    deliveries.fail(office.queues, begun, answer)


def watch_topic(sns: SNSClient, topic_arn: str) -> None:
    """Note whether anybody subscribes to the topic: what nobody hears is not written down. If that
    cannot be learnt now, what was known stays, and the monitor's other work is done."""
    try:
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
        found = (each["SubscriptionArn"] for page in pages for each in page["Subscriptions"])
        webhooks.note_topic(listening=any(arn != _UNCONFIRMED for arn in found))
    except (BotoCoreError, ClientError, PynamoDBException):
        log.exception("topic.unknown")
