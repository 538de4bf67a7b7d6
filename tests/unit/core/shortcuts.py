"""What functions do most often, storing an object and sending a message, asked of moto's own
backends without the HTTP, signatures and XML around them, which take ten times as long."""

from __future__ import annotations

from typing import Any

import moto.s3.models
import moto.sqs.models
from botocore.exceptions import ClientError
from moto.s3.utils import metadata_from_headers

from tests.unit.core.database import ACCOUNT, REGION

_HEADERS = {"ContentType": "Content-Type", "CacheControl": "Cache-Control"}
_KNOWN = {
    "PutObject": {"Bucket", "Key", "Body", "Metadata", "IfMatch", "IfNoneMatch", *_HEADERS},
    "SendMessage": {
        *("QueueUrl", "MessageBody", "MessageAttributes", "DelaySeconds"),
        *("MessageGroupId", "MessageDeduplicationId"),
    },
    "GetQueueAttributes": {"QueueUrl", "AttributeNames"},
    "ReceiveMessage": {"QueueUrl", "MaxNumberOfMessages", "VisibilityTimeout"},
}


def knows(operation: str, request: dict[str, Any]) -> bool:
    """Whether there is a shorter way than HTTP."""
    if operation == "ReceiveMessage" and ((queue := _queue(request)) is None or queue.messages):
        return False  # there is more to say than that nothing is there
    return set(request) <= _KNOWN.get(operation, set())


def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """As botocore's client, through moto's."""
    if operation == "ReceiveMessage":
        return {}
    if operation == "GetQueueAttributes":
        return _get_queue_attributes(request)
    return _put_object(request) if operation == "PutObject" else _send_message(request)


def _queue(request: dict[str, Any]) -> Any:
    backend: Any = moto.sqs.models.sqs_backends[ACCOUNT][REGION]
    return backend.queues.get(_queue_name(request))


def _queue_name(request: dict[str, Any]) -> str:
    return str(request["QueueUrl"]).rpartition("/")[2]


def _get_queue_attributes(request: dict[str, Any]) -> dict[str, Any]:
    backend: Any = moto.sqs.models.sqs_backends[ACCOUNT][REGION]
    found = backend.get_queue_attributes(_queue_name(request), list(request["AttributeNames"]))
    return {"Attributes": {name: str(value) for name, value in found.items()}}


def _put_object(request: dict[str, Any]) -> dict[str, Any]:
    backend: Any = moto.s3.models.s3_backends[ACCOUNT]["aws"]
    name, key = request["Bucket"], request["Key"]
    before = backend.get_object(name, key)
    if (expected := request.get("IfMatch")) is not None:
        if before is None:
            raise _error("NoSuchKey", 404)
        if before.etag.strip('"') != expected.strip('"'):
            raise _error("PreconditionFailed", 412)
    if request.get("IfNoneMatch") == "*" and before is not None:
        raise _error("PreconditionFailed", 412)
    body = request.get("Body", b"")
    stored = backend.put_object(name, key, _content(body), disable_notification=True)
    headers = {header: request[field] for field, header in _HEADERS.items() if field in request}
    metadata = request.get("Metadata", {}).items()
    named = {f"x-amz-meta-{field}": value for field, value in metadata}
    stored.set_metadata(metadata_from_headers({**headers, **named}))
    stored.set_acl(backend.get_bucket(name).acl)
    return {"ETag": stored.etag}


def _send_message(request: dict[str, Any]) -> dict[str, Any]:
    backend: Any = moto.sqs.models.sqs_backends[ACCOUNT][REGION]
    sent = backend.send_message(
        _queue_name(request),
        request["MessageBody"],
        message_attributes=_attributes(request.get("MessageAttributes", {})),
        delay_seconds=request.get("DelaySeconds"),
        deduplication_id=request.get("MessageDeduplicationId"),
        group_id=request.get("MessageGroupId"),
    )
    return {"MessageId": sent.id}


def _attributes(given: dict[str, Any]) -> dict[str, Any]:
    """As moto keeps them."""
    return {
        name: {"data_type": value["DataType"], "string_value": value["StringValue"]}
        for name, value in given.items()
    }


def _content(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    content: bytes = body if isinstance(body, bytes) else body.read()
    return content


def _error(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")
