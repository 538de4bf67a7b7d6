"""What Prometheus reads, read by its own client."""

from __future__ import annotations

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families


def families_in(text: str) -> dict[str, Metric]:
    """Metric families by name."""
    found = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {family.name: family for family in found}
