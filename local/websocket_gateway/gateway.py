"""The server: WebSockets in front, `@connections` behind, on one port.

It keeps API Gateway's contract: a handshake is complete when `$connect` said so; messages of one
socket are given to functions side by side, in no order; nothing is promised about `$disconnect`.
A message has up to 128 kB, in frames of up to 32 kB (`frames`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web

from local.websocket_gateway import events
from local.websocket_gateway.frames import LimitedWebSocket
from local.websocket_gateway.invoker import InvocationError, Invoke
from local.websocket_gateway.sockets import Socket, new_id
from local.websocket_gateway.template import SocketApi

LOG = logging.getLogger("websocket_gateway")
MAX_MESSAGE_BYTES = 128 * 1024
_SIDE_BY_SIDE = 16
"""Messages of one socket that functions have at a time; then it is not read any further."""
_SEND_TIMEOUT_S = 5.0
_ABNORMAL = 1006


@dataclass(frozen=True, slots=True)
class Limits:
    """When sockets are closed. The defaults are AWS's."""

    idle_s: float = 600.0
    life_s: float = 7200.0


class Gateway:
    """One WebSocket API.

    Args:
        api: its stage and routes.
        invoke: how functions are invoked.
    """

    def __init__(self, api: SocketApi, invoke: Invoke, limits: Limits | None = None) -> None:
        self._api = api
        self._invoke = invoke
        self._limits = limits or Limits()
        self._sockets: dict[str, Socket] = {}

    def application(self) -> web.Application:
        """What an aiohttp server runs."""
        app = web.Application(client_max_size=2 * MAX_MESSAGE_BYTES)
        stage = f"/{self._api.stage}"
        app.router.add_get(stage, self._socket)
        app.router.add_get(f"{stage}/", self._socket)
        callback = f"{stage}/@connections/{{id}}"
        app.router.add_post(callback, self._post)
        app.router.add_get(callback, self._describe)
        app.router.add_delete(callback, self._delete)
        app.router.add_get("/_local/ready", self._ready)
        app.on_shutdown.append(self._close_all)
        return app

    # ---- In front: the browsers ----

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        probe = web.WebSocketResponse()
        if not probe.can_prepare(request):
            return _error(403, "ForbiddenException", "Forbidden")
        socket = _socket_of(request)
        answer = await self._ask_connect(socket, request)
        if isinstance(answer, web.Response):
            return answer
        response = LimitedWebSocket(
            max_msg_size=MAX_MESSAGE_BYTES + 1, compress=False, protocols=_protocols(answer)
        )
        # Known before the handshake is answered: what a browser hears of at once must find it.
        socket.response = response
        self._sockets[socket.id] = socket
        try:
            await response.prepare(request)
            await self._serve(socket, response, request.host)
        except ConnectionResetError:
            LOG.info("%s was gone before its handshake was answered", socket.id)
        finally:
            self._sockets.pop(socket.id, None)
            await asyncio.shield(self._tell_disconnect(socket, response, request.host))
        return response

    async def _ask_connect(
        self, socket: Socket, request: web.Request
    ) -> Mapping[str, Any] | web.Response:
        """What `$connect` answered, or the refusal the browser gets instead of a socket."""
        function = self._api.routes.get("$connect")
        if function is None:
            return {}
        base = events.context(socket, self._api.stage, request.host, "$connect", "CONNECT")
        event = events.connect(socket, base, parse_qs(request.query_string))
        try:
            answer = await self._invoke(function, event)
        except InvocationError as error:
            LOG.warning("$connect: %s", error)
            return _error(502, "BadGatewayException", "Bad Gateway")
        status = answer.get("statusCode") if isinstance(answer, dict) else None
        if not isinstance(status, int) or not 200 <= status <= 599:
            return _error(502, "BadGatewayException", "Bad Gateway")
        if status >= 300:
            return web.Response(status=status, text=str(answer.get("body") or ""))
        return dict(answer)

    async def _serve(self, socket: Socket, response: web.WebSocketResponse, host: str) -> None:
        """Take messages until the socket is closed, by whomever."""
        closer = asyncio.create_task(self._close_in_time(socket))
        slots = asyncio.Semaphore(_SIDE_BY_SIDE)
        under_way: set[asyncio.Task[None]] = set()
        try:
            async for message in response:
                socket.touch()
                if message.type is WSMsgType.TEXT:
                    await slots.acquire()
                    task = asyncio.create_task(self._route(socket, message.data, host))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                    task.add_done_callback(lambda _: slots.release())
                elif message.type is WSMsgType.BINARY:
                    await _close(socket, WSCloseCode.UNSUPPORTED_DATA, "Binary is not supported")
                elif isinstance(message.data, WebSocketError):
                    socket.closed_with = (message.data.code, str(message.data))
        finally:
            closer.cancel()

    async def _close_in_time(self, socket: Socket) -> None:
        """After ten minutes without a message, and after two hours in any case."""
        while True:
            now = time.time()
            idle_s = now - socket.last_active_at
            left_s = min(
                self._limits.idle_s - idle_s, socket.connected_at + self._limits.life_s - now
            )
            if left_s <= 0:
                await _close(socket, WSCloseCode.GOING_AWAY, "Going away")
                return
            await asyncio.sleep(left_s)

    async def _route(self, socket: Socket, body: str, host: str) -> None:
        key, function = self._function_for(body)
        base = events.context(socket, self._api.stage, host, key, "MESSAGE")
        complaint = {"connectionId": socket.id, "requestId": base["requestId"]}
        if function is None:
            await self._send(socket, json.dumps({"message": "Forbidden", **complaint}))
            return
        try:
            await self._invoke(function, events.message(base, body))
        except InvocationError as error:
            LOG.warning("%s: %s", key, error)
            text = json.dumps({"message": "Internal server error", **complaint})
            await self._send(socket, text)

    def _function_for(self, body: str) -> tuple[str, str | None]:
        try:
            chosen = json.loads(body)[self._api.selector]
        except (ValueError, KeyError, TypeError, RecursionError):
            chosen = None
        if isinstance(chosen, str) and not chosen.startswith("$") and chosen in self._api.routes:
            return chosen, self._api.routes[chosen]
        return "$default", self._api.routes.get("$default")

    async def _tell_disconnect(
        self, socket: Socket, response: web.WebSocketResponse, host: str
    ) -> None:
        function = self._api.routes.get("$disconnect")
        if function is None:
            return
        code, reason = socket.closed_with or (response.close_code or _ABNORMAL, "")
        base = events.context(socket, self._api.stage, host, "$disconnect", "DISCONNECT")
        try:
            await self._invoke(function, events.disconnect(socket, base, code, reason))
        except InvocationError as error:
            LOG.warning("$disconnect: %s", error)

    # ---- Behind: the functions ----

    async def _post(self, request: web.Request) -> web.Response:
        found = self._find(request)
        if isinstance(found, web.Response):
            return found
        body = await request.read()
        if len(body) > MAX_MESSAGE_BYTES:
            return _error(413, "PayloadTooLargeException", "Payload is too large")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return _error(400, "BadRequestException", "The data is no UTF-8 text")
        return web.Response() if await self._send(found, text) else _gone()

    async def _describe(self, request: web.Request) -> web.Response:
        found = self._find(request)
        return found if isinstance(found, web.Response) else web.json_response(found.describe())

    async def _delete(self, request: web.Request) -> web.Response:
        found = self._find(request)
        if isinstance(found, web.Response):
            return found
        self._sockets.pop(found.id, None)
        closing = asyncio.create_task(_close(found, WSCloseCode.OK, "Connection Closed Normally"))
        await asyncio.wait({closing}, timeout=_SEND_TIMEOUT_S)
        return web.Response(status=204)

    async def _ready(self, _request: web.Request) -> web.Response:
        return web.json_response({"sockets": len(self._sockets)})

    def _find(self, request: web.Request) -> Socket | web.Response:
        """The socket that is meant, or the refusal. Signatures are not checked, but browsers, which
        cannot send this header to another origin unasked, are kept out."""
        if not request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return _error(
                403, "MissingAuthenticationTokenException", "Missing Authentication Token"
            )
        socket = self._sockets.get(request.match_info["id"])
        return _gone() if socket is None else socket

    async def _send(self, socket: Socket, text: str) -> bool:
        """Returns False when the socket is closed, or takes nothing any more."""
        response = socket.response
        if response is None or response.closed or not response.prepared:
            return False
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S), socket.sending:
                await response.send_str(text)
        except (ConnectionError, RuntimeError):
            return False
        except TimeoutError:
            await _close(socket, WSCloseCode.GOING_AWAY, "The client does not read")
            return False
        socket.touch()
        return True

    async def _close_all(self, _app: web.Application) -> None:
        closing = [
            asyncio.create_task(_close(socket, WSCloseCode.GOING_AWAY, "Going away"))
            for socket in list(self._sockets.values())
        ]
        if closing:
            await asyncio.wait(closing, timeout=1)


async def _close(socket: Socket, code: WSCloseCode, reason: str) -> None:
    if socket.response is None:
        return
    socket.closed_with = (int(code), reason)
    try:
        await socket.response.close(code=int(code), message=reason.encode())
    except (ConnectionError, RuntimeError) as error:
        LOG.debug("closing %s: %s", socket.id, error)


def _socket_of(request: web.Request) -> Socket:
    return Socket(
        id=new_id(),
        source_ip=request.remote or "",
        user_agent=request.headers.get("User-Agent", ""),
        headers=dict(request.headers),
    )


def _protocols(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The sub-protocol that `$connect` chose."""
    headers = answer.get("headers")
    for name, value in (headers if isinstance(headers, dict) else {}).items():
        if name.lower() == "sec-websocket-protocol":
            return (str(value),)
    return ()


def _gone() -> web.Response:
    return _error(410, "GoneException", "Gone")


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response(
        {"message": message}, status=status, headers={"x-amzn-ErrorType": kind}
    )
