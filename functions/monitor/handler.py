"""Looks at what is due: silent workers, lost messages, uploads never finished."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace import bookkeeping, clients, config, letters, monitoring, notifying
from millrace.metrics import METRICS
from millrace.monitoring import Watch
from millrace.queues import Queues
from millrace.storage import Bucket

SETTINGS = config.load("monitor")
SAFETY_S = 10.0
LOG = Logger()


@LOG.inject_lambda_context(clear_state=True)
@METRICS.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Parse, call, return: see `millrace.monitoring`, `letters`, `notifying`, `bookkeeping`."""
    notifying.watch_topic(clients.sns(), SETTINGS.topic_arn)
    left_s = context.get_remaining_time_in_millis() / 1000 - SAFETY_S
    watch = Watch(
        Queues(clients.sqs(), SETTINGS),
        Bucket(clients.s3(), SETTINGS.uploads_bucket),
        deadline=time.monotonic() + left_s,
        recover=monitoring.wants_recovery(event),
    )
    letters.send_again(watch.queues, watch.deadline)
    done = monitoring.run(watch)
    bookkeeping.run(watch.queues, watch.deadline)
    return done
