"""The CloudWatch dashboard: the pipeline at a glance, from docs/reference/metrics.md."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk.functions import FUNCTIONS, PREFIX
from cdk.monitoring.series import series

_PERIOD = Duration.minutes(5)
_KINDS = {
    **{"probe": "probe", "transcode": "transcode", "audio": "transcode"},
    **{"subtitles": "transcode", "thumbnail": "thumbnail"},
}
"""Kind of task → the function that works on it."""
_TASK_QUEUES = ("probe", "transcode", "thumbnail")
_ACTIVE = ("queued", "processing", "completed", "failed")


def make_dashboard(scope: Construct) -> cloudwatch.Dashboard:
    """Three graphs a row: videos, queues and workers, then times, errors and cost, then calls."""
    queues = [spec.name for spec in FUNCTIONS if spec.queue]
    rows = [
        [
            _graph("Videos", [_sampled("Videos", state=state) for state in _ACTIVE]),
            _graph("Queue depth", [_sampled("QueueDepth", queue=name) for name in queues]),
            _graph("Oldest that waits (s)", [_sampled("OldestAge", queue=name) for name in queues]),
        ],
        [
            _graph("Time to playable (s)", _percentiles("TimeToPlayable")),
            _graph("Time to completed (s)", _percentiles("TimeToCompleted")),
            _graph("Videos per hour", [_throughput()]),
        ],
        [
            _graph("Task run time (s)", [_by_kind("TaskSeconds", kind) for kind in _KINDS]),
            _graph("Wait in queue (s)", [_by_kind("QueueWait", kind) for kind in _KINDS]),
            _graph("Engine speed (×)", [_by_kind("EngineSpeed", "transcode")]),
        ],
        [
            _graph("Retries", [_count("TasksRetried", name) for name in _TASK_QUEUES]),
            _graph("Failed tasks", [_count("TasksFailed", name) for name in _TASK_QUEUES]),
            _graph("Dead letters", [_sampled("DeadLetters", queue=name) for name in queues]),
        ],
        [
            _graph("Workers", [_sampled("Workers", state=s) for s in ("working", "unresponsive")]),
            _graph("Worker CPU (%)", [_by_kind("WorkerCpu", kind) for kind in _KINDS]),
            _graph("Worker memory", [_by_kind("WorkerMemory", kind) for kind in _KINDS]),
        ],
        [
            _graph("API latency (ms)", _percentiles("ApiLatency", "api")),
            _graph("API errors", [_count("ApiErrors", "api")]),
            _graph("Cost (US dollars)", [_count("Spent", "monitor")]),
        ],
        [
            _graph("Calls: WebSockets", [_signal("Connections"), _signal("Disconnections")]),
            _graph("Calls: messages", [_signal("Messages"), _signal("Refusals")]),
            _graph("Calls: errors", [_signal("Errors")]),
        ],
    ]
    return cloudwatch.Dashboard(scope, "Dashboard", dashboard_name=PREFIX, widgets=rows)


def _graph(title: str, left: Sequence[cloudwatch.IMetric]) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=left, width=8, height=6)


def _line(name: str, statistic: str, period: Duration, **dimensions: str) -> cloudwatch.Metric:
    label = " ".join([name, *dimensions.values()])
    return series(name, statistic, period, **dimensions).with_(label=label)


def _sampled(name: str, **dimensions: str) -> cloudwatch.Metric:
    return _line(name, "Maximum", Duration.minutes(1), service="monitor", **dimensions)


def _count(name: str, function: str) -> cloudwatch.Metric:
    return _line(name, "Sum", _PERIOD, service=function)


def _throughput() -> cloudwatch.MathExpression:
    """Videos completed in a period, as many as an hour would have."""
    return cloudwatch.MathExpression(
        expression="completed * 3600 / PERIOD(completed)",
        using_metrics={"completed": series("VideosCompleted", "Sum", _PERIOD, service="publish")},
        period=_PERIOD,
        label="videos per hour",
    )


def _signal(what: str) -> cloudwatch.Metric:
    return _count(f"Signal{what}", "signal")


def _by_kind(name: str, kind: str) -> cloudwatch.Metric:
    return _line(name, "Average", _PERIOD, service=_KINDS[kind], kind=kind)


def _percentiles(name: str, function: str = "publish") -> list[cloudwatch.IMetric]:
    return [_line(name, part, _PERIOD, service=function) for part in ("p50", "p95")]
