"""Brings what the public sees of a video in line with its state; removes deleted ones."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    SqsFifoPartialProcessor,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace import clients, config, publishing
from millrace.metrics import METRICS
from millrace.publishing import Press
from millrace.queues import Queues
from millrace.storage import Bucket

SETTINGS = config.load("publish")
PRESS = Press(
    Queues(clients.sqs(), SETTINGS),
    Bucket(clients.s3(), SETTINGS.uploads_bucket),
    Bucket(clients.s3(), SETTINGS.site_bucket),
)
# A failure of one video must not hold up the messages of others in the batch.
PROCESSOR = SqsFifoPartialProcessor(skip_group_on_error=True)
PROCESSOR.raise_on_entire_batch_failure = False
LOG = Logger()


def receive(record: SQSRecord) -> None:
    publishing.receive(PRESS, record)


@LOG.inject_lambda_context(clear_state=True)
@METRICS.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Parse, call, return: see `millrace.publishing`."""
    return process_partial_response(event, receive, PROCESSOR, context)
