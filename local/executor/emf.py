"""CloudWatch Embedded Metric Format: metrics inside log lines.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
On AWS the log service extracts them; no emulator does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of PutMetricData."""

    namespace: str
    datum: dict[str, Any]


def metrics_in(line: str) -> list[Metric]:
    """The metrics of a log line; none if it is not valid Embedded Metric Format."""
    if '"_aws"' not in line or not line.lstrip().startswith("{"):
        return []
    try:
        document = json.loads(line)
        header = document["_aws"]
        at = datetime.fromtimestamp(header["Timestamp"] / 1000, UTC)
        return [
            metric
            for directive in header["CloudWatchMetrics"]
            for metric in _directive(document, directive, at)
        ]
    except (ValueError, KeyError, TypeError, OverflowError):
        return []


def _directive(
    document: dict[str, Any], directive: dict[str, Any], at: datetime
) -> Iterator[Metric]:
    for dimensions in directive.get("Dimensions") or [[]]:
        named = [{"Name": name, "Value": str(document[name])} for name in dimensions]
        for definition in directive["Metrics"]:
            yield Metric(
                directive["Namespace"],
                {
                    "MetricName": definition["Name"],
                    "Dimensions": named,
                    "Timestamp": at,
                    "Unit": definition.get("Unit", "None"),
                    **_values(document[definition["Name"]]),
                },
            )


def _values(value: float | list[float]) -> dict[str, Any]:
    if isinstance(value, list):
        return {"Values": [float(each) for each in value], "Counts": [1.0] * len(value)}
    return {"Value": float(value)}
