"""Between every AWS client of the process and the pretended AWS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import botocore.client

from tests.unit.core import shortcuts
from tests.unit.core.database import Database

READING = ("Get", "Head", "List", "Query", "Scan", "BatchGet", "Describe", "Receive")
_BASE_CLIENT: Any = botocore.client.BaseClient


def _is_aside(arguments: Any) -> bool:
    """What a worker tells of itself: nothing depends on it, so that dying before it is as dying
    before the next change."""
    pk = arguments.get("Item", {}).get("pk", {})
    return isinstance(pk, dict) and str(pk.get("S")).startswith("WORKERS#")


class Crash(BaseException):
    """The process was killed: nothing of it runs on."""


class Wire:
    """Serialises the calls (moto is not made for threads), counts them, and can kill the process
    at the n-th."""

    def __init__(self, database: Database) -> None:
        self._lock = threading.RLock()
        self._by_moto = _BASE_CLIENT._make_api_call
        self._database = database
        self._real: Callable[[Any, str, Any], Any] = self._answer
        self.moments: list[str] = []
        """The moments at which functions could have died."""
        self.kill_at: int | None = None
        """Die at this one, counted from 1."""
        self._last, self._run = "", 0
        self.dead = False
        self.in_function = False
        self.on_call: Callable[[str], None] | None = None

    def call(self, client: Any, operation: str, arguments: Any) -> Any:
        with self._lock:
            if self.dead:
                raise Crash(operation)
            if self.on_call is not None:
                self.on_call(operation)
            if self.in_function and not operation.startswith(READING) and not _is_aside(arguments):
                self._before_change(operation)
            return self._real(client, operation, arguments)

    def _answer(self, client: Any, operation: str, arguments: Any) -> Any:
        if self._database.answers(operation):
            return self._database.call(client, operation, arguments)
        if shortcuts.knows(operation, arguments):
            return shortcuts.call(operation, arguments)
        return self._by_moto(client, operation, arguments)

    def _before_change(self, operation: str) -> None:
        """The moments at which dying makes a difference: before a change (after a mere look all is
        as it was before), and of a run of equal writes to S3 only before the first two."""
        self._run = self._run + 1 if operation == self._last == "PutObject" else 0
        self._last = operation
        if self._run < 2:
            self._moment(f"before {operation}")

    def moment(self, what: str) -> None:
        """A change outside of AWS: a function may die before it, too."""
        with self._lock:
            if self.dead:
                raise Crash(what)
            if self.in_function:
                self._moment(what)

    def _moment(self, what: str) -> None:
        self.moments.append(what)
        if len(self.moments) == self.kill_at:
            self.dead = True
            raise Crash(what)

    @contextmanager
    def function(self) -> Iterator[None]:
        """What is called inside is called by a function; it may die at its very end, too."""
        self.in_function = True
        try:
            yield
            self._moment("before the acknowledgement")
        finally:
            self.in_function = self.dead = False

    @contextmanager
    def attached(self) -> Iterator[None]:
        def call(client: Any, operation: str, arguments: Any) -> Any:
            return self.call(client, operation, arguments)

        with mock.patch.object(_BASE_CLIENT, "_make_api_call", call):
            yield
