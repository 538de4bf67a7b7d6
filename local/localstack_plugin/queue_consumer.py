"""SQS event source mappings that run several batches at once.

LocalStack's own poller handles one batch, waits for the function, and then sleeps before it looks
again. AWS runs up to MaximumConcurrency batches side by side and delivers at once:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import copy
import json
import logging
import math
import threading
import time
from typing import Any

from localstack.services.lambda_.event_source_mapping.event_processor import (
    EventProcessorError,
    PartialBatchFailureError,
)
from localstack.services.lambda_.event_source_mapping.pollers.poller import (
    parse_batch_item_failures,
)
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import (
    SqsPoller,
    transform_into_events,
)

from local.localstack_plugin.direct import DirectLambda

LOG = logging.getLogger(__name__)

_WAIT_S = 5
"""Length of a long poll, and so the longest a mapping takes to notice that it was stopped."""
_RECEIVE_MAX = 10
_MAX_BACKOFF_S = 30.0


def parallel(worker: Any, default_concurrency: int) -> Any:
    """Gives an event source mapping's worker the consumer below, if its source is a queue."""
    if isinstance(worker.poller, SqsPoller):
        scaling = worker.esm_config.get("ScalingConfig") or {}
        concurrency = scaling.get("MaximumConcurrency") or default_concurrency
        worker.poller.processor.sender.target_client = DirectLambda()
        worker.poller = QueueConsumer(worker.poller, worker._shutdown_event, concurrency)
    return worker


class QueueConsumer:
    """Stands in for a poller: `poll_events` returns when the mapping stops.

    A batch is received only when it can be started, so no message uses up its visibility timeout
    waiting. Order within the groups of a FIFO queue is the queue's own work: it gives out no
    message of a group that has one in flight.
    """

    def __init__(self, poller: SqsPoller, stop: threading.Event, concurrency: int) -> None:
        self._poller = poller
        self._queue = poller.source_client
        self._stop = stop
        self._slots = threading.Semaphore(concurrency)
        self._failures = 0

    def close(self) -> None:
        """Called after `poll_events`; running batches end as they would have."""

    def poll_events(self) -> None:
        """Starts a thread for each batch, at most `concurrency` of them at a time."""
        while not self._stop.is_set():
            if self._failures:
                self._stop.wait(min(2.0 ** (self._failures - 1), _MAX_BACKOFF_S))
            if not self._slots.acquire(timeout=_WAIT_S):
                continue
            messages = self._receive()
            if not messages:
                self._slots.release()
            elif self._stop.is_set():  # stopped while the poll was under way
                self._slots.release()
                self._give_back(messages)
            else:
                threading.Thread(
                    target=self._run, args=(messages,), name="queue-batch", daemon=True
                ).start()

    def _receive(self) -> list[dict[str, Any]]:
        try:
            return self._batch()
        except Exception as error:  # noqa: BLE001 - the mapping outlives whatever the queue says
            if not self._stop.is_set():
                self._failures += 1
                LOG.warning("cannot receive from %s: %s", self._poller.source_arn, error)
            return []

    def _batch(self) -> list[dict[str, Any]]:
        messages = self._receive_some(self._poller.batch_size, _WAIT_S)
        window_ends_s = time.monotonic() + self._poller.maximum_batching_window
        while messages and (room := self._poller.batch_size - len(messages)) > 0:
            left_s = window_ends_s - time.monotonic()
            more = self._receive_some(room, max(0, min(math.ceil(left_s), _WAIT_S)))
            messages += more
            if self._stop.is_set() or (not more and left_s <= 0):
                break
        return messages

    def _receive_some(self, count: int, wait_s: int) -> list[dict[str, Any]]:
        response = self._queue.receive_message(
            QueueUrl=self._poller.queue_url,
            MaxNumberOfMessages=min(count, _RECEIVE_MAX),
            WaitTimeSeconds=wait_s,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return response.get("Messages") or []

    def _run(self, messages: list[dict[str, Any]]) -> None:
        try:
            done = self._process(messages)
            self._failures = 0
            self._delete([m for m in messages if m["MessageId"] in done])
        except Exception as error:  # noqa: BLE001 - nothing was started: gateway, function state, …
            LOG.warning("cannot start a batch of %s: %s", self._poller.source_arn, error)
            self._failures += 1
            self._give_back(messages)
        finally:
            self._slots.release()

    def _process(self, messages: list[dict[str, Any]]) -> set[str]:
        """Invokes the function; returns the ids that are finished with.

        The others stay hidden until the visibility timeout of the queue, or of the message if the
        function changed it, is over.
        """
        events = transform_into_events(messages)
        ids = {event["messageId"] for event in events}
        wanted = [event for event in events if self._wanted(event)]
        if not wanted:
            return ids
        wanted_ids = {event["messageId"] for event in wanted}
        try:
            self._poller.processor.process_events_batch(self._poller.add_source_metadata(wanted))
        except PartialBatchFailureError as error:
            return ids - _failed(error.partial_failure_payload, wanted_ids)
        except EventProcessorError:  # the function failed as a whole
            return ids - wanted_ids
        return ids

    def _wanted(self, event: dict[str, Any]) -> bool:
        """Whether the mapping's filters let the event through. Filters see a JSON body parsed."""
        if not self._poller.filter_patterns:
            return True
        parsed = copy.deepcopy(event)
        try:
            parsed["body"] = json.loads(event["body"])
        except ValueError:
            LOG.debug("message %s has no JSON body", event["messageId"])
        return bool(self._poller.filter_events([parsed]))

    def _delete(self, messages: list[dict[str, Any]]) -> None:
        for entries in _entries(messages):
            self._queue.delete_message_batch(QueueUrl=self._poller.queue_url, Entries=entries)

    def _give_back(self, messages: list[dict[str, Any]]) -> None:
        try:
            for entries in _entries(messages):
                self._queue.change_message_visibility_batch(
                    QueueUrl=self._poller.queue_url,
                    Entries=[{**entry, "VisibilityTimeout": 0} for entry in entries],
                )
        except Exception as error:  # noqa: BLE001 - then they come back by themselves, later
            LOG.debug("cannot give back messages to %s: %s", self._poller.source_arn, error)


def _failed(payload: Any, ids: set[str]) -> set[str]:
    """Failed ids of a ReportBatchItemFailures answer; a wrong answer fails the whole batch."""
    try:
        return set(parse_batch_item_failures(payload, ids))
    except (KeyError, ValueError):
        return ids


def _entries(messages: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    entries = [
        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
        for index, message in enumerate(messages)
    ]
    return [entries[start : start + _RECEIVE_MAX] for start in range(0, len(entries), _RECEIVE_MAX)]
