"""One POST to an address that is not trusted: connected to a checked address, no redirects, no
proxies, bounded in time and in what is read of the answer."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from millrace import targets
from millrace.targets import BadTarget, Policy, Target

LIMIT_S = 10.0
"""From the first connection to the end of the answer; looking up the name comes before."""
_READ_BYTES = 16 * 1024
"""Of the answer's body, and thrown away: only the status counts. Nothing of it is kept, so that
the log of deliveries is no window into other networks."""

_SHORTEST_S = 0.001
"""A time limit of 0 would mean: do not wait at all."""


class Failure(StrEnum):
    """Why there is no status."""

    TARGET_REFUSED = "TARGET_REFUSED"
    NAME_NOT_FOUND = "NAME_NOT_FOUND"
    CONNECTION_FAILED = "CONNECTION_FAILED"
    TLS_FAILED = "TLS_FAILED"
    TIMEOUT = "TIMEOUT"
    BAD_ANSWER = "BAD_ANSWER"
    INTERRUPTED = "INTERRUPTED"
    """Whoever sent it died, so nobody knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: a status, or the reason why there is none."""

    status: int | None = None
    failure: Failure | None = None
    retry_after_s: int | None = None
    duration_ms: int = 0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: Policy,
    *,
    tls: ssl.SSLContext | None = None,
    limit_s: float = LIMIT_S,
) -> Answer:
    """Send a body. Nothing is raised for what the other side does.

    Args:
        policy: which hosts may be called; the name is looked up once and all of its addresses
            are checked.
        tls: instead of the system's certificates (tests).
        limit_s: for all of it but the look-up.
    """
    began = time.monotonic()
    answer = _attempt(url, body, headers, policy, tls or _system_tls(), limit_s)
    took_ms = round(1000 * (time.monotonic() - began))
    return Answer(answer.status, answer.failure, answer.retry_after_s, took_ms)


def _attempt(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: Policy,
    tls: ssl.SSLContext,
    limit_s: float,
) -> Answer:
    try:
        target = targets.parse(url, policy)
        addresses = targets.resolve(target, policy)
    except BadTarget:
        return Answer(failure=Failure.TARGET_REFUSED)
    except (OSError, UnicodeError):
        return Answer(failure=Failure.NAME_NOT_FOUND)
    connection = _Connection(target, addresses, tls, limit_s)
    try:
        with connection:
            return connection.exchange(body, headers)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(failure=Failure.TIMEOUT if connection.is_late else _failure(error))


def _failure(error: Exception) -> Failure:
    if isinstance(error, ssl.SSLError):
        return Failure.TLS_FAILED
    if isinstance(error, TimeoutError):
        return Failure.TIMEOUT
    if isinstance(error, http.client.HTTPException | ValueError):
        return Failure.BAD_ANSWER
    return Failure.CONNECTION_FAILED


@cache
def _system_tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Connection(http.client.HTTPConnection):
    """To given addresses instead of a name. Socket timeouts begin anew with every byte, so a
    watchdog ends all of it when the time is up."""

    def __init__(
        self,
        target: Target,
        addresses: Sequence[tuple[str, int]],
        tls: ssl.SSLContext,
        limit_s: float,
    ) -> None:
        super().__init__(target.host, target.port, timeout=limit_s)
        self._target, self._addresses, self._tls = target, addresses, tls
        self._watchdog = threading.Timer(limit_s, self._end)
        self._watchdog.daemon = True
        self._deadline = time.monotonic() + limit_s
        self._wire: socket.socket | None = None
        """What the watchdog cuts: `sock` is forgotten where an answer ends with the connection."""
        self.is_late = False

    def __enter__(self) -> _Connection:
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        self.close()

    def exchange(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.request("POST", self._target.path, body, {"Host": self._target.authority, **headers})
        response = self.getresponse()
        response.read(_READ_BYTES)
        after = response.headers.get("Retry-After", "")
        retry_after_s = int(after) if re.fullmatch("[0-9]{1,6}", after) else None
        if self.is_late:
            raise TimeoutError
        return Answer(response.status, retry_after_s=retry_after_s)

    def connect(self) -> None:
        self.sock = self._wire = self._connected()
        if self._target.secure:
            # The name, not the address, is what the certificate must be for.
            secured = self._tls.wrap_socket(
                self.sock, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self.sock = self._wire = secured
            if self.is_late:
                raise TimeoutError
            secured.do_handshake()

    def _connected(self) -> socket.socket:
        """To the first address that answers; those before it get an equal share of the time."""
        waiting = list(self._addresses)
        while True:
            address = waiting.pop(0)
            left_s = max(self._deadline - time.monotonic(), _SHORTEST_S)
            try:
                found = socket.create_connection(address, timeout=left_s / (len(waiting) + 1))
            except OSError:
                if not waiting:
                    raise
            else:
                found.settimeout(left_s)
                return found

    def _end(self) -> None:
        self.is_late = True
        if self._wire is not None:
            try:
                socket.socket.shutdown(self._wire, socket.SHUT_RDWR)
            except OSError:
                return  # closed a moment ago
