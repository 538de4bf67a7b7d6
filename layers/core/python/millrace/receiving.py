"""The messages of the ingest queue: S3 notifications, each with any number of records."""

from __future__ import annotations

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from millrace import arrival, events, trace_ids
from millrace.arrival import Door, Outcome
from millrace.errors import Reason
from millrace.events import MalformedMessage
from millrace.metrics import Metric, record

_LONGEST_WAIT_S = 60

log = Logger(child=True)


def receive(door: Door, message: SQSRecord) -> None:
    """Take one message to its end; its records are independent of each other.

    Raises:
        Exception: any failure of AWS; the message comes again, sooner than its queue's visibility
            timeout would bring it, and the records that went through before change nothing then.
    """
    try:
        created = events.parse_s3(message.body)
    except MalformedMessage as error:
        _reject(door, message.body, error.reason, error.message)
        return
    try:
        for record_ in created:
            outcome = arrival.arrive(door, record_.bucket, record_.key, record_.etag)
            _report(door, message, record_, outcome)
    except BaseException:
        tries = int(message.attributes.approximate_receive_count)
        door.queues.hold("ingest", message.receipt_handle, min(2 ** (tries - 1), _LONGEST_WAIT_S))
        raise


def _report(
    door: Door, message: SQSRecord, created: events.ObjectCreated, outcome: Outcome
) -> None:
    told = {"key": created.key, "etag": created.etag, "outcome": outcome, "at": created.at}
    told |= trace_ids.log_keys(events.video_of(created))
    if outcome is Outcome.FOREIGN:
        log.error("object.foreign", extra=told)
        why = f"{created.key} in {created.bucket} is no upload."
        _reject(door, message.body, Reason.MALFORMED_MESSAGE, why)
        return
    log.info("object.arrived", extra=told)
    if outcome is Outcome.QUEUED:
        record(Metric.VIDEOS_QUEUED)
    elif outcome is Outcome.FAILED:
        record(Metric.VIDEOS_FAILED)


def _reject(door: Door, body: str, reason: Reason, why: str) -> None:
    log.error("message.rejected", extra={"reason": reason, "why": why})
    record(Metric.MESSAGES_REJECTED)
    door.queues.send_unreadable("ingest", body, reason, why)
