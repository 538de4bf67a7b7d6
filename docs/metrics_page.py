"""Writes docs/reference/metrics.md: `python docs/metrics_page.py`. A test compares it."""

from __future__ import annotations

from pathlib import Path

from millrace.exposition import families
from millrace.metrics import NAMESPACE, Metric

PAGE = Path(__file__).resolve().parent / "reference" / "metrics.md"


def text() -> str:
    """The whole page."""
    told = "\n".join(
        f"| `{metric.title}` | {metric.unit.value} | {', '.join(metric.dimensions)} | "
        f"{metric.meaning} |"
        for metric in Metric
    )
    scraped = "\n".join(f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in families())
    return f"""<!-- Made by `python docs/metrics_page.py`; do not edit. -->

# Metrics

## CloudWatch

Namespace `{NAMESPACE}`. Functions and API write them to their logs in Embedded Metric Format;
CloudWatch makes metrics of them, on one machine as well as on AWS:

```bash
aws cloudwatch get-metric-statistics --namespace {NAMESPACE} --metric-name VideosCompleted \\
  --dimensions Name=service,Value=publish --period 60 --statistics Sum \\
  --start-time "$(date -u -d '1 hour ago' +%FT%TZ)" --end-time "$(date -u +%FT%TZ)"
```

`service` is the function that wrote it. What is sampled is written by `monitor`, every minute.

| metric | unit | dimensions | meaning |
|---|---|---|---|
{told}

## Prometheus

`GET /metrics`, with a token of the role `metrics`. Counters of videos, tasks and work are exact:
they are counted in the transaction of each move. Those of requests (`millrace_api_…`,
`millrace_signal_…`) are added up by each process and told with its next request, once a second at
most: a process that rests keeps those of its last second until it is asked again, and loses them
if it ends before. Reading costs the same, however many requests, processes and videos there were.

| metric | type | meaning |
|---|---|---|
{scraped}
"""


if __name__ == "__main__":
    PAGE.write_text(text())
