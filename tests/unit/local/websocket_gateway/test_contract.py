"""The gateway against what AWS documents of WebSocket APIs, with AWS's own client behind it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
import boto3
import pytest
from aiohttp import WSMsgType, web
from botocore.config import Config
from botocore.exceptions import ClientError
from yarl import URL

from local.websocket_gateway.frames import MAX_FRAME_BYTES
from local.websocket_gateway.gateway import MAX_MESSAGE_BYTES, Gateway, Limits
from local.websocket_gateway.invoker import InvocationError
from local.websocket_gateway.template import SocketApi
from tests.harness.loops import run_apart

ROUTES = {"$connect": "door", "$disconnect": "door", "$default": "desk", "shout": "loud"}
LONG_S = 30.0


@dataclass
class Functions:
    """In place of Lambda: keeps every event, answers as told."""

    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, function: str, event: Mapping[str, Any]) -> Any:
        async with self.arrived:
            self.events.append((function, event))
            self.arrived.notify_all()
        answer = self.answers.get(event["requestContext"]["eventType"], {"statusCode": 200})
        if callable(answer):
            answer = await answer(event)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def of(self, kind: str, number: int = 1) -> list[tuple[str, Mapping[str, Any]]]:
        """The events of one kind, once there are so many."""

        def found() -> list[tuple[str, Mapping[str, Any]]]:
            return [one for one in self.events if one[1]["requestContext"]["eventType"] == kind]

        async with asyncio.timeout(LONG_S), self.arrived:
            await self.arrived.wait_for(lambda: len(found()) >= number)
        return found()


@dataclass
class World:
    functions: Functions
    session: aiohttp.ClientSession
    url: str

    async def connect(self, query: str = "") -> aiohttp.ClientWebSocketResponse:
        return await self.session.ws_connect(f"{self.url}{query}", max_msg_size=0)

    async def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One of boto3's calls, signed as on AWS."""
        client = boto3.client(
            "apigatewaymanagementapi",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        answer: dict[str, Any] = await asyncio.to_thread(getattr(client, operation), **arguments)
        return answer

    async def only_id(self) -> str:
        ((_, event), *_) = await self.functions.of("CONNECT")
        return str(event["requestContext"]["connectionId"])


@asynccontextmanager
async def gateway(
    limits: Limits | None = None, routes: Mapping[str, str] = ROUTES
) -> AsyncIterator[World]:
    functions = Functions()
    made = Gateway(SocketApi("stage", "action", routes), functions, limits)
    runner = web.AppRunner(made.application(), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        yield World(functions, session, f"http://127.0.0.1:{port}/stage")
    await runner.cleanup()


Case = Callable[[], Awaitable[None]]


def run(case: Case) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await case()

    run_apart(limited())


def test_connect_event_describes_the_browser_when_a_socket_opens() -> None:
    async def case() -> None:
        async with gateway() as world, await world.connect("?v=1&v=2") as socket:
            ((function, event),) = await world.functions.of("CONNECT")
            assert function == "door"
            context = event["requestContext"]
            assert (context["routeKey"], context["stage"]) == ("$connect", "stage")
            assert context["identity"]["sourceIp"] == "127.0.0.1"
            assert event["queryStringParameters"] == {"v": "2"}
            assert event["multiValueQueryStringParameters"] == {"v": ["1", "2"]}
            assert event["headers"]["Sec-WebSocket-Version"] == "13"
            await socket.close()

    run(case)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"statusCode": 401}, 401),
        ({"statusCode": 403}, 403),
        ({"statusCode": 500}, 500),
        ({"statusCode": "200"}, 502),
        (None, 502),
        (InvocationError("died"), 502),
    ],
)
def test_handshake_is_refused_and_no_end_told_when_connect_says_so(
    answer: Any, status: int
) -> None:
    async def case() -> None:
        async with gateway() as world:
            world.functions.answers["CONNECT"] = answer
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await world.connect()
            assert refusal.value.status == status
            assert [kind["requestContext"]["eventType"] for _, kind in world.functions.events] == [
                "CONNECT"
            ]

    run(case)


def test_socket_is_gone_to_functions_while_connect_is_not_answered() -> None:
    async def case() -> None:
        async with gateway() as world:

            async def too_early(event: Mapping[str, Any]) -> dict[str, int]:
                connection_id = event["requestContext"]["connectionId"]
                with pytest.raises(ClientError, match="GoneException"):
                    await world.call("post_to_connection", ConnectionId=connection_id, Data=b"hi")
                return {"statusCode": 200}

            world.functions.answers["CONNECT"] = too_early
            await (await world.connect()).close()

    run(case)


@pytest.mark.parametrize(
    ("body", "route", "function"),
    [
        ('{"action": "shout"}', "shout", "loud"),
        ('{"action": "whisper"}', "$default", "desk"),
        ('{"action": "$connect"}', "$default", "desk"),
        ('{"action": 7}', "$default", "desk"),
        ("[1]", "$default", "desk"),
        ("no JSON", "$default", "desk"),
    ],
)
def test_message_takes_its_route_when_the_body_names_it(
    body: str, route: str, function: str
) -> None:
    async def case() -> None:
        async with gateway() as world, await world.connect() as socket:
            await socket.send_str(body)
            ((invoked, event),) = await world.functions.of("MESSAGE")
            assert invoked == function
            assert event["body"] == body
            assert event["requestContext"]["routeKey"] == route
            assert event["requestContext"]["messageId"]
            assert event["requestContext"]["connectionId"] == await world.only_id()

    run(case)


def test_sender_is_told_when_no_route_takes_the_message_or_the_function_fails() -> None:
    async def case() -> None:
        async with gateway(routes={"shout": "loud"}) as world, await world.connect() as socket:
            await socket.send_str("hello")
            assert json.loads(await socket.receive_str())["message"] == "Forbidden"
            world.functions.answers["MESSAGE"] = InvocationError("died")
            await socket.send_str('{"action": "shout"}')
            complaint = json.loads(await socket.receive_str())
            assert complaint["message"] == "Internal server error"
            assert complaint["connectionId"]
            assert complaint["requestId"]

    run(case)


def test_messages_of_one_socket_are_handled_side_by_side_when_they_come_at_once() -> None:
    async def case() -> None:
        async with gateway() as world, await world.connect() as socket:
            both_here = asyncio.Barrier(2)

            async def meet(_: Mapping[str, Any]) -> dict[str, int]:
                await both_here.wait()
                return {"statusCode": 200}

            world.functions.answers["MESSAGE"] = meet
            for text in ("one", "two"):
                await socket.send_str(text)
            await world.functions.of("MESSAGE", 2)
            assert not both_here.broken

    run(case)


def test_function_posts_looks_and_deletes_when_a_socket_is_open() -> None:
    async def case() -> None:
        async with gateway() as world, await world.connect() as socket:
            connection_id = await world.only_id()
            assert "=" in connection_id, "as AWS's: it must be escaped in a path"
            data = "grüß".encode()
            await world.call("post_to_connection", ConnectionId=connection_id, Data=data)
            assert await socket.receive_str() == "grüß"
            seen = await world.call("get_connection", ConnectionId=connection_id)
            assert seen["Identity"]["SourceIp"] == "127.0.0.1"
            assert seen["LastActiveAt"] >= seen["ConnectedAt"]
            closing = asyncio.create_task(socket.receive())
            await world.call("delete_connection", ConnectionId=connection_id)
            assert (await closing).type is WSMsgType.CLOSE
            assert socket.close_code == 1000

    run(case)


@pytest.mark.parametrize("operation", ["post_to_connection", "get_connection", "delete_connection"])
def test_answer_is_410_gone_when_the_socket_is_closed(operation: str) -> None:
    async def case() -> None:
        async with gateway() as world:
            socket = await world.connect()
            connection_id = await world.only_id()
            await socket.close(code=4001, message=b"bye")
            ((_, event),) = await world.functions.of("DISCONNECT")
            assert event["requestContext"]["disconnectStatusCode"] == 4001
            data = {"Data": b"hi"} if operation.startswith("post") else {}
            with pytest.raises(ClientError) as error:
                await world.call(operation, ConnectionId=connection_id, **data)
            assert error.value.response["Error"]["Code"] == "GoneException"
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410

    run(case)


def test_largest_message_passes_and_one_byte_more_does_not_when_posted() -> None:
    async def case() -> None:
        async with gateway() as world, await world.connect() as socket:
            arguments = {"ConnectionId": await world.only_id()}
            text = "x" * MAX_MESSAGE_BYTES
            await world.call("post_to_connection", Data=text.encode(), **arguments)
            assert await socket.receive_str() == text
            with pytest.raises(ClientError) as error:
                await world.call("post_to_connection", Data=f"{text}x".encode(), **arguments)
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413

    run(case)


@pytest.mark.parametrize("sizes", [[MAX_FRAME_BYTES], [MAX_FRAME_BYTES] * 4])
def test_message_passes_when_it_has_the_largest_size_of_a_frame_and_of_all(
    sizes: list[int],
) -> None:
    async def case() -> None:
        async with gateway() as world, await world.connect() as socket:
            for _ in range(2):  # what follows is measured from the right byte on
                _send_frames(socket, sizes)
            for _, event in await world.functions.of("MESSAGE", 2):
                assert event["body"] == "x" * sum(sizes)

    run(case)


@pytest.mark.parametrize(
    "sizes", [[MAX_FRAME_BYTES + 1], [9, MAX_FRAME_BYTES + 1], [MAX_FRAME_BYTES] * 4 + [1]]
)
def test_socket_is_closed_with_1009_when_a_frame_or_a_message_is_too_long(sizes: list[int]) -> None:
    async def case() -> None:
        async with gateway() as world, await world.connect() as socket:
            await socket.send_str("before")
            _send_frames(socket, sizes)
            assert (await socket.receive()).type is WSMsgType.CLOSE
            assert socket.close_code == 1009
            ((_, event),) = await world.functions.of("DISCONNECT")
            assert event["requestContext"]["disconnectStatusCode"] == 1009
            ((_, event),) = await world.functions.of("MESSAGE")
            assert event["body"] == "before"

    run(case)


def _send_frames(socket: aiohttp.ClientWebSocketResponse, sizes: list[int]) -> None:
    """One message of so many frames, which aiohttp's client would send as one."""
    for index, size in enumerate(sizes):
        final, opcode = 0x80 * (index == len(sizes) - 1), 0 if index else 1
        length = bytes([0x80 | size]) if size < 126 else bytes([0xFF]) + size.to_bytes(8)
        frame = bytes([final | opcode]) + length + bytes(4) + b"x" * size
        _transport(socket).write(frame)


def _transport(socket: aiohttp.ClientWebSocketResponse) -> asyncio.Transport:
    connection = socket._response.connection
    assert connection is not None
    transport = connection.transport
    assert isinstance(transport, asyncio.Transport)
    return transport


def test_socket_is_closed_when_it_sends_binary() -> None:
    async def case() -> None:
        async with gateway() as world, await world.connect() as socket:
            await socket.send_bytes(b"\0")
            assert (await socket.receive()).type is WSMsgType.CLOSE
            assert socket.close_code == 1003

    run(case)


@pytest.mark.parametrize("limits", [Limits(idle_s=0.3), Limits(life_s=0.3)])
def test_socket_is_closed_and_its_end_told_when_its_time_is_over(limits: Limits) -> None:
    async def case() -> None:
        async with gateway(limits) as world, await world.connect() as socket:
            assert (await socket.receive()).type is WSMsgType.CLOSE
            assert socket.close_code == 1001
            ((_, event),) = await world.functions.of("DISCONNECT")
            assert event["requestContext"]["disconnectStatusCode"] == 1001

    run(case)


def test_socket_stays_open_beyond_the_idle_limit_when_it_is_used() -> None:
    async def case() -> None:
        async with gateway(Limits(idle_s=0.4)) as world, await world.connect() as socket:
            for _ in range(4):
                await asyncio.sleep(0.2)
                await socket.send_str("still here")
            await world.functions.of("MESSAGE", 4)
            assert not socket.closed

    run(case)


def test_end_is_told_once_when_the_network_breaks() -> None:
    async def case() -> None:
        async with gateway() as world:
            socket = await world.connect()
            _transport(socket).abort()
            ((_, event),) = await world.functions.of("DISCONNECT")
            assert event["requestContext"]["disconnectStatusCode"] == 1006

    run(case)


def test_stranger_is_refused_when_the_request_is_not_signed() -> None:
    async def case() -> None:
        async with gateway() as world, await world.connect():
            named = quote(await world.only_id(), safe="")  # a slash may be in it
            url = URL(f"{world.url}/@connections/{named}", encoded=True)
            async with world.session.post(url, data="hi") as answer:
                assert answer.status == 403

    run(case)


def test_plain_request_is_refused_when_it_asks_for_no_websocket() -> None:
    async def case() -> None:
        async with gateway() as world, world.session.get(world.url) as answer:
            assert answer.status == 403

    run(case)
