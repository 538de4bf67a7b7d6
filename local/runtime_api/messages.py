"""What passes between the caller of a function and its process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum, auto

MAX_REQUEST_BYTES = 6_291_456
"""6 MiB: Lambda quota "Invocation payload (synchronous)"."""
MAX_RESPONSE_BYTES = 6_291_556
"""The same quota as Lambda applies it to responses: it leaves 100 bytes for its own framing."""


@dataclass(frozen=True, slots=True)
class Event:
    """One invocation, as a runtime receives it."""

    request_id: str
    payload: bytes
    function_arn: str
    timeout_s: float
    """The deadline is this long after the process takes the event."""
    trace_id: str = ""
    client_context: str = ""
    """JSON, from the caller's X-Amz-Client-Context."""
    cognito_identity: str = ""


class Kind(Enum):
    """What a runtime's endpoint reports."""

    TAKEN = auto()
    """The process has the event; its deadline runs."""
    RESPONSE = auto()
    ERROR = auto()
    """The handler raised; the payload is Lambda's error object. The process lives on."""
    TOO_LARGE = auto()
    """The response was refused with 413; the runtime is expected to exit."""
    INIT_ERROR = auto()
    """The handler could not be loaded; the runtime is expected to exit."""
    READY = auto()
    """The process asked for its first event."""
    EXITED = auto()
    """The process ended; put into the same queue by whoever watches it."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something the process did. `payload` is what the caller of the function gets."""

    kind: Kind
    payload: bytes = b""
    at_s: float = 0.0
    """`time.monotonic()` when it happened."""


def error_payload(error_type: str, message: str, request_id: str = "") -> bytes:
    """Lambda's error object for errors the platform, not the function, reports."""
    document: dict[str, object] = {"errorType": error_type, "errorMessage": message}
    if request_id:
        document["requestId"] = request_id
    return json.dumps(document).encode()
