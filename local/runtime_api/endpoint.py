"""State of one process's Runtime API: which event it has, and what it said about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from local.runtime_api.messages import (
    MAX_RESPONSE_BYTES,
    Event,
    Kind,
    Signal,
    error_payload,
)


class RefusedError(Exception):
    """The runtime broke the protocol; carries the HTTP answer."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_payload(error_type, message)


class Endpoint:
    """At most one event is with the process at a time; signals come out in order."""

    def __init__(self, on_taken: Callable[[Event], None] | None = None) -> None:
        """`on_taken` runs before the event leaves for the process: nothing it logs comes later."""
        self.signals: SimpleQueue[Signal] = SimpleQueue()
        self._on_taken = on_taken
        self._changed = threading.Condition()
        self._offered: Event | None = None
        self._current: Event | None = None
        self._asked = False
        self._closed = False

    def offer(self, event: Event) -> None:
        """Hands the next event to the process as soon as it asks."""
        with self._changed:
            self._offered = event
            self._changed.notify_all()

    def withdraw(self) -> None:
        """Forgets the event: answers to it are refused from here on."""
        with self._changed:
            self._offered = self._current = None

    def close(self) -> None:
        """Lets every waiting connection end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_for_event(self) -> Event | None:
        """The runtime asks for its next event; None when the endpoint closes."""
        with self._changed:
            if self._current is not None:
                message = "the previous event has not been answered"
                raise RefusedError(403, "InvalidStateTransition", message)
            if not self._asked:
                self._asked = True
                self.report(Kind.READY)
            while self._offered is None and not self._closed:
                self._changed.wait()
            return None if self._closed else self._offered

    def taken(self, event: Event) -> bool:
        """Marks the event as being with the process; False if it was withdrawn meanwhile."""
        with self._changed:
            if self._offered is not event:
                return False
            self._offered, self._current = None, event
            if self._on_taken is not None:
                self._on_taken(event)
            self.report(Kind.TAKEN)
            return True

    def answer(self, request_id: str, kind: Kind, payload: bytes | None) -> None:
        """Takes the runtime's answer; `payload` is None when it was longer than allowed."""
        with self._changed:
            if self._current is None or self._current.request_id != request_id:
                raise RefusedError(400, "InvalidRequestID", "Invalid request ID")
            self._current = None
            if payload is not None:
                self.report(kind, payload)
                return
            message = (
                f"Response payload size exceeded maximum allowed payload size "
                f"({MAX_RESPONSE_BYTES} bytes)."
            )
            too_large = error_payload("Function.ResponseSizeTooLarge", message)
            self.report(Kind.TOO_LARGE, too_large)
            raise RefusedError(413, "RequestEntityTooLarge", message)

    def report(self, kind: Kind, payload: bytes = b"") -> None:
        """Puts a signal into the queue."""
        self.signals.put(Signal(kind, payload, time.monotonic()))
