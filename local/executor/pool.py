"""The processes of one function version: one for each concurrent invocation, used again warm."""

from __future__ import annotations

import functools
import os
import threading
import time
from pathlib import Path

from local.executor.instance import EventNotTakenError, Instance, exit_error
from local.executor.logs import LogFile, ProcessLog
from local.executor.process import LaunchError
from local.executor.settings import Settings
from local.executor.shipper import Shipper
from local.executor.spec import FunctionSpec, Result
from local.runtime_api.messages import MAX_REQUEST_BYTES, Event, error_payload

_ATTEMPTS = 2
_STARTS = os.cpu_count() or 1
"""Processes that start at once: more than there are processors would only start later, all."""


class PayloadTooLargeError(Exception):
    """The event is longer than Lambda takes."""


class PoolClosedError(Exception):
    """The function version has been replaced, deleted or shut down."""


class FunctionPool:
    """Thread-safe."""

    def __init__(
        self, spec: FunctionSpec, settings: Settings, file: LogFile, shipper: Shipper, tmp: Path
    ) -> None:
        self.spec = spec
        self._settings = settings
        self._file = file
        self._shipper = shipper
        self._tmp = tmp
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._idle: list[Instance] = []
        self._all: set[Instance] = set()
        self._starting: set[str] = set()
        """Ids of the requests for which a process is starting."""
        self._closed = False
        self._slots = threading.BoundedSemaphore(settings.max_processes)

    def invoke(self, event: Event) -> Result:
        """Runs the function once; waits while all `max_processes` are busy.

        A process that ends before it has the event (killed while it was idle, crashed while it
        started) is replaced once. Raises `PayloadTooLargeError`, `PoolClosedError`.
        """
        if len(event.payload) > MAX_REQUEST_BYTES:
            raise PayloadTooLargeError(
                f"{len(event.payload)} byte payload is too large for the RequestResponse "
                f"invocation type (limit {MAX_REQUEST_BYTES} bytes)"
            )
        reason = ""
        with self._slots:
            for _ in range(_ATTEMPTS):
                try:
                    return self._once(event)
                except EventNotTakenError as error:
                    reason = str(error)
                except LaunchError as error:
                    payload = error_payload("Runtime.InvalidEntrypoint", str(error))
                    return Result(payload, is_error=True, log_tail=str(error))
        return Result(exit_error(event, reason), is_error=True, log_tail=reason)

    def evict(self, idle_s: float) -> None:
        """Stops processes that have been idle for longer than `idle_s`."""
        limit_s = time.monotonic() - idle_s
        with self._lock:
            old = [instance for instance in self._idle if instance.idle_since_s <= limit_s]
            self._idle = [instance for instance in self._idle if instance not in old]
        for instance in old:
            self._stop(instance)

    def close(self) -> None:
        """Takes no more events; idle processes end now, busy ones after their invocation."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
            idle, self._idle = self._idle, []
        for instance in idle:
            instance.terminate()
        for instance in idle:
            self._stop(instance)

    def instances(self) -> list[Instance]:
        """Every process there is, idle or busy."""
        with self._lock:
            return list(self._all)

    def _once(self, event: Event) -> Result:
        try:
            instance = self._take(event) or self._start(event)
            try:
                return instance.invoke(event)
            finally:
                self._give_back(instance)
        finally:
            self._up(event)  # one that ended before it was up

    def _take(self, event: Event) -> Instance | None:
        """An idle process; None: one is to be started. Waits while enough are starting: a burst
        is over sooner when those that are up take it than when each event starts a process."""
        with self._changed:
            while True:
                if self._closed:
                    raise PoolClosedError(self.spec.name)
                while self._idle:
                    instance = self._idle.pop()  # the one used last: the others grow old
                    if not instance.gone.is_set():
                        return instance
                    self._all.discard(instance)
                if len(self._starting) < _STARTS:
                    self._starting.add(event.request_id)
                    return None
                self._changed.wait()

    def _start(self, event: Event) -> Instance:
        spec = self.spec
        log = ProcessLog(spec.name, spec.version, spec.region, self._file, self._shipper)
        on_ready = functools.partial(self._up, event)
        instance = Instance(spec, self._settings, log, self._tmp, on_ready)
        with self._lock:
            self._all.add(instance)
        return instance

    def _up(self, event: Event) -> None:
        """The process that was started for an event, if one was, starts no longer."""
        with self._changed:
            if event.request_id in self._starting:
                self._starting.remove(event.request_id)
                self._changed.notify_all()

    def _give_back(self, instance: Instance) -> None:
        with self._lock:
            if instance.usable and not self._closed:
                self._idle.append(instance)
                self._changed.notify()
                return
        if instance.usable:
            self._stop(instance)
        else:
            instance.kill()
            with self._lock:
                self._all.discard(instance)

    def _stop(self, instance: Instance) -> None:
        instance.stop(self._settings.stop_grace_s)
        with self._lock:
            self._all.discard(instance)
