"""Sending to the queues, holding messages back, and dead letters."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from millrace import clock, events
from millrace.config import Settings
from millrace.events import ObjectCreated, PublishAction, TaskMessage
from millrace.model import Delivery, News, Task, TaskKind
from millrace.trace_ids import message_attributes

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_QUEUE_OF_KIND: Mapping[TaskKind, str] = {
    TaskKind.PROBE: "probe",
    TaskKind.TRANSCODE: "transcode",
    TaskKind.AUDIO: "transcode",
    TaskKind.SUBTITLES: "transcode",
    TaskKind.THUMBNAIL: "thumbnail",
}
LONGEST_DELAY_S = 900
"""SQS holds no message back for longer."""
_LONGEST_BODY_BYTES = 200_000
"""SQS takes 256 KiB (1 MiB lately); a dead letter leaves room for its attributes."""
_LETTER_HIDDEN_S = 10
"""From other readers, once the monitor has looked at it: people want to see what stays."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages of a queue, as far as SQS knows at the moment."""

    waiting: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A received message of a dead-letter queue."""

    body: str
    receipt_handle: str


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues by name: `ingest`, `probe`, `transcode`, `thumbnail`, `publish`, `notify`."""

    sqs: SQSClient
    settings: Settings

    def send_task(self, task: TaskMessage, delay_s: int = 0) -> None:
        """Announce a task. Sending twice does no harm: starting it is a conditional write.

        Args:
            delay_s: the message comes so much later; up to `LONGEST_DELAY_S`.
        """
        self.sqs.send_message(
            QueueUrl=self._url(_name(task)),
            MessageBody=task.body(),
            DelaySeconds=delay_s,
            MessageAttributes=message_attributes(task.video_id),
        )

    def send_tasks(self, tasks: Sequence[TaskMessage]) -> None:
        """Announce many, in order, ten a request; what SQS turns down is sent singly."""
        for name in dict.fromkeys(_name(task) for task in tasks):
            mine = [task for task in tasks if _name(task) == name]
            for start in range(0, len(mine), 10):
                self._send_ten(self._url(name), mine[start : start + 10])

    def send_publish(
        self, video_id: str, cause: str, action: PublishAction = PublishAction.PUBLISH
    ) -> None:
        """Ask for the playlists of a video to be brought up to date (or for its purge).

        Args:
            cause: makes the message distinct for FIFO de-duplication, e.g. a task and its attempt:
                the same cause within five minutes is the same message.
        """
        self.sqs.send_message(
            QueueUrl=self.settings.publish_queue_url,
            MessageBody=events.publish_body(action, video_id),
            MessageGroupId=video_id,
            MessageDeduplicationId=f"{video_id}-{action}-{cause}"[:128],
            MessageAttributes=message_attributes(video_id),
        )

    def send_purge(self, video_id: str) -> None:
        """Ask for everything of a video to be removed. Repeatable."""
        self.send_publish(video_id, clock.stamp(), PublishAction.PURGE)

    def send_found(self, created: ObjectCreated) -> None:
        """Tell of an object whose notification was lost."""
        self.sqs.send_message(
            QueueUrl=self._url("ingest"),
            MessageBody=events.s3_body(created),
            MessageAttributes=message_attributes(events.video_of(created)),
        )

    def send_notify(self, news: News | Delivery, delay_s: float = 0) -> None:
        """Have news told, or one delivery of them tried. Repeatable.

        Args:
            delay_s: 900 at most; what must wait longer is in the table, not in a queue.
        """
        webhook_id = news.webhook_id if isinstance(news, Delivery) else None
        self.sqs.send_message(
            QueueUrl=self._url("notify"),
            MessageBody=events.notify_body(news.event_id, webhook_id),
            DelaySeconds=math.ceil(delay_s),
            MessageAttributes=message_attributes(news.video_id),
        )

    def is_idle(self, name: str) -> bool:
        """Whether no message of a queue waits for a worker (SQS's number, so about now)."""
        answer = self.sqs.get_queue_attributes(
            QueueUrl=self._url(name), AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"]) == 0

    def depths(self) -> dict[str, Depth]:
        """Of all queues, by name."""
        return {name: self.depth(name) for name in ALL_QUEUES}

    def depth(self, name: str) -> Depth:
        """Of one queue."""
        return self._depth(self._url(name))

    def letters(self, name: str) -> int:
        """Messages in the dead-letter queue of a queue."""
        depth = self._depth(getattr(self.settings, f"{name}_dlq_url"))
        return depth.waiting + depth.in_flight

    def take_letters(self, name: str) -> list[Letter]:
        """Up to ten dead letters of a queue; what is not deleted is back in 10 seconds."""
        answer = self.sqs.receive_message(
            QueueUrl=getattr(self.settings, f"{name}_dlq_url"),
            MaxNumberOfMessages=10,
            VisibilityTimeout=_LETTER_HIDDEN_S,
        )
        return [
            Letter(message["Body"], message["ReceiptHandle"])
            for message in answer.get("Messages", [])
        ]

    def delete_letter(self, name: str, receipt_handle: str) -> None:
        """Remove a dead letter that was taken."""
        url: str = getattr(self.settings, f"{name}_dlq_url")
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt_handle)

    def hold(self, name: str, receipt_handle: str, seconds: int) -> None:
        """Keep a received message invisible for `seconds` from now, then deliver it again."""
        self.sqs.change_message_visibility(
            QueueUrl=self._url(name), ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )

    def send_dead_letter(self, task: Task) -> None:
        """Keep a failed task's message with what is known about its end."""
        message = TaskMessage.of(task)
        letter = {
            **json.loads(message.body()),
            "reason": task.reason,
            "message": task.reason_message,
            "attempts": task.attempts or [],
            "engine_log": task.engine_log or "",
        }
        self._send_letter(_name(message), letter, task.video_id)

    def send_delivery_letter(self, delivery: Delivery) -> None:
        """Keep the message of a delivery that was given up, with what was tried."""
        letter = {
            **json.loads(events.notify_body(delivery.event_id, delivery.webhook_id)),
            "event": delivery.event,
            "video_id": delivery.video_id,
            "attempts": delivery.attempts or [],
        }
        self._send_letter("notify", letter, delivery.video_id)

    def send_unreadable(self, name: str, body: str, reason: str, message: str) -> None:
        """Keep a message that nobody can work on, as text, with the reason."""
        self._send_letter(
            name,
            {"body": body, "reason": reason, "message": message, "attempts": [], "engine_log": ""},
        )

    def _send_letter(self, name: str, letter: dict[str, Any], video_id: str | None = None) -> None:
        body = json.dumps(letter, ensure_ascii=False)
        if len(body.encode()) > _LONGEST_BODY_BYTES:
            shortened = {key: str(value)[:40_000] for key, value in letter.items()}
            body = json.dumps({**shortened, "shortened": True}, ensure_ascii=False)
        url: str = getattr(self.settings, f"{name}_dlq_url")
        order: Any = {}
        if url.endswith(".fifo"):
            order = {"MessageGroupId": "dead", "MessageDeduplicationId": clock.stamp()}
        told = message_attributes(video_id)
        self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=told, **order)

    def _send_ten(self, url: str, tasks: Sequence[TaskMessage]) -> None:
        entries: Any = [
            {
                "Id": str(number),
                "MessageBody": task.body(),
                "MessageAttributes": message_attributes(task.video_id),
            }
            for number, task in enumerate(tasks)
        ]
        answer = self.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        for failed in answer.get("Failed", []):
            self.send_task(tasks[int(failed["Id"])])

    def _depth(self, url: str) -> Depth:
        answer = self.sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        found = answer["Attributes"]
        return Depth(
            int(found["ApproximateNumberOfMessages"]),
            int(found["ApproximateNumberOfMessagesNotVisible"]),
        )

    def _url(self, name: str) -> str:
        url: str = getattr(self.settings, f"{name}_queue_url")
        return url


TASK_QUEUES = tuple(dict.fromkeys(_QUEUE_OF_KIND.values()))
"""Names of the queues that carry tasks."""

ALL_QUEUES = ("ingest", *TASK_QUEUES, "publish", "notify")


def queue_of(kind: TaskKind) -> str:
    """Name of the queue that carries tasks of a kind."""
    return _QUEUE_OF_KIND[kind]


def _name(task: TaskMessage) -> str:
    return _QUEUE_OF_KIND[task.kind]
