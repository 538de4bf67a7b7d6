"""Redelivery from FIFO queues, group by group.

LocalStack gives up its round over the messages in flight at the first one that is still hidden, of
whatever group: one slow consumer then holds back the retries of all other groups.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from localstack.services.sqs.models import FifoQueue


def requeue_visible(queue: FifoQueue) -> None:
    """Makes messages whose visibility timeout is over visible again.

    Within a group a hidden message still holds back those after it, as their order demands.
    """
    with queue.mutex:
        held_back: set[str] = set()
        for message in sorted(queue.inflight):
            group = message.message_group_id
            if group in held_back:
                continue
            if message.is_visible:
                del queue.inflight[message]
                queue._put_message(message)
            else:
                held_back.add(group)
