"""What calls need beside the deployed stack on one machine, kept alive: the WebSocket gateway, and
a relay if one is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from cli.console import console

_LOOK_EVERY_S = 0.2
_PAUSE_S = 1.0
"""Before a program that died is started again."""


class Running(Protocol):
    def alive(self) -> bool: ...

    def stop(self) -> None: ...


class Kept:
    """A program, from `start` to `stop`. If it dies by itself it is started again: browsers come
    back by themselves.

    Args:
        name: as a person reads it.
        begin: starts the program and returns when it serves.
    """

    def __init__(self, name: str, begin: Callable[[], Running]) -> None:
        self._name = name
        self._begin = begin
        self._stop = threading.Event()
        self._up = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    def start(self) -> None:
        """Return when it serves.

        Raises:
            local.server.CloudError: it does not start.
        """
        self._thread.start()
        self._up.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Whether it was started or not."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(10)

    def _keep(self) -> None:
        """In one thread for good: the program lives no longer than the thread that began it."""
        while not self._stop.is_set():
            try:
                program = self._begin()
            except Exception as error:  # noqa: BLE001 - told to whoever waits, or tried again
                if not self._up.is_set():
                    self._failure = error
                    self._up.set()
                    return
                self._stop.wait(_PAUSE_S)
                continue
            self._up.set()
            while program.alive() and not self._stop.wait(_LOOK_EVERY_S):
                pass
            if not self._stop.is_set():
                console.print(f"[bad]✗[/] the {self._name} died; starting it again")
            program.stop()
