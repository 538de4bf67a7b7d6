"""Metrics by name, as docs/reference/metrics.md lists them."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "Millrace"


def series(name: str, statistic: str, period: Duration, **dimensions: str) -> cloudwatch.Metric:
    """One of ours. It has no label: CDK makes a metric expression of an alarm on one that has.

    Args:
        dimensions: all that it has.
    """
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
    )


def lambda_series(function: str, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
    """One that AWS keeps for every function."""
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=name,
        dimensions_map={"FunctionName": function},
        statistic=statistic,
        period=period,
    )
