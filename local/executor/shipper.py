"""Sends log lines to CloudWatch Logs and metrics to CloudWatch in batches, from its own thread."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from local.executor.emf import Metric

LOG = logging.getLogger(__name__)

_GATHER_S = 3.0
"""How long to let more lines come: a request takes as long for one as for a hundred."""
_MAX_EVENTS = 1_000
_MAX_BYTES = 900_000
"""PutLogEvents takes 1 MiB, counting 26 bytes for each event."""
_MAX_METRICS = 500

Clients = Callable[[str, str], Any]
"""(service, region) → boto3 client."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One CloudWatch Logs event and where it belongs."""

    region: str
    group: str
    stream: str
    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class _Flush:
    done: threading.Event


_Item = LogLine | tuple[str, Metric] | _Flush


class Shipper:
    """What cannot be delivered is dropped with a warning: the log files have every line."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._wake = threading.Event()
        self._closed = False
        threading.Thread(target=self._run, name="function-telemetry", daemon=True).start()

    def log(self, line: LogLine) -> None:
        """Queues a log event; empty ones, which CloudWatch refuses, are left out."""
        if line.text.strip():
            self._queue.put(line)

    def metric(self, region: str, metric: Metric) -> None:
        """Queues a metric."""
        self._queue.put((region, metric))

    def close(self, timeout_s: float) -> None:
        """Sends what is queued and takes no more: a service that was called for the first time
        while the cloud shuts down would start, and keep it from ending."""
        self.flush(timeout_s)
        self._closed = True

    def flush(self, timeout_s: float) -> bool:
        """Waits until everything queued before has been sent; False if that took too long."""
        marker = _Flush(threading.Event())
        self._queue.put(marker)
        self._wake.set()
        return marker.done.wait(timeout_s)

    def _run(self) -> None:
        while True:
            items = [self._queue.get()]
            self._wake.wait(_GATHER_S)
            self._wake.clear()
            with contextlib.suppress(Empty):
                while True:
                    items.append(self._queue.get_nowait())
            self._send(items)

    def _send(self, items: list[_Item]) -> None:
        streams: dict[tuple[str, str, str], list[LogLine]] = defaultdict(list)
        namespaces: dict[tuple[str, str], list[Metric]] = defaultdict(list)
        for item in items:
            if isinstance(item, LogLine):
                streams[item.region, item.group, item.stream].append(item)
            elif isinstance(item, tuple):
                namespaces[item[0], item[1].namespace].append(item[1])
        for lines in streams.values():
            self._guarded(self._put_lines, lines)
        for (region, _), metrics in namespaces.items():
            self._guarded(self._put_metrics, region, metrics)
        for item in items:
            if isinstance(item, _Flush):
                item.done.set()

    def _guarded(self, send: Callable[..., None], *arguments: Any) -> None:
        if self._closed:
            return
        try:
            send(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever a client raises, the thread goes on
            LOG.warning("function telemetry was not delivered: %s", error)

    def _put_lines(self, lines: list[LogLine]) -> None:
        logs = self._clients("logs", lines[0].region)
        where = {"logGroupName": lines[0].group, "logStreamName": lines[0].stream}
        for batch in _batches(lines):
            events = [{"timestamp": line.at_ms, "message": line.text} for line in batch]
            try:
                logs.put_log_events(**where, logEvents=events)
            except logs.exceptions.ResourceNotFoundException:
                with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                    logs.create_log_group(logGroupName=where["logGroupName"])
                with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                    logs.create_log_stream(**where)
                logs.put_log_events(**where, logEvents=events)

    def _put_metrics(self, region: str, metrics: list[Metric]) -> None:
        cloudwatch = self._clients("cloudwatch", region)
        for start in range(0, len(metrics), _MAX_METRICS):
            batch = metrics[start : start + _MAX_METRICS]
            cloudwatch.put_metric_data(
                Namespace=batch[0].namespace, MetricData=[metric.datum for metric in batch]
            )


def _batches(lines: Iterable[LogLine]) -> Iterator[list[LogLine]]:
    batch: list[LogLine] = []
    size = 0
    # A stream's events must be in order of time.
    for line in sorted(lines, key=lambda line: line.at_ms):
        weight = len(line.text.encode()) + 26
        if batch and (size + weight > _MAX_BYTES or len(batch) == _MAX_EVENTS):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += weight
    yield batch
