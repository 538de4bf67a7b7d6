"""The heartbeat of a running task: tells the table that its worker lives and how far it is, keeps
the message invisible, and notices within seconds when the work is no longer wanted."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable
from types import TracebackType

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from millrace import seats, tasks, videos, workers
from millrace.engine import Stop
from millrace.errors import RetryableError, TransitionRefused
from millrace.load import Meter
from millrace.metrics import Metric, tell
from millrace.seats import LOST_AFTER_S, Seat
from millrace.tasks import Lease, Load

VISIBILITY_S = 90
"""A worker's message shows up again this long after its last extension: far sooner than the
queue's own visibility timeout would bring it back when the worker dies."""
LOOK_EVERY_S = 3.0
"""A worker sees this soon, at the latest, that nobody wants its work any more."""
_EXTEND_EVERY_S = 25.0
_LONGEST_INTERVAL_S = 20.0
_UNAVAILABLE = (PynamoDBException, BotoCoreError, ClientError, RetryableError)

log = Logger(child=True)


def interval_s(shortest_s: float, tasks_total: int) -> float:
    """Seconds between two beats. Many workers of one video write to its item: each of them less
    often, but never anywhere near the 30 s a heartbeat may take at most."""
    return min(max(shortest_s, tasks_total / 25), _LONGEST_INTERVAL_S)


class Heart:
    """Beats in a thread of its own while used as a context manager."""

    def __init__(
        self, lease: Lease, units: int, stop: Stop, hold: Callable[[int], None], every_s: float
    ) -> None:
        """
        Args:
            units: weight of the task.
            stop: is set when the work is no longer wanted.
            hold: keeps the message invisible for so many seconds.
            every_s: seconds between two beats.
        """
        self.meter = Meter()
        self._lease, self._units, self._stop, self._hold = lease, units, stop, hold
        self._every_s = every_s
        self._reached = self._told = 0
        self._seat = Seat.FIRST
        self._load = Load()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
        self._last_beat = self._last_hold = time.monotonic()

    def progress(self, percent: float) -> None:
        """How far the task is, 0 to 100."""
        self._reached = max(self._reached, int(self._units * min(max(percent, 0), 100) / 100))

    def __enter__(self) -> Heart:
        workers.at_work(self._lease, 0, self._load)
        self._extend()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        workers.idle(self._lease)
        used = {
            Metric.WORKER_CPU: self._load.cpu_percent,
            Metric.WORKER_MEMORY: self._load.memory_bytes,
        }
        known = {metric: value for metric, value in used.items() if value is not None}
        tell(known, kind=self._lease.task.kind.value)

    @property
    def _percent(self) -> int:
        return 100 * self._reached // self._units if self._units else 0

    def _run(self) -> None:
        looks = math.ceil(self._every_s / LOOK_EVERY_S)
        for turn in itertools.count(1):
            if self._ended.wait(self._every_s / looks):
                return
            try:
                if turn % looks == 0:
                    self._beat()
                self._look()
            except _UNAVAILABLE as error:
                log.warning("heartbeat.failed", extra={"error": type(error).__name__})
                if time.monotonic() - self._last_beat > LOST_AFTER_S:
                    # Whoever watches has taken us for dead by now.
                    self._stop.set("no heartbeat could be written for too long")
                    return
            if self._stop.cause is not None:
                return

    def _beat(self) -> None:
        load = self._load = self.meter.read()
        workers.at_work(self._lease, self._percent, load)
        try:
            self._told = tasks.beat(self._lease, self._told, self._reached, load, self._seat)
        except TransitionRefused:
            if not self._resync():
                return
        self._last_beat = time.monotonic()
        if time.monotonic() - self._last_hold > _EXTEND_EVERY_S:
            self._extend()

    def _look(self) -> None:
        """Reading is cheap and writing is not: with many workers, looks are more often."""
        status = videos.glance(self._lease.task.video_id)
        if status not in videos.ACTIVE:
            self._stop.set(f"the video is {status or 'gone'}")

    def _resync(self) -> bool:
        """A beat was refused: its answer was lost before, there is another worker beside us, or
        the task is not ours."""
        task = tasks.get(self._lease.task)
        seat = seats.seat_of(task, self._lease.attempt) if task else None
        if task is None or seat is None or not tasks.is_held(task, self._lease):
            self._stop.set("the task is not ours any more")
            return False
        self._told, self._seat = int(task.units_done), seat
        return True

    def _extend(self) -> None:
        try:
            self._hold(VISIBILITY_S)
            self._last_hold = time.monotonic()
        except (BotoCoreError, ClientError) as error:
            # The message may be delivered a second time, which does no harm.
            log.warning("visibility.failed", extra={"error": type(error).__name__})
