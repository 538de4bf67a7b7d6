"""The events that a WebSocket API sends to functions (Lambda proxy integration)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.websocket_gateway.sockets import Socket


def context(socket: Socket, stage: str, host: str, route: str, kind: str) -> dict[str, Any]:
    """The `requestContext` of every event."""
    now = time.time()
    request_id = secrets.token_hex(8)
    return {
        "routeKey": route,
        "eventType": kind,
        "extendedRequestId": request_id,
        "requestTime": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now * 1000),
        "messageDirection": "IN",
        "stage": stage,
        "connectedAt": socket.connected_at_ms,
        "identity": {"sourceIp": socket.source_ip, "userAgent": socket.user_agent},
        "requestId": request_id,
        "domainName": host,
        "connectionId": socket.id,
        "apiId": "local",
    }


def connect(socket: Socket, base: dict[str, Any], query: Mapping[str, list[str]]) -> dict[str, Any]:
    """`query`: every value of each name; like headers, given singly (the last) and in full."""
    event = {
        "headers": socket.headers,
        "multiValueHeaders": {name: [value] for name, value in socket.headers.items()},
        "requestContext": base,
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
        event["multiValueQueryStringParameters"] = dict(query)
    return event


def message(base: dict[str, Any], body: str) -> dict[str, Any]:
    numbered = {**base, "messageId": secrets.token_urlsafe(10)}
    return {"requestContext": numbered, "body": body, "isBase64Encoded": False}


def disconnect(socket: Socket, base: dict[str, Any], code: int, reason: str) -> dict[str, Any]:
    closed = {**base, "disconnectStatusCode": code, "disconnectReason": reason}
    host = socket.headers.get("Host", "")
    headers = {"Host": host, "x-api-key": "", "x-restapi": ""}
    return {"headers": headers, "requestContext": closed, "isBase64Encoded": False}
