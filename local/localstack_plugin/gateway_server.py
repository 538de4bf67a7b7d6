"""LocalStack's gateway behind cheroot instead of Twisted, which takes three quarters of a request's
CPU for the HTTP around it. Selected by GATEWAY_SERVER=millrace.

HTTP alone, on the addresses of GATEWAY_LISTEN: nothing on this machine asks for TLS or WebSockets.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, no-any-return"

from __future__ import annotations

import logging
import threading
from typing import Any

from cheroot.wsgi import Server
from localstack import config
from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin
from rolo.gateway import Gateway
from rolo.gateway.wsgi import WsgiGateway

THREADS = 256
"""Requests at once. Far more than wait for each other: an invocation through the API holds one
while its function needs others."""
KEEP_ALIVE_S = 120
_WAITING_CONNECTIONS = 512
_STOP_TIMEOUT_S = 5

log = logging.getLogger(__name__)


class ThreadedServerPlugin(RuntimeServerPlugin):
    """How LocalStack finds it."""

    name = "millrace"

    def load(self, *_args: Any, **_kwargs: Any) -> RuntimeServer:
        return ThreadedServer()


class ThreadedServer(RuntimeServer):
    """A thread for each request under way."""

    def __init__(self) -> None:
        self._servers: list[Server] = []

    def register(
        self,
        gateway: Gateway,
        listen: list[config.HostAndPort],
        ssl_creds: tuple[str, str] | None = None,  # noqa: ARG002 - LocalStack's signature
    ) -> None:
        """Serve a gateway at some addresses, without TLS."""
        for address in listen:
            server = Server(
                (address.host, address.port),
                WsgiGateway(gateway),
                numthreads=THREADS,
                request_queue_size=_WAITING_CONNECTIONS,
                timeout=KEEP_ALIVE_S,
                shutdown_timeout=_STOP_TIMEOUT_S,
            )
            server.error_log = _log
            server.keep_alive_conn_limit = _WAITING_CONNECTIONS
            self._servers.append(server)

    def run(self) -> None:
        """Until `shutdown`."""
        for server in self._servers:
            server.prepare()
        threads = [threading.Thread(target=server.serve) for server in self._servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def shutdown(self) -> None:
        for server in self._servers:
            server.stop()


def _log(message: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
    log.log(level, message, exc_info=traceback)
