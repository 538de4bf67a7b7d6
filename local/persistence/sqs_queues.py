"""LocalStack's queues, made to write their messages down.

The queue itself (attributes, tags, policies) is in the service's snapshot. A message that was in
flight when the process died is visible again at once: its consumer is gone.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

import pickle
import uuid
from typing import Any

from localstack.services.sqs.models import (
    FifoQueue,
    SqsMessage,
    SqsQueue,
    StandardQueue,
    sqs_stores,
)

from local.persistence.sqs_journal import MessageJournal

_HELD = (
    "visible", "delayed", "inflight", "receipts", "mutex", "deduplication", "message_groups",
    "inflight_groups", "message_group_queue",
)  # fmt: skip
_OF_RECEIVING = (
    "receive_count", "receipt_handles", "last_received", "first_received", "visibility_deadline",
    "deleted", "journaled",
)  # fmt: skip


def definition_of(queue: SqsQueue) -> dict[str, Any]:
    """A queue without its messages."""
    return {name: value for name, value in queue.__dict__.items() if name not in _HELD}


def rebuild(kind: type[SqsQueue], definition: dict[str, Any]) -> SqsQueue:
    """The queue of a definition, empty."""
    queue = kind(definition["name"], definition["region"], definition["account_id"])
    queue.__dict__.update(definition)
    return queue


def identity(queue: SqsQueue) -> str:
    """Tells a queue from an earlier one of the same name."""
    return str(queue.__dict__.setdefault("millrace_id", uuid.uuid4().hex))


def journal_messages(journal: MessageJournal) -> None:
    """From now on every queue writes down what it takes and what it gives up."""
    for kind in (StandardQueue, FifoQueue):
        _journal_put(kind, journal)
        _journal_arrival(kind, journal)
        _journal_removal(kind, journal)


def _write_down(queue: SqsQueue, message: SqsMessage, journal: MessageJournal) -> None:
    if getattr(message, "journaled", False):
        return
    message.journaled = True
    deduplication_id = message.message_deduplication_id if isinstance(queue, FifoQueue) else None
    state = {k: v for k, v in message.__dict__.items() if k not in _OF_RECEIVING}
    journal.add(identity(queue), message.message_id, pickle.dumps(state), deduplication_id)


def _journal_arrival(kind: type[SqsQueue], journal: MessageJournal) -> None:
    """Before a message can be received: else it could be deleted before it is written down."""
    arrive = kind._put_message

    def put_message(self: SqsQueue, message: SqsMessage) -> None:
        _write_down(self, message, journal)
        arrive(self, message)

    kind._put_message = put_message


def _journal_put(kind: type[SqsQueue], journal: MessageJournal) -> None:
    """A message with a delay arrives later, but is acknowledged now."""
    put = kind.put

    def put_and_write(self: SqsQueue, *arguments: Any, **named: Any) -> SqsMessage:
        message = put(self, *arguments, **named)
        if message in self.delayed:
            _write_down(self, message, journal)
        return message

    kind.put = put_and_write


def _journal_removal(kind: type[SqsQueue], journal: MessageJournal) -> None:
    remove, clear = kind._on_remove_message, kind.clear

    def on_remove(self: SqsQueue, message: SqsMessage) -> None:
        journal.remove(identity(self), message.message_id)
        remove(self, message)

    def clear_both(self: SqsQueue) -> None:
        clear(self)
        journal.clear(identity(self))

    kind._on_remove_message = on_remove
    kind.clear = clear_both


def restore_messages(journal: MessageJournal) -> None:
    """Give the restored queues their messages back."""
    queues = [queue for _, _, store in sqs_stores.iter_stores() for queue in store.queues.values()]
    journal.keep_only({identity(queue) for queue in queues})
    for queue in queues:
        for data in journal.messages(identity(queue)):
            message = _message(data)
            if message.is_delayed:
                queue.delayed.add(message)
            else:
                queue._put_message(message)
        if isinstance(queue, FifoQueue):
            for deduplication_id, data in journal.deduplication(identity(queue)):
                queue.deduplication[deduplication_id] = _message(data)


def _message(data: bytes) -> SqsMessage:
    state = pickle.loads(data)  # noqa: S301 - our own file
    message = SqsMessage(state["priority"], state["message"])
    message.__dict__.update(state)
    message.journaled = True
    return message
