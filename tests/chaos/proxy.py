"""A proxy between the functions and the cloud that does what networks, AWS and death do.

Functions are given its address as their AWS_ENDPOINT_URL, so that it sees all they ask of DynamoDB,
S3 (the engine's reads, too) and SQS; what the cloud does inside itself it does not see. Clients
behind it keep their own view of host and path, so that signatures stay good.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp
import psutil
from aiohttp import web
from yarl import URL

from tests.chaos.faults import Fault, Faults, Request

DELAY_S, LATE_S = 1.5, 20.0
_MOST_BYTES = 1 << 30
_OF_THIS_CONNECTION = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "te", "upgrade"}
)
_THROTTLED = (
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",'
    b'"message":"Throughput exceeds the current capacity."}'
)
_SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)


class Dropped(Exception):  # noqa: N818 - not an error of the proxy
    """The connection ends without an answer."""


def kill_client(peer_port: int) -> None:
    """SIGKILL to the local process at the other end of a connection."""
    for connection in psutil.net_connections(kind="tcp4"):
        if connection.laddr[1:] == (peer_port,) and connection.pid not in (None, os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(connection.pid or 0), signal.SIGKILL)
            return


@dataclass
class Proxy:
    """On a port of its own, to the cloud on `to_port`."""

    to_port: int
    faults: Faults
    kill: Callable[[int], None] = kill_client
    """Ends the process that has a connection from this port."""
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        """Serve in a thread; `port` is set."""
        loop, ready = asyncio.new_event_loop(), threading.Event()
        stop = asyncio.Event()
        thread = threading.Thread(
            target=lambda: loop.run_until_complete(self._serve(ready, stop)), daemon=True
        )
        thread.start()
        if not ready.wait(10):
            raise RuntimeError("the proxy did not start")
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        async with aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=120),
        ) as self._session:
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", self.port)
            await site.start()
            self.port = runner.addresses[0][1]
            ready.set()
            await stop.wait()
            for task in self._tasks:
                task.cancel()
            await runner.cleanup()

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        try:
            body = await incoming.read()
            target = incoming.headers.get("X-Amz-Target", "")
            return await self._disturbed(
                incoming, Request(incoming.method, incoming.path, target, body)
            )
        except (Dropped, aiohttp.ClientError, ConnectionError):
            # Whoever is not there does not answer either.
            if incoming.transport is not None:  # or it is gone by itself
                incoming.transport.abort()
            raise asyncio.CancelledError from None

    async def _disturbed(self, incoming: web.Request, request: Request) -> web.Response:
        faults = self.faults.of(request)
        if Fault.THROTTLED in faults:
            return web.Response(
                status=400, body=_THROTTLED, content_type="application/x-amz-json-1.0"
            )
        if Fault.SLOW_DOWN in faults:
            return web.Response(status=503, body=_SLOW_DOWN, content_type="application/xml")
        if Fault.DELAYED in faults:
            await asyncio.sleep(self.faults.seconds(DELAY_S))
        headers = _passed_on(incoming.headers)
        answer = await self._send(request, incoming.rel_url, headers)
        if Fault.DUPLICATED in faults:
            await self._send(request, incoming.rel_url, headers)
        if Fault.LATE in faults:
            self._later(request, incoming.rel_url, headers)
        if Fault.DIED_DONE in faults:
            self.kill(incoming.transport.get_extra_info("peername")[1])  # type: ignore[union-attr]
            raise Dropped
        if Fault.ANSWER_LOST in faults:
            raise Dropped
        return answer

    async def _send(self, request: Request, url: URL, headers: Mapping[str, str]) -> web.Response:
        to = URL(f"http://127.0.0.1:{self.to_port}{url.raw_path_qs}", encoded=True)
        async with self._session.request(
            request.method, to, data=request.body, headers=headers, allow_redirects=False
        ) as answer:
            body = await answer.read()
            passed = _passed_on(answer.headers)
            if request.method == "HEAD":
                passed["Content-Length"] = answer.headers.get("Content-Length", "0")
            return web.Response(status=answer.status, body=body, headers=passed)

    def _later(self, request: Request, url: URL, headers: Mapping[str, str]) -> None:
        async def again() -> None:
            await asyncio.sleep(self.faults.seconds(LATE_S))
            with contextlib.suppress(aiohttp.ClientError):
                await self._send(request, url, headers)

        task = asyncio.get_running_loop().create_task(again())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in headers.items() if name.lower() not in _OF_THIS_CONNECTION
    }
