"""The Grafana dashboards, from what `GET /metrics` exposes (docs/reference/metrics.md):
`python -m cdk.monitoring.grafana` writes them to `dashboards/`; a test compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, DatasourceVariable
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from cdk.monitoring.panels import AnyPanel, Query, graph, heat, lay_out, number

FOLDER = Path(__file__).resolve().parent / "dashboards"
_TAG = "millrace"
_STEP = "$__rate_interval"
"""Grafana's: long enough for a rate at every zoom."""
_ANSWERS, _TOOK = 'up{job="millrace"}', 'scrape_duration_seconds{job="millrace"}'
"""Prometheus's own, of the job in prometheus.yml."""


def _state(state: str) -> str:
    return f'sum(millrace_videos{{state="{state}"}})'


def _increase(counter: str, window: str, by: str = "") -> str:
    return f"sum{f' by ({by})' if by else ''} (increase(millrace_{counter}_total[{window}]))"


def _hourly(counter: str) -> str:
    return _increase(counter, "1h")


def _by_queue(series: str, of: str = "sum") -> Query:
    return Query(f"{of} by (queue) (millrace_{series})", "{{queue}}")


def _mean(sum_of: str, count_of: str) -> Query:
    """By kind of task; nothing while there were none."""
    sums, counts = (_increase(counter, _STEP, "kind") for counter in (sum_of, count_of))
    return Query(f"{sums} / ({counts} > 0)", "{{kind}}")


def _buckets(histogram: str, window: str) -> str:
    return f"sum by (le) (increase(millrace_{histogram}_seconds_bucket[{window}]))"


def _quantiles(histogram: str) -> list[Query]:
    """Of the hour before each moment."""
    buckets = _buckets(histogram, "1h")
    parts = {"half": 0.5, "95%": 0.95}
    return [Query(f"histogram_quantile({part}, {buckets})", name) for name, part in parts.items()]


def _failure_rate() -> str:
    """Of the videos that ended in an hour; 0 while none did."""
    failed = _hourly("videos_failed")
    return f"{failed} / ({failed} + {_hourly('videos_completed')} > 0) or vector(0)"


def _now() -> list[AnyPanel]:
    return [
        number("Active", "short", _state("processing"), "Videos being worked on."),
        number("Queued", "short", _state("queued"), "Videos that wait."),
        number("Completed", "short", _state("completed")),
        number("Failed", "short", _state("failed")),
        number("Videos per hour", "short", _hourly("videos_completed")),
        number("Failure rate", "percentunit", _failure_rate(), "Of the videos of an hour."),
    ]


def _videos() -> list[AnyPanel]:
    states = {"active": "processing", "queued": "queued", "awaiting upload": "awaiting_upload"}
    ends = ("uploaded", "completed", "failed", "cancelled")
    return [
        graph(
            *("Active and queued", "short"),
            *(Query(_state(state), name) for name, state in states.items()),
            stacked=True,
        ),
        graph(
            *("Videos per hour", "short"),
            *(Query(_hourly(f"videos_{end}"), end) for end in ends),
            meaning="Counted over the hour before each moment.",
        ),
        graph("Failure rate", "percentunit", Query(_failure_rate(), "failed")),
    ]


def _queues() -> list[AnyPanel]:
    waiting, in_flight = (
        _by_queue(f'queue_messages{{state="{state}"}}') for state in ("waiting", "in_flight")
    )
    oldest = _by_queue("queue_oldest_age_seconds", "max")
    return [
        graph("Queue depth", "short", waiting, stacked=True),
        graph("In flight", "short", in_flight, meaning="Being worked on.", stacked=True),
        graph("Oldest that waits", "s", oldest),
    ]


def _times() -> list[AnyPanel]:
    return [
        heat(
            *("Time to playable", "s", _buckets("time_to_playable", _STEP)),
            meaning="From an upload's arrival until it can be watched.",
        ),
        graph("Time to playable", "s", *_quantiles("time_to_playable")),
        graph("Time to completed", "s", *_quantiles("time_to_complete")),
    ]


def _errors() -> list[AnyPanel]:
    letters = _by_queue("dead_letters")
    return [
        graph(
            *("Retries and failures per hour", "short"),
            Query(_hourly("task_retries"), "retries"),
            Query(_hourly("task_failures"), "tasks failed"),
        ),
        graph("Dead letters", "short", letters, meaning="Nobody redrove them.", stacked=True),
        graph("Cost per hour", "currencyUSD", Query(_hourly("cost_usd"), "by estimate")),
    ]


def _who_works() -> list[AnyPanel]:
    by_status = "count by (status) (millrace_worker_heartbeat_age_seconds)"
    return [
        graph("Workers by status", "short", Query(by_status, "{{status}}"), stacked=True),
        graph(
            *("Since they were heard of", "s", _each_worker("heartbeat_age_seconds")),
            meaning="From 60 s on, a worker on a task is unresponsive.",
        ),
    ]


def _load() -> list[AnyPanel]:
    meaning = "Of a worker's processes; 100 is one core."
    return [
        graph("CPU", "percent", _each_worker("cpu_percent"), meaning=meaning),
        graph("Memory", "bytes", _each_worker("memory_bytes")),
    ]


def _each_worker(series: str) -> Query:
    labels = "worker, function, status"
    return Query(f"max by ({labels}) (millrace_worker_{series})", "{{function}} {{worker}}")


def _tasks() -> list[AnyPanel]:
    done = Query(_increase("tasks_done", "1h", "kind"), "{{kind}}")
    return [
        graph("Tasks done per hour", "short", done, stacked=True),
        graph("Run time of a task", "s", _mean("task_run_seconds", "tasks_done")),
        graph("Wait in the queue", "s", _mean("task_wait_seconds", "task_waits")),
    ]


def _engine() -> list[AnyPanel]:
    speed = f"{_hourly('source_seconds')} / ({_hourly('busy_seconds')} > 0)"
    busy = "sum(rate(millrace_busy_seconds_total[1h]))"
    return [
        graph(
            *("Source made per second of work", "s", Query(speed, "over an hour")),
            meaning="Length of sources ÷ run time of all attempts.",
        ),
        graph("Busy workers", "short", Query(busy, "over an hour")),
        graph(
            *("Backups and lost workers per hour", "short"),
            Query(_hourly("task_backups"), "backups beside slow attempts"),
            Query(_hourly("workers_lost"), "workers lost"),
        ),
    ]


def _answers() -> list[AnyPanel]:
    everything = _hourly("api_requests")
    return [
        number("Answers", "short", f"min({_ANSWERS})", "1: all that Prometheus reads do."),
        number("Requests per hour", "short", everything),
        number(
            *("Errors", "percentunit", f"{_api_errors('1h')} / ({everything} > 0) or vector(0)"),
            "Answers from 500 on, of those of an hour.",
        ),
        number("Slowest 5% take", "s", _quantiles("api_latency")[1].expression, "In an hour."),
    ]


def _api_errors(window: str) -> str:
    return f'sum(increase(millrace_api_requests_total{{status="5xx"}}[{window}]))'


def _requests() -> list[AnyPanel]:
    by_status = f"sum by (status) (rate(millrace_api_requests_total[{_STEP}]))"
    return [
        graph("Requests per second", "reqps", Query(by_status, "{{status}}"), stacked=True),
        graph("Errors", "short", Query(_api_errors(_STEP), "5xx"), meaning="Answers from 500 on."),
        heat(
            *("Latency", "s", _buckets("api_latency", _STEP)),
            meaning="From a request to its answer, in the function.",
        ),
        graph("Latency", "s", *_quantiles("api_latency")),
    ]


def _readings() -> list[AnyPanel]:
    slow = Query(f"max(quantile_over_time(0.95, {_TOOK}[1h]))", "95% of an hour")
    return [
        graph("Answers", "short", Query(_ANSWERS, "{{instance}}")),
        graph(
            *("Latency of GET /metrics", "s", Query(_TOOK, "{{instance}}"), slow),
            meaning="It reads the table and asks every queue.",
        ),
        graph(
            *("Since the monitor ran", "s"),
            Query("max by (instance) (millrace_monitor_age_seconds)", "{{instance}}"),
            meaning="It runs every minute.",
        ),
    ]


def _traffic() -> list[AnyPanel]:
    flows = {"uploaded": "source", "read by the engine": "source_read", "made": "media"}
    return [
        graph("Uploads per hour", "short", Query(_hourly("videos_uploaded"), "arrived whole")),
        graph(
            *("Bytes per hour", "bytes"),
            *(Query(_hourly(f"{flow}_bytes"), name) for name, flow in flows.items()),
        ),
    ]


def _calls() -> list[AnyPanel]:
    names = {"opened": "connections", "closed": "disconnections"}
    return [
        graph(
            *("WebSockets per hour", "short"),
            *(Query(_hourly(f"signal_{what}"), name) for name, what in names.items()),
        ),
        graph(
            *("Messages per hour", "short"),
            Query(_hourly("signal_messages"), "from callers"),
            Query(_hourly("signal_refusals"), "refused"),
        ),
        graph("Errors per hour", "short", Query(_hourly("signal_errors"), "events that failed")),
    ]


def boards() -> Mapping[str, Dashboard]:
    """All of them, by name."""
    return {
        "pipeline": _board(
            "pipeline",
            "Videos, queues, times and errors.",
            {"Now": _now(), "Videos": _videos(), "Queues": _queues(), "Times": _times()}
            | {"Errors and cost": _errors()},
        ),
        "workers": _board(
            "workers",
            "Who works, and how fast. Who is silent for 15 minutes is gone.",
            {"Workers": _who_works(), "Load": _load(), "Tasks": _tasks(), "Engine": _engine()},
        ),
        "api": _board(
            "api",
            "Every request of the API, GET /metrics as Prometheus meets it, and calls' signalling.",
            {"Now": _answers(), "Requests": _requests(), "GET /metrics": _readings()}
            | {"Traffic": _traffic(), "Calls": _calls()},
        ),
    }


def _board(name: str, meaning: str, rows: Mapping[str, Sequence[AnyPanel]]) -> Dashboard:
    others = DashboardLink("Millrace").type(DashboardLinkType.DASHBOARDS).tags([_TAG])
    made = (
        Dashboard(f"Millrace {name}")
        .uid(f"millrace-{name}")
        .description(meaning)
        .tags([_TAG])
        .readonly()
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(others.keep_time(True))
        .with_variable(DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    lay_out(made, rows)
    return made


def texts() -> dict[str, str]:
    """Name → the dashboard as Grafana reads it from a file."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {name: encoder.encode(board.build()) + "\n" for name, board in boards().items()}


if __name__ == "__main__":
    for title, content in texts().items():
        (FOLDER / f"{title}.json").write_text(content)
