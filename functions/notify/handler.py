"""Tells the outside what happened: webhooks, and the SNS topic."""

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

from millrace import clients, config, notifying
from millrace.metrics import METRICS
from millrace.notifying import Office
from millrace.queues import Queues
from millrace.targets import Policy

SETTINGS = config.load("notify")
OFFICE = Office(
    Queues(clients.sqs(), SETTINGS),
    clients.sns(),
    Policy.parse(SETTINGS.webhook_networks, plain_http=SETTINGS.webhook_plain_http),
)
PROCESSOR = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
LOG = Logger()


def receive(record: SQSRecord) -> None:
    notifying.receive(OFFICE, record)


@LOG.inject_lambda_context(clear_state=True)
@METRICS.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Parse, call, return: see `millrace.notifying`."""
    return process_partial_response(event, receive, PROCESSOR, context)
