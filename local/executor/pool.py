"""The processes of one function version: one for each concurrent invocation, used again warm."""

from __future__ import annotations

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
        self._idle: list[Instance] = []
        self._all: set[Instance] = set()
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
        instance = self._take()
        try:
            return instance.invoke(event)
        finally:
            self._give_back(instance)

    def _take(self) -> Instance:
        with self._lock:
            if self._closed:
                raise PoolClosedError(self.spec.name)
            while self._idle:
                instance = self._idle.pop()  # the one used last: the others grow old
                if not instance.gone.is_set():
                    return instance
                self._all.discard(instance)
        spec = self.spec
        log = ProcessLog(spec.name, spec.version, spec.region, self._file, self._shipper)
        instance = Instance(spec, self._settings, log, self._tmp)
        with self._lock:
            self._all.add(instance)
        return instance

    def _give_back(self, instance: Instance) -> None:
        with self._lock:
            if instance.usable and not self._closed:
                self._idle.append(instance)
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
