"""The metrics, all in one table; written as CloudWatch Embedded Metric Format to the log.

Those of an invocation (`record`) are flushed together at its end by a handler decorated with
`METRICS.log_metrics`; those with dimensions of their own (`tell`) at once, one line for each set.
docs/reference/metrics.md is made from this table: `python docs/metrics_page.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from enum import Enum

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMESPACE = "Millrace"
PER_INVOCATION = ("service",)
"""Dimensions of what is recorded: the function's name."""
_KIND, _QUEUE, _STATE = ("service", "kind"), ("service", "queue"), ("service", "state")
_API_ERROR = 500


class Metric(Enum):
    """Name, unit, meaning, and dimensions where they are not `PER_INVOCATION`."""

    VIDEOS_QUEUED = ("VideosQueued", MetricUnit.Count, "uploads that arrived whole")
    VIDEOS_PLAYABLE = ("VideosPlayable", MetricUnit.Count, "videos that can be watched, first time")
    VIDEOS_COMPLETED = ("VideosCompleted", MetricUnit.Count, "videos that were finished")
    VIDEOS_FAILED = ("VideosFailed", MetricUnit.Count, "videos that failed, for whatever reason")
    VIDEOS_PURGED = ("VideosPurged", MetricUnit.Count, "videos removed with all their objects")
    UPLOADS_EXPIRED = ("UploadsExpired", MetricUnit.Count, "uploads never finished")
    SOURCE_BYTES = ("SourceBytes", MetricUnit.Bytes, "size of an upload that arrived")
    TIME_TO_PLAYABLE = ("TimeToPlayable", MetricUnit.Seconds, "from upload to playable")
    TIME_TO_COMPLETED = ("TimeToCompleted", MetricUnit.Seconds, "from upload to completed")
    VIDEO_COST = (
        *("VideoCost", MetricUnit.NoUnit),
        "US dollars that a completed video took, by estimate",
    )
    SPENT = (
        *("Spent", MetricUnit.NoUnit),
        "US dollars that all attempts of a minute took, whatever came of them, by estimate",
    )
    TASKS_DONE = ("TasksDone", MetricUnit.Count, "tasks that delivered")
    TASKS_RETRIED = ("TasksRetried", MetricUnit.Count, "attempts that failed and are repeated")
    TASKS_DOUBLED = ("TasksDoubled", MetricUnit.Count, "backups begun beside slow attempts")
    TASKS_FAILED = ("TasksFailed", MetricUnit.Count, "tasks that failed or ran out of attempts")
    TASK_SECONDS = ("TaskSeconds", MetricUnit.Seconds, "run time of a task that delivered", _KIND)
    QUEUE_WAIT = (
        *("QueueWait", MetricUnit.Seconds),
        "from the moment a task could be run to its start",
        _KIND,
    )
    ENGINE_SPEED = (
        *("EngineSpeed", MetricUnit.NoUnit),
        "seconds of the source made per second, of a chunk in all renditions",
        _KIND,
    )
    BYTES_OUT = ("BytesOut", MetricUnit.Bytes, "size of what a task made", _KIND)
    SOURCE_BYTES_READ = ("SourceBytesRead", MetricUnit.Bytes, "read by the engine, per task")
    WORKER_CPU = (
        *("WorkerCpu", MetricUnit.Percent),
        "of a task's processes, between two heartbeats; 100 is one core",
        _KIND,
    )
    WORKER_MEMORY = ("WorkerMemory", MetricUnit.Bytes, "of a task's processes", _KIND)
    WORKERS_LOST = ("WorkersLost", MetricUnit.Count, "running tasks whose worker fell silent")
    MESSAGES_RESENT = ("MessagesResent", MetricUnit.Count, "messages that seemed lost")
    MESSAGES_REJECTED = ("MessagesRejected", MetricUnit.Count, "messages nobody can read")
    WEBHOOKS_DELIVERED = ("WebhooksDelivered", MetricUnit.Count, "events that an endpoint took")
    WEBHOOKS_FAILED = ("WebhooksFailed", MetricUnit.Count, "attempts that an endpoint did not take")
    VIDEOS = ("Videos", MetricUnit.Count, "videos in a state, sampled every minute", _STATE)
    TASKS = ("Tasks", MetricUnit.Count, "tasks in a state, sampled every minute", _STATE)
    QUEUE_DEPTH = ("QueueDepth", MetricUnit.Count, "messages that wait, sampled", _QUEUE)
    QUEUE_IN_FLIGHT = ("QueueInFlight", MetricUnit.Count, "messages being worked on", _QUEUE)
    OLDEST_AGE = (
        *("OldestAge", MetricUnit.Seconds),
        "of what has waited longest, sampled; 0 while nothing waits, none where it is not known",
        _QUEUE,
    )
    DEAD_LETTERS = (
        *("DeadLetters", MetricUnit.Count),
        "failed tasks that nobody redrove (elsewhere: messages in the queue), sampled",
        _QUEUE,
    )
    WORKERS = ("Workers", MetricUnit.Count, "workers in a state, sampled", _STATE)
    HEARTBEAT_AGE = (
        *("HeartbeatAge", MetricUnit.Seconds),
        "of the worker on a task that was silent longest, sampled",
    )
    API_LATENCY = ("ApiLatency", MetricUnit.Milliseconds, "from a request to its answer")
    API_ERRORS = ("ApiErrors", MetricUnit.Count, "1 for an answer from 500 on, else 0")
    SIGNAL_CONNECTIONS = ("SignalConnections", MetricUnit.Count, "WebSockets of calls opened")
    SIGNAL_DISCONNECTIONS = ("SignalDisconnections", MetricUnit.Count, "those that were closed")
    SIGNAL_MESSAGES = ("SignalMessages", MetricUnit.Count, "messages that callers sent")
    SIGNAL_REFUSALS = (
        *("SignalRefusals", MetricUnit.Count),
        "those answered with an error code: the room is full, say",
    )
    SIGNAL_ERRORS = (
        *("SignalErrors", MetricUnit.Count),
        "events of WebSockets that could not be dealt with",
    )

    @property
    def title(self) -> str:
        return str(self.value[0])

    @property
    def unit(self) -> MetricUnit:
        unit = self.value[1]
        assert isinstance(unit, MetricUnit)
        return unit

    @property
    def meaning(self) -> str:
        return str(self.value[2])

    @property
    def dimensions(self) -> tuple[str, ...]:
        return self.value[3] if len(self.value) > 3 else PER_INVOCATION


# An invocation without anything to count (a duplicate, say) is no cause for a line on stderr.
warnings.filterwarnings("ignore", message="No application metrics to publish")

METRICS = Metrics(namespace=NAMESPACE)


def record(metric: Metric, value: float = 1) -> None:
    """Add a value to the invocation's metrics."""
    METRICS.add_metric(name=metric.title, unit=metric.unit, value=value)


def tell(values: Mapping[Metric, float], **dimensions: str) -> None:
    """Write values at once.

    Args:
        values: of metrics that have exactly these dimensions, besides the function's name.
    """
    own = EphemeralMetrics(namespace=NAMESPACE)
    for name, which in dimensions.items():
        own.add_dimension(name=name, value=which)
    for metric, value in values.items():
        own.add_metric(name=metric.title, unit=metric.unit, value=value)
    if values:
        own.flush_metrics()


def record_request(duration_ms: float, status: int) -> None:
    """Write what is told of one request to the API."""
    tell({Metric.API_LATENCY: duration_ms, Metric.API_ERRORS: float(status >= _API_ERROR)})
