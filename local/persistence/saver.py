"""Saves a service's state soon after it changed, and tells who waits for it.

Plain Python: `take` makes the bytes, `write` puts them on the disk; neither is known here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

LOG = logging.getLogger(__name__)

SETTLE_S = (0.3, 1.0, 3.0, 10.0)
"""When a service is looked at again: some go on changing after they have answered."""
SHARE = 4.0
"""A service is left alone for this many times as long as saving it took."""
ATTEMPTS = 8


@dataclass
class _Progress:
    wanted: int = 0
    saved: int = 0
    last: bytes = b""
    not_before: float = 0.0
    due: list[float] = field(default_factory=list)

    def next_at(self) -> float | None:
        """Monotonic time of the next save; None when there is nothing to do."""
        if self.wanted > self.saved:
            return self.not_before
        return max(self.not_before, self.due[0]) if self.due else None


class Saver:
    """One thread that saves; any number that mark changes and wait."""

    def __init__(self, take: Callable[[str], bytes], write: Callable[[str, bytes], None]) -> None:
        self._take = take
        self._write = write
        self._services: dict[str, _Progress] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="millrace-state", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Save what is outstanding and end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(10)

    def mark(self, service: str) -> int:
        """Note a change; the ticket `wait` takes."""
        with self._changed:
            progress = self._services.setdefault(service, _Progress())
            progress.wanted += 1
            self._changed.notify_all()
            return progress.wanted

    def wait(self, service: str, ticket: int, timeout_s: float) -> bool:
        """Until the change is on the disk; False when it was not within the time."""
        with self._changed:
            progress = self._services[service]
            return self._changed.wait_for(lambda: progress.saved >= ticket, timeout_s)

    def _run(self) -> None:
        while (service := self._next()) is not None:
            self._save(service)

    def _next(self) -> str | None:
        """Waits for a service whose time has come; None when stopped and all is saved."""
        with self._changed:
            while True:
                plans = {
                    n: at for n, p in self._services.items() if (at := p.next_at()) is not None
                }
                if self._stopped:
                    plans = {n: 0.0 for n, p in self._services.items() if p.wanted > p.saved}
                    if not plans:
                        return None
                if plans:
                    service = min(plans, key=lambda name: plans[name])
                    pause = plans[service] - time.monotonic()
                    if pause <= 0:
                        return service
                    self._changed.wait(pause)
                else:
                    self._changed.wait()

    def _save(self, service: str) -> None:
        progress = self._services[service]
        started = time.monotonic()
        wanted = progress.wanted
        try:
            data = self._taken(service)
            changed = data != progress.last
            if changed:
                self._write(service, data)
                progress.last = data
        except Exception:  # whatever it was, the other services must be saved
            LOG.exception("the state of %s could not be saved", service)
            changed = False
        ended = time.monotonic()
        with self._changed:
            progress.saved = max(progress.saved, wanted)
            progress.not_before = ended + SHARE * (ended - started)
            again = [ended + pause for pause in SETTLE_S] if changed else progress.due
            progress.due = [at for at in again if at > ended]
            self._changed.notify_all()

    def _taken(self, service: str) -> bytes:
        """Other threads may change a collection while it is read: then once more."""
        for attempt in range(ATTEMPTS):
            try:
                return self._take(service)
            except RuntimeError:
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(0.005 * 2**attempt)
        raise AssertionError
