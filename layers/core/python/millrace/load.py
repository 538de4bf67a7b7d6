"""What the worker's processes use, read from Linux's /proc (elsewhere: unknown)."""

from __future__ import annotations

import os
import time
from pathlib import Path

from millrace.tasks import Load

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


class Meter:
    """CPU since the last reading and memory now, of this process and the engine."""

    def __init__(self) -> None:
        self._engine_pid: int | None = None
        self._before = (time.monotonic(), self._cpu_s())

    def watch(self, engine_pid: int | None) -> None:
        """Count this process, too, from now on; None: only ourselves."""
        self._engine_pid = engine_pid

    def read(self) -> Load:
        at, cpu_s = time.monotonic(), self._cpu_s()
        before_at, before_cpu_s = self._before
        self._before = (at, cpu_s)
        if cpu_s is None:
            return Load()
        percent = None
        if before_cpu_s is not None and at > before_at:
            # An engine that ended in between takes its seconds with it.
            percent = max(0.0, 100 * (cpu_s - before_cpu_s) / (at - before_at))
        return Load(percent, sum(_memory_bytes(pid) for pid in self._pids()))

    def _pids(self) -> list[int]:
        return [os.getpid(), *([self._engine_pid] if self._engine_pid else [])]

    def _cpu_s(self) -> float | None:
        seconds = [_cpu_s(pid) for pid in self._pids()]
        known = [value for value in seconds if value is not None]
        return sum(known) if known else None


def _cpu_s(pid: int) -> float | None:
    try:
        # The command's name may hold spaces and brackets: count the fields after its last one.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    except (OSError, IndexError, ValueError):
        return None


def _memory_bytes(pid: int) -> int:
    try:
        pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
