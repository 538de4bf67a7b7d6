"""Messages to WebSockets, by API Gateway's `@connections`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

_GONE = 410


class Sockets:
    """The sockets of one API.

    Args:
        client: of `clients.api_gateway_sockets`.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, connection_id: str, message: Mapping[str, Any]) -> bool:
        """Post one message. Returns False when the socket is closed."""
        data = json.dumps(message, separators=(",", ":")).encode()
        try:
            self._client.post_to_connection(ConnectionId=connection_id, Data=data)
        except ClientError as error:
            if _is_gone(error):
                return False
            raise
        return True

    def close(self, connection_id: str) -> None:
        """Close a socket, if it is still open."""
        try:
            self._client.delete_connection(ConnectionId=connection_id)
        except ClientError as error:
            if not _is_gone(error):
                raise


def _is_gone(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status == _GONE or error.response.get("Error", {}).get("Code") == "GoneException"
