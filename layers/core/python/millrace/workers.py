"""Who works: one small item for each process of a function that runs tasks, written as it begins an
attempt, with its heartbeats and as it ends. For people and dashboards; nothing depends on it, so a
write that fails is left out. What counts for a task is its own heartbeat (`seats`)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from millrace import clock, keys, transact
from millrace.errors import RetryableError, TransitionRefused
from millrace.model import Item, Worker
from millrace.queues import queue_of
from millrace.seats import LOST_AFTER_S
from millrace.tasks import Lease, Load

_FAILS = (PynamoDBException, BotoCoreError, ClientError)
HEARD_OF = timedelta(minutes=15)
"""Who was not heard of for so long is gone."""


def name(context: LambdaContext) -> str:
    """A worker's name: the process's own part of the log stream it writes to, or of the request
    where there is none."""
    stream: str = getattr(context, "log_stream_name", "") or ""
    return stream.rpartition("]")[2] or context.aws_request_id


def at_work(lease: Lease, percent: int, load: Load) -> None:
    """A worker works on an attempt, and is so far."""
    _tell(
        lease,
        video_id=lease.task.video_id,
        task_id=lease.task.task_id,
        attempt=lease.attempt,
        percent=percent,
        cpu_percent=None if load.cpu_percent is None else round(load.cpu_percent, 1),
        memory_bytes=load.memory_bytes,
        started_at=lease.started_at,
    )


def idle(lease: Lease) -> None:
    """It has come to the end of that attempt."""
    _tell(lease)


def replaced(lease: Lease) -> None:
    """Its worker was silent for too long, and its task is to be another's."""
    item = Worker(keys.worker_pk(lease.worker), lease.worker)
    on_it = (Worker.video_id == lease.task.video_id) & (Worker.task_id == lease.task.task_id)
    with suppress(TransitionRefused, RetryableError, *_FAILS):
        transact.update_once(
            item,
            [Worker.replaced_at.set(clock.stamp())],
            on_it & (Worker.attempt == lease.attempt),
        )


def view() -> dict[str, Any]:
    """`GET /workers`: who was heard of lately, those that work first, then by name. Whoever was
    replaced is gone, until it is heard of again."""
    since = clock.stamp(-HEARD_OF.total_seconds())
    found = [
        item
        for shard in range(keys.SHARDS)
        for item in Item.query(keys.workers_pk(shard))
        if isinstance(item, Worker) and item.heartbeat_at > since
    ]
    shown = [_view(worker) for worker in found if not worker.replaced_at]
    shown.sort(key=lambda worker: (_ORDER[worker["status"]], worker["function"], worker["id"]))
    return {"at": clock.stamp(), "workers": shown}


_ORDER: Mapping[str, int] = {"working": 0, "unresponsive": 1, "idle": 2}


def _tell(lease: Lease, **state: Any) -> None:
    item = Worker(
        keys.worker_pk(lease.worker),
        lease.worker,
        function=queue_of(lease.task.kind),
        heartbeat_at=clock.stamp(),
        ttl=clock.now() + HEARD_OF,
        **state,
    )
    with suppress(*_FAILS):
        item.save()


def _view(worker: Worker) -> dict[str, Any]:
    age_s = clock.age_s(worker.heartbeat_at)
    silent = age_s >= LOST_AFTER_S
    working = "unresponsive" if silent else "working"
    return {
        "id": worker.sk,
        "function": worker.function,
        "status": working if worker.task_id else "idle",
        "video_id": worker.video_id,
        "task_id": worker.task_id,
        "attempt": _whole(worker.attempt),
        "percent": _whole(worker.percent),
        "cpu_percent": None if worker.cpu_percent is None else float(worker.cpu_percent),
        "memory_bytes": _whole(worker.memory_bytes),
        "started_at": worker.started_at,
        "heartbeat_at": worker.heartbeat_at,
        "heartbeat_age_s": round(max(0.0, age_s), 1),
    }


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
