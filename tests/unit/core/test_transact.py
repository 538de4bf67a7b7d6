"""Conditional transactions when DynamoDB is busy or its answer is lost."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import PynamoDBException

from millrace import tasks, transact, videos
from millrace.errors import RetryableError, TransitionRefused
from millrace.events import TaskMessage
from millrace.model import Task, TaskKind, TaskStatus, Video
from tests.unit.core.harness import VIDEO_ID, Cloud

PROBE = TaskMessage(VIDEO_ID, TaskKind.PROBE, 0)


@pytest.fixture
def queued(cloud: Cloud) -> Cloud:
    cloud.upload()
    cloud.deliver("ingest")
    return cloud


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def cancelled(*codes: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [{"Code": code, "Message": code} for code in codes],
    }
    return ClientError(answer, "TransactWriteItems")


def fail_first(cloud: Cloud, error: Exception, times: int, operation: str) -> None:
    left = iter(range(times))

    def fail(called: str) -> None:
        if called == operation and next(left, None) is not None:
            raise error

    cloud.wire.on_call = fail


@pytest.mark.parametrize(
    "error",
    [
        cancelled("None", "TransactionConflict"),
        cancelled("ThrottlingError", "None"),
        cancelled("None", "ProvisionedThroughputExceeded"),
        ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems"),
        ClientError({"Error": {"Code": "TransactionInProgressException"}}, "TransactWriteItems"),
    ],
)
def test_move_is_made_once_when_others_were_in_the_way(
    queued: Cloud, error: ClientError, no_waiting: list[float]
) -> None:
    fail_first(queued, error, 5, "TransactWriteItems")
    tasks.start(PROBE, "worker")
    assert queued.events().count("task.started") == 1
    assert len(no_waiting) == 5
    assert max(no_waiting) <= 1


def test_message_comes_again_when_others_never_let_go(queued: Cloud) -> None:
    fail_first(queued, cancelled("TransactionConflict"), 1000, "TransactWriteItems")
    with pytest.raises(RetryableError, match="busy"):
        tasks.start(PROBE, "worker")


def test_error_is_not_hidden_when_it_is_no_passing_one(queued: Cloud) -> None:
    fail_first(queued, cancelled("ValidationError"), 1, "TransactWriteItems")
    with pytest.raises(PynamoDBException):
        tasks.start(PROBE, "worker")


def test_move_counts_as_made_when_only_its_answer_was_lost(queued: Cloud) -> None:
    """The first answer is lost on its way, and the second try sees its own condition fail."""
    real, lost = queued.wire._real, iter([True])

    def lose(client: Any, operation: str, arguments: Any) -> Any:
        answer = real(client, operation, arguments)
        if operation == "TransactWriteItems" and next(lost, False):
            raise cancelled("TransactionConflict")
        return answer

    queued.wire._real = lose
    lease, _, _ = tasks.start(PROBE, "worker")
    assert lease.attempt == 1
    assert queued.task(TaskKind.PROBE).status == TaskStatus.RUNNING
    assert queued.events().count("task.started") == 1


def test_nothing_is_written_when_one_condition_fails(queued: Cloud) -> None:
    lease, _, _ = tasks.start(PROBE, "worker")
    before = queued.events()
    good = transact.update(videos.key_of(VIDEO_ID), [Video.title.set("x")], Video.pk.exists())
    refused = transact.update(
        lease.key, tasks.ended(TaskStatus.DONE), Task.attempt == lease.attempt + 1
    )
    with pytest.raises(TransitionRefused):
        transact.commit([transact.entry(VIDEO_ID, "test.moved")], good, refused)
    assert queued.events() == before
    assert queued.video().title == "A film"


def test_progress_waits_for_the_next_beat_when_the_video_is_busy(queued: Cloud) -> None:
    queued.deliver("probe")
    chunk = TaskMessage(VIDEO_ID, TaskKind.TRANSCODE, 0)
    lease, _, _ = tasks.start(chunk, "worker")
    fail_first(queued, cancelled("TransactionConflict"), 1, "TransactWriteItems")
    assert tasks.beat(lease, 0, 10, tasks.Load()) == 0
    assert tasks.beat(lease, 0, 20, tasks.Load()) == 20
    assert queued.video().units_done == 20


def test_update_is_repeated_when_a_transaction_holds_the_item(queued: Cloud) -> None:
    lease, _, _ = tasks.start(PROBE, "worker")
    error = ClientError({"Error": {"Code": "TransactionConflictException"}}, "UpdateItem")
    fail_first(queued, error, 3, "UpdateItem")
    assert tasks.beat(lease, 0, 0, tasks.Load(1.0, 2)) == 0
    assert queued.task(TaskKind.PROBE).memory_bytes == 2


def test_timeout_is_an_error_of_its_own_when_the_database_is_away(queued: Cloud) -> None:
    error = ReadTimeoutError(endpoint_url="dynamodb")
    fail_first(queued, error, 1000, "TransactWriteItems")
    with pytest.raises(PynamoDBException):
        tasks.start(PROBE, "worker")
