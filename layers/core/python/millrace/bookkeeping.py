"""What the monitor does for the counters once a minute, after everything else: no video waits for
it. Closed minutes are moved on; what cannot be added up is sampled, and told as metrics."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from millrace import counters, prices, rollup, stats, tally, videos, workers
from millrace.counters import Present
from millrace.errors import RetryableError, TransitionRefused
from millrace.metrics import Metric, tell
from millrace.model import TaskStatus, VideoStatus
from millrace.queues import Queues
from millrace.stats import QueueNow

log = Logger(child=True)


def run(queues: Queues, deadline: float) -> None:
    """One round. What fails is done in the next.

    Args:
        deadline: on the monotonic clock.
    """
    try:
        now = counters.present()
        waiting = stats.queues_now(queues, now)
        depths = {f"depth_{queue.name}": queue.depth.waiting for queue in waiting}
        active = sum(now.totals[tally.video_state(status)] for status in videos.ACTIVE)
        queued = now.totals[tally.video_state(VideoStatus.QUEUED)]
        rollup.sample({**depths, "active": active, "queued": queued})
        _tell(now, waiting, workers.view()["workers"])
        for minute, items in rollup.closed(now.items):
            if time.monotonic() > deadline:
                break
            happened = rollup.move_on(minute, items)
            tell({Metric.SPENT: happened["cost_nano_usd"] / prices.NANO_USD})
    except (TransitionRefused, RetryableError) as error:
        log.info("bookkeeping.interrupted", extra={"why": str(error)})
    except (PynamoDBException, BotoCoreError, ClientError):
        log.exception("bookkeeping.failed")


def _tell(now: Present, waiting: Sequence[QueueNow], found: Sequence[Mapping[str, Any]]) -> None:
    for status in VideoStatus:
        tell({Metric.VIDEOS: now.totals[f"video_{status}"]}, state=status.lower())
    for task_status in TaskStatus:
        tell({Metric.TASKS: now.totals[f"task_{task_status}"]}, state=task_status.lower())
    for queue in waiting:
        values: dict[Metric, float] = {
            Metric.QUEUE_DEPTH: queue.depth.waiting,
            Metric.QUEUE_IN_FLIGHT: queue.depth.in_flight,
            Metric.DEAD_LETTERS: queue.dead_letters,
        }
        if queue.sampled_age_s is not None:
            values[Metric.OLDEST_AGE] = queue.sampled_age_s
        tell(values, queue=queue.name)
    by_state = Counter(worker["status"] for worker in found)
    for state in ("working", "idle", "unresponsive"):
        tell({Metric.WORKERS: by_state[state]}, state=state)
    ages = [worker["heartbeat_age_s"] for worker in found if worker["task_id"]]
    tell({Metric.HEARTBEAT_AGE: max(ages, default=0.0)})
