"""Where the lines of functions go: a file for each function, CloudWatch Logs, metrics, the tail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from local.executor.emf import Metric, metrics_in
from local.executor.shipper import LogLine, Shipper
from local.executor.variables import log_group

_TAIL_BYTES = 4096
_FILE_BYTES = 20_000_000
"""A log file is put aside as `.log.1` when it gets longer."""


class LogFile:
    """`<folder>/<function>.log`, shared by all processes of the function, flushed by the line."""

    def __init__(self, folder: Path, function: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{function}.log"
        self._lock = threading.Lock()
        self._file = self._path.open("a", encoding="utf-8")

    def write(self, lines: Iterable[str]) -> None:
        """Appends whole lines."""
        with self._lock:
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()
            if self._file.tell() > _FILE_BYTES:
                self._file.close()
                self._path.replace(self._path.with_suffix(".log.1"))
                self._file = self._path.open("a", encoding="utf-8")

    def close(self) -> None:
        """Lines after this are an error."""
        with self._lock:
            self._file.close()


class ProcessLog:
    """The log stream of one process."""

    def __init__(self, function: str, version: str, region: str, file: LogFile, shipper: Shipper):
        self.stream = f"{datetime.now(UTC):%Y/%m/%d}/[{version}]{uuid4().hex}"
        self._function = function
        self._group = log_group(function)
        self._region = region
        self._file = file
        self._shipper = shipper
        self._tail: list[str] = []
        self._tail_bytes = 0

    def begin(self) -> None:
        """Starts a new tail: what was logged before belongs to another invocation."""
        self._tail, self._tail_bytes = [], 0

    def output(self, lines: list[str]) -> None:
        """Lines the function wrote."""
        self._write(lines)
        for line in lines:
            for metric in metrics_in(line):
                self._shipper.metric(self._region, metric)

    def platform(self, line: str) -> None:
        """A line of Lambda itself: START, END, REPORT, …"""
        self._write([line])

    def count(self, duration_ms: float, *, failed: bool) -> None:
        """Adds an invocation to the metrics AWS keeps for every function."""
        at = datetime.now(UTC)
        values = {
            "Invocations": (1.0, "Count"),
            "Errors": (float(failed), "Count"),
            "Duration": (duration_ms, "Milliseconds"),
        }
        for name, (value, unit) in values.items():
            datum = {
                "MetricName": name,
                "Dimensions": [{"Name": "FunctionName", "Value": self._function}],
                "Timestamp": at,
                "Value": value,
                "Unit": unit,
            }
            self._shipper.metric(self._region, Metric("AWS/Lambda", datum))

    def tail(self) -> str:
        """The last 4 KB since `begin`."""
        text = "".join(f"{line}\n" for line in self._tail).encode()
        return text[-_TAIL_BYTES:].decode(errors="ignore")

    def _write(self, lines: list[str]) -> None:
        self._file.write(lines)
        at_ms = int(time.time() * 1000)
        for line in lines:
            self._shipper.log(LogLine(self._region, self._group, self.stream, at_ms, line))
            self._tail.append(line)
            self._tail_bytes += len(line)
            while self._tail_bytes - len(self._tail[0]) > _TAIL_BYTES:
                self._tail_bytes -= len(self._tail.pop(0))
