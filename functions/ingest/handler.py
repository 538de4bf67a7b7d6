"""Turns arrived objects into queued videos."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace import clients, config, receiving
from millrace.arrival import Door
from millrace.metrics import METRICS
from millrace.queues import Queues
from millrace.storage import Bucket

SETTINGS = config.load("ingest")
DOOR = Door(
    Bucket(clients.s3(), SETTINGS.uploads_bucket),
    Queues(clients.sqs(), SETTINGS),
    SETTINGS.max_upload_bytes,
)
PROCESSOR = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
LOG = Logger()


def receive(record: SQSRecord) -> None:
    receiving.receive(DOOR, record)


@LOG.inject_lambda_context(clear_state=True)
@METRICS.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Parse, call, return: see `millrace.receiving`."""
    return process_partial_response(event, receive, PROCESSOR, context)
