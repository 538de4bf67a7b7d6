"""What work costs on AWS: an estimate, from what the log tells of each attempt.

List prices of us-east-1, x86_64, without free tier or discounts, as read on 2026-11-30:
https://aws.amazon.com/lambda/pricing/ · https://aws.amazon.com/sqs/pricing/ ·
https://aws.amazon.com/s3/pricing/ · https://aws.amazon.com/dynamodb/pricing/on-demand/
Storage and delivery to viewers are not in it: they cost by the month and by the viewer.
"""

from __future__ import annotations

from collections.abc import Mapping

from millrace.model import TaskKind
from millrace.queues import queue_of

NANO_USD = 1_000_000_000
"""Money is added up in whole billionths of a dollar: sums of floats would depend on their order."""
LAMBDA_GB_SECOND_USD = 0.0000166667
LAMBDA_REQUEST_USD = 0.20e-6
SQS_REQUEST_USD = 0.40e-6
S3_PUT_USD = 5e-6
DYNAMODB_WRITE_UNIT_USD = 0.625e-6
MEMORY_MB: Mapping[str, int] = {"probe": 1024, "transcode": 4096, "thumbnail": 2048}
"""Memory of the function that works on each task queue; a test compares it with the deployment."""
_SQS_REQUESTS = 4
"""Of one attempt: sent, received, deleted, and the word to the publisher."""
_BEAT_S, _WRITES_OF_A_BEAT = 2.0, 15
_WRITES_OF_AN_ATTEMPT = 38
"""Write units of its two moves: 22 for task, video and lines, 16 for the counters
(docs/explanation/scaling.md)."""


def attempt_nano_usd(kind: TaskKind, duration_s: float, files: int) -> int:
    """Estimate of one attempt at a task.

    Args:
        duration_s: from its start to its end.
        files: it stored.
    """
    gb = MEMORY_MB[queue_of(kind)] / 1024
    usd = (
        duration_s * gb * LAMBDA_GB_SECOND_USD
        + LAMBDA_REQUEST_USD
        + _SQS_REQUESTS * SQS_REQUEST_USD
        + files * S3_PUT_USD
        + (_WRITES_OF_AN_ATTEMPT + _WRITES_OF_A_BEAT * duration_s / _BEAT_S)
        * DYNAMODB_WRITE_UNIT_USD
    )
    return round(usd * NANO_USD)
