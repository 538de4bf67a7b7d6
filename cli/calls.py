"""What calls need beside the deployed stack on one machine: the WebSocket gateway, kept alive."""

from __future__ import annotations

import threading

from cli.console import console
from local.websocket_gateway import launcher

_LOOK_EVERY_S = 0.2
_PAUSE_S = 1.0
"""Before a gateway that died is started again."""


class Calls:
    """The gateway, from `start` to `stop`. If it dies by itself it is started again: browsers come
    back by themselves, and calls go on meanwhile."""

    def __init__(self, config: launcher.GatewayConfig) -> None:
        self._config = config
        self._stop = threading.Event()
        self._up = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._keep, name="websocket-gateway", daemon=True)

    def start(self) -> None:
        """Return when sockets are served.

        Raises:
            local.server.CloudError: the gateway does not start.
        """
        self._thread.start()
        self._up.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _keep(self) -> None:
        """In one thread for good: the gateway lives no longer than the thread that began it."""
        while not self._stop.is_set():
            try:
                gateway = launcher.start(self._config)
            except Exception as error:  # noqa: BLE001 - told to whoever waits, or tried again
                if not self._up.is_set():
                    self._failure = error
                    self._up.set()
                    return
                self._stop.wait(_PAUSE_S)
                continue
            self._up.set()
            while gateway.alive() and not self._stop.wait(_LOOK_EVERY_S):
                pass
            if not self._stop.is_set():
                console.print("[bad]✗[/] the WebSocket gateway died; starting it again")
            gateway.stop()
