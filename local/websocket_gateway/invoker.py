"""Invocations of functions, through Lambda's own API."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

TIMEOUT_S = 29.0
"""Of an integration, as on AWS."""
_AT_ONCE = 32
"""Invocations under way; more wait here, where they cost least."""
# The one-machine cloud reads account and region of it and checks no signature.
_AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


class InvocationError(Exception):
    """The function failed, or could not be invoked."""


Invoke = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Function name and event → what the function returned. Raises InvocationError."""


class LambdaInvoker:
    """Invokes functions of one endpoint.

    Args:
        endpoint_url: of Lambda, without a trailing slash.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._url = f"{endpoint_url}/2015-03-31/functions"
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, function: str, event: Mapping[str, Any]) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_AT_ONCE),
                headers={"Authorization": _AUTHORIZATION},
                timeout=aiohttp.ClientTimeout(sock_connect=5, sock_read=TIMEOUT_S),
            )
        url = f"{self._url}/{function}/invocations"
        try:
            async with self._session.post(url, data=json.dumps(event)) as answer:
                body = await answer.read()
                failed = answer.status != 200 or "X-Amz-Function-Error" in answer.headers
        except (aiohttp.ClientError, TimeoutError) as error:
            raise InvocationError(f"{function} cannot be invoked: {error!r}") from error
        if failed:
            raise InvocationError(f"{function} failed: {body[:500].decode(errors='replace')}")
        try:
            return json.loads(body or b"null")
        except ValueError as error:
            raise InvocationError(f"{function} returned no JSON") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
