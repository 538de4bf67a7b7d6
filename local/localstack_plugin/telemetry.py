"""What CloudWatch costs the other services.

LocalStack tells CloudWatch of every single SQS request by a request of its own, which makes a
message five times as dear, and commits every value of a PutMetricData alone.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase
from localstack.services.sqs.provider import CloudwatchDispatcher

_COLUMNS = (
    "account_id, region, metric_name, namespace, timestamp, dimensions, unit, storage_resolution"
)


def make_cheap() -> None:
    """Queues' gauges (ApproximateNumberOfMessages…) stay; counts of single requests go."""
    CloudwatchDispatcher.dispatch_sqs_metric = lambda *_arguments, **_named: None
    CloudwatchDatabase.add_metric_data = add_metric_data


def add_metric_data(
    database: Any, account_id: str, region: str, namespace: str, metric_data: Iterable[Any]
) -> None:
    """Stores the data of one PutMetricData in one transaction."""
    singles: list[tuple[Any, ...]] = []
    aggregates: list[tuple[Any, ...]] = []
    for datum in metric_data:
        at = datum.get("Timestamp")
        common = (
            account_id,
            region,
            datum.get("MetricName"),
            namespace,
            database._convert_timestamp_to_unix(at) if at else int(time.time()),
            database._get_ordered_dimensions_with_separator(datum.get("Dimensions")),
            datum.get("Unit"),
            datum.get("StorageResolution"),
        )
        singles += [(*common, value) for value in _values(datum)]
        if sums := datum.get("StatisticValues"):
            names = ("SampleCount", "Sum", "Minimum", "Maximum")
            aggregates.append((*common, *(sums.get(name) for name in names)))
    with database.DATABASE_LOCK, sqlite3.connect(database.METRICS_DB) as connection:
        _insert(connection, database.TABLE_SINGLE_METRICS, ("value",), singles)
        statistics = ("sample_count", "sum", "min", "max")
        _insert(connection, database.TABLE_AGGREGATED_METRICS, statistics, aggregates)


def _values(datum: Any) -> list[float]:
    if datum.get("Value") is not None:
        return [datum["Value"]]
    values = datum.get("Values") or []
    counts = datum.get("Counts") or [1] * len(values)
    return [value for value, count in zip(values, counts, strict=True) for _ in range(int(count))]


def _insert(
    connection: sqlite3.Connection, table: str, more: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    columns = f"{_COLUMNS}, {', '.join(more)}"
    places = ", ".join("?" * (8 + len(more)))
    # The names are this module's and LocalStack's own.
    connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)  # noqa: S608
