"""Dead letters that need no human: what SQS itself gave up of the queues that carry no tasks.

A notification whose handler failed five times within half a minute, because S3 or the table was
away, ends as a dead letter. Of an object that nobody announced it is all that is known. So the
monitor sends what can be read back to its queue, every round, until it is taken. What a function
could not read was wrapped by it (`Queues.send_unreadable`), is not readable here either, and stays
for a human.

Tasks' letters are none of this: the table has them, and they wait for `POST /dead-letters/redrive`.
Those of `notify` are deliveries that were given up; their webhook redrives them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from millrace import clock, events
from millrace.events import MalformedMessage
from millrace.metrics import Metric, record
from millrace.queues import Queues

MOST_AT_ONCE = 100
"""Letters of one queue in one round."""

log = Logger(child=True)


def send_again(queues: Queues, deadline: float) -> None:
    """One round. What fails is done in the next; what is sent twice does no harm.

    Args:
        deadline: on the monotonic clock.
    """
    for name in _SENDERS:
        try:
            _send_all(queues, name, deadline)
        except (BotoCoreError, ClientError):
            log.exception("letters.failed")


def _send_all(queues: Queues, name: str, deadline: float) -> None:
    seen = 0
    while seen < MOST_AT_ONCE and time.monotonic() < deadline:
        letters = queues.take_letters(name)
        if not letters:
            return
        for letter in letters:
            try:
                _SENDERS[name](queues, letter.body)
            except MalformedMessage:
                continue
            queues.delete_letter(name, letter.receipt_handle)  # last: a crash sends it twice
            log.info("letter.resent", extra={"queue": name})
            record(Metric.MESSAGES_RESENT)
        seen += len(letters)


def _send_arrival(queues: Queues, body: str) -> None:
    for created in events.parse_s3(body):
        queues.send_found(created)


def _send_publish(queues: Queues, body: str) -> None:
    message = events.parse_publish(body)
    queues.send_publish(message.video_id, clock.stamp(), message.action)


_SENDERS: Mapping[str, Callable[[Queues, str], None]] = {
    "ingest": _send_arrival,
    "publish": _send_publish,
}
