"""Makes the thumbnails, the storyboard and the poster."""

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

from millrace import config, stills, worker
from millrace.metrics import METRICS

SHOP = worker.open_shop(config.load("thumbnail"))
PROCESSOR = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
LOG = Logger()


def receive(record: SQSRecord, lambda_context: LambdaContext) -> None:
    worker.handle(SHOP, record, lambda_context, stills.work)


@LOG.inject_lambda_context(clear_state=True)
@METRICS.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Parse, call, return: see `millrace.worker` and `millrace.stills`."""
    return process_partial_response(event, receive, PROCESSOR, context)
