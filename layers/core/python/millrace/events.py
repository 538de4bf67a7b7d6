"""What arrives: S3 notifications, task and publish messages. Parsed once, at the edge; a shape
that is not known is an error, never a guess."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from millrace import keys
from millrace.errors import PermanentError, Reason
from millrace.model import Task, TaskKind

_VERSION = 1


class MalformedMessage(PermanentError):  # noqa: N818 - named for what it is
    """A message that no retry can make readable."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.MALFORMED_MESSAGE, message)


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """One record of an S3 notification."""

    bucket: str
    key: str
    """Decoded: S3 sends keys URL-encoded, with + for a space."""
    etag: str
    """Without quotes."""
    size_bytes: int
    at: str
    """When it happened, ISO 8601."""


class PublishAction(StrEnum):
    PUBLISH = "publish"
    PURGE = "purge"


@dataclass(frozen=True, slots=True)
class PublishMessage:
    action: PublishAction
    video_id: str


@dataclass(frozen=True, slots=True)
class NotifyMessage:
    """News to be told, or one delivery of them."""

    event_id: str
    webhook_id: str | None


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """The name of a unit of work. Its state is in the table, never in the message."""

    video_id: str
    kind: TaskKind
    index: int

    @classmethod
    def of(cls, task: Task) -> TaskMessage:
        return cls(task.video_id, TaskKind(task.task_kind), int(task.index))

    @property
    def task_id(self) -> str:
        return keys.task_id(self.kind, self.index)

    def body(self) -> str:
        return json.dumps(
            {
                "version": _VERSION,
                "video_id": self.video_id,
                "task_id": self.task_id,
                "kind": self.kind,
                "index": self.index,
            }
        )


def publish_body(action: PublishAction, video_id: str) -> str:
    return json.dumps({"version": _VERSION, "action": action, "video_id": video_id})


def s3_body(created: ObjectCreated) -> str:
    """An S3 notification of our own, for an object whose notification was lost."""
    stored = {"key": quote_plus(created.key), "size": created.size_bytes, "eTag": created.etag}
    record = {
        "eventName": "ObjectCreated:Found",
        "eventTime": created.at,
        "s3": {"bucket": {"name": created.bucket}, "object": stored},
    }
    return json.dumps({"Records": [record]})


def parse_task(body: str) -> TaskMessage:
    """Read a task message; a dead letter that was sent back is one, too.

    Raises:
        MalformedMessage: it is none.
    """
    fields = _versioned(body)
    kind, index = fields.get("kind"), fields.get("index")
    if kind not in tuple(TaskKind) or not isinstance(index, int) or isinstance(index, bool):
        raise MalformedMessage("A task message needs a known kind and a whole number as index.")
    if not 0 <= index <= 99_999:
        raise MalformedMessage("A task's index is 0 to 99999.")
    message = TaskMessage(_video_id(fields), TaskKind(kind), index)
    if fields.get("task_id") != message.task_id:
        raise MalformedMessage("A task message's task_id must agree with its kind and index.")
    return message


def parse_publish(body: str) -> PublishMessage:
    """Read a publish message.

    Raises:
        MalformedMessage: it is none.
    """
    fields = _versioned(body)
    if fields.get("action") not in tuple(PublishAction):
        raise MalformedMessage("A publish message's action is publish or purge.")
    return PublishMessage(PublishAction(fields["action"]), _video_id(fields))


def notify_body(event_id: str, webhook_id: str | None = None) -> str:
    """The message that names news to be told, or (with a webhook) one delivery of them."""
    names = {"webhook_id": webhook_id} if webhook_id else {}
    return json.dumps({"version": _VERSION, "event_id": event_id, **names})


def parse_notify(body: str) -> NotifyMessage:
    """Read a notify message; a dead letter that was sent back is one, too.

    Raises:
        MalformedMessage: it is none.
    """
    fields = _versioned(body)
    event_id, webhook_id = fields.get("event_id"), fields.get("webhook_id")
    if not isinstance(event_id, str) or not keys.EVENT_ID.fullmatch(event_id):
        raise MalformedMessage("A notify message's event_id is evt_ and 32 hexadecimal digits.")
    if webhook_id is not None and not (
        isinstance(webhook_id, str) and keys.WEBHOOK_ID.fullmatch(webhook_id)
    ):
        raise MalformedMessage("A notify message's webhook_id is wh_ and 26 letters and digits.")
    return NotifyMessage(event_id, webhook_id)


def video_of(created: ObjectCreated) -> str:
    """Id of the video that an object is of, or would be."""
    announced = keys.video_id_from_upload_key(created.key)
    return announced or keys.video_id_of_object(created.bucket, created.key)


def parse_s3(body: str) -> list[ObjectCreated]:
    """All records of an S3 notification in an SQS body; S3's test message has none.

    Raises:
        MalformedMessage: not a notification, or one of something else than a created object.
    """
    fields = _object(body)
    if fields.get("Event") == "s3:TestEvent":
        return []
    records = fields.get("Records")
    if not isinstance(records, list) or not records:
        raise MalformedMessage("An S3 notification needs a list of Records.")
    return [_created(record) for record in records]


def _created(record: Any) -> ObjectCreated:
    try:
        name, s3 = record["eventName"], record["s3"]
        stored = s3["object"]
        created = ObjectCreated(
            bucket=s3["bucket"]["name"],
            key=unquote_plus(stored["key"], errors="strict"),
            etag=stored["eTag"].strip('"'),
            size_bytes=stored["size"],
            at=record["eventTime"],
        )
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise MalformedMessage(f"An S3 record lacks or mangles {error}.") from error
    if not isinstance(name, str) or not name.removeprefix("s3:").startswith("ObjectCreated:"):
        raise MalformedMessage("An S3 record is not about a created object.")
    if not isinstance(created.size_bytes, int) or created.size_bytes < 0:
        raise MalformedMessage("An S3 record's size is not a number of bytes.")
    if not all(isinstance(text, str) and text for text in (created.bucket, created.key)):
        raise MalformedMessage("An S3 record names no bucket or no key.")
    return created


def _versioned(body: str) -> Mapping[str, Any]:
    fields = _object(body)
    if fields.get("version") != _VERSION:
        raise MalformedMessage(f"Messages of version {fields.get('version')!r} are not known.")
    return fields


def _object(body: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("A message is not JSON.") from error
    if not isinstance(fields, dict):
        raise MalformedMessage("A message is not a JSON object.")
    return fields


def _video_id(fields: Mapping[str, Any]) -> str:
    video_id = fields.get("video_id")
    if not isinstance(video_id, str) or not keys.VIDEO_ID.fullmatch(video_id):
        raise MalformedMessage("A message's video_id is 26 lower-case letters and digits.")
    return video_id
