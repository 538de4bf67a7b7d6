"""The metrics, all in one table; written as CloudWatch Embedded Metric Format to the log.

A handler decorated with `METRICS.log_metrics` flushes them at the end of each invocation.
"""

from __future__ import annotations

import warnings
from enum import Enum

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Millrace"


class Metric(Enum):
    """Name, unit and meaning."""

    VIDEOS_QUEUED = ("VideosQueued", MetricUnit.Count, "uploads that arrived whole")
    VIDEOS_PLAYABLE = ("VideosPlayable", MetricUnit.Count, "videos that can be watched, first time")
    VIDEOS_COMPLETED = ("VideosCompleted", MetricUnit.Count, "videos that were finished")
    VIDEOS_FAILED = ("VideosFailed", MetricUnit.Count, "videos that failed, for whatever reason")
    VIDEOS_PURGED = ("VideosPurged", MetricUnit.Count, "videos removed with all their objects")
    TIME_TO_PLAYABLE = ("TimeToPlayable", MetricUnit.Seconds, "from upload to playable")
    TIME_TO_COMPLETED = ("TimeToCompleted", MetricUnit.Seconds, "from upload to completed")
    TASKS_DONE = ("TasksDone", MetricUnit.Count, "tasks that delivered")
    TASKS_RETRIED = ("TasksRetried", MetricUnit.Count, "attempts that failed and are repeated")
    TASKS_DOUBLED = ("TasksDoubled", MetricUnit.Count, "backups begun beside slow attempts")
    TASKS_FAILED = ("TasksFailed", MetricUnit.Count, "tasks that failed or ran out of attempts")
    TASK_SECONDS = ("TaskSeconds", MetricUnit.Seconds, "run time of a task that delivered")
    SOURCE_BYTES_READ = ("SourceBytesRead", MetricUnit.Bytes, "read by the engine, per task")
    WORKERS_LOST = ("WorkersLost", MetricUnit.Count, "running tasks whose worker fell silent")
    MESSAGES_RESENT = ("MessagesResent", MetricUnit.Count, "messages that seemed lost")
    MESSAGES_REJECTED = ("MessagesRejected", MetricUnit.Count, "messages nobody can read")
    WEBHOOKS_DELIVERED = ("WebhooksDelivered", MetricUnit.Count, "events that an endpoint took")
    WEBHOOKS_FAILED = ("WebhooksFailed", MetricUnit.Count, "attempts that an endpoint did not take")
    UPLOADS_EXPIRED = ("UploadsExpired", MetricUnit.Count, "uploads never finished")

    @property
    def title(self) -> str:
        return self.value[0]

    @property
    def unit(self) -> MetricUnit:
        return self.value[1]

    @property
    def meaning(self) -> str:
        return self.value[2]


# An invocation without anything to count (a duplicate, say) is no cause for a line on stderr.
warnings.filterwarnings("ignore", message="No application metrics to publish")

METRICS = Metrics(namespace=NAMESPACE)


def record(metric: Metric, value: float = 1) -> None:
    """Add a value to the invocation's metrics."""
    METRICS.add_metric(name=metric.title, unit=metric.unit, value=value)
