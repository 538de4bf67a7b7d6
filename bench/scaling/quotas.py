"""AWS's published limits, each with the page that publishes it (read in November 2026)."""

from __future__ import annotations

from dataclasses import dataclass, fields

SOURCES = {
    "concurrency": "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
    "scale_up": "https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html",
    "scale_up_every_s": "https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html",
    "pollers_at_first": "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
    "pollers_per_minute": "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
    "pollers_at_most": "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
    "memory_mb_per_vcpu": (
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
    ),
    "partition_write_units": (
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html"
    ),
    "partition_read_units": (
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html"
    ),
    "prefix_writes": (
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html"
    ),
    "prefix_reads": (
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html"
    ),
}


@dataclass(frozen=True, slots=True)
class Quotas:
    """Defaults of a new region; `SOURCES` names each one's page."""

    concurrency: int = 1000
    """Executions at once, of all functions of an account in a region; may be raised."""
    scale_up: int = 1000
    """New execution environments of one function …"""
    scale_up_every_s: float = 10.0
    """… in so many seconds, refilled continuously, not saved up."""
    pollers_at_first: int = 5
    """Batches that a queue's event source mapping handles at once when messages come up."""
    pollers_per_minute: int = 300
    """How many more each minute as long as messages wait."""
    pollers_at_most: int = 1000
    """Of one mapping; also the largest `MaximumConcurrency`."""
    memory_mb_per_vcpu: int = 1769
    partition_write_units: int = 1000
    """DynamoDB, each second."""
    partition_read_units: int = 3000
    prefix_writes: int = 3500
    """S3, PUT/COPY/POST/DELETE each second."""
    prefix_reads: int = 5500


assert set(SOURCES) == {spec.name for spec in fields(Quotas)}
