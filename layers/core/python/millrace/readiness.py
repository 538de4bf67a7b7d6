"""`GET /health/ready`: whether everything the API depends on answers, each with its latency. All
are asked side by side, and whatever has not answered in time has failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from millrace import clients, keys
from millrace.config import Settings
from millrace.model import Item
from millrace.queues import ALL_QUEUES, Queues

TIME_LIMIT_S = 3.0
_UNAVAILABLE = (PynamoDBException, BotoCoreError, ClientError)

log = Logger(child=True)


def check(settings: Settings) -> dict[str, Any]:
    """Ask them all.

    Returns:
        `status` `ready` or `unavailable`, and by name `ok` and `latency_ms` of each dependency.
    """
    pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="ready")
    asked = {name: pool.submit(_timed, name, ask) for name, ask in _dependencies(settings).items()}
    wait(asked.values(), timeout=TIME_LIMIT_S)
    # Who still waits for an answer gives up by itself: every client has a time limit.
    pool.shutdown(wait=False, cancel_futures=True)
    found = {name: _answer(future) for name, future in asked.items()}
    ready = all(answer["ok"] for answer in found.values())
    return {"status": "ready" if ready else "unavailable", "dependencies": found}


def _dependencies(settings: Settings) -> dict[str, Callable[[], object]]:
    s3, queues = clients.s3(), Queues(clients.sqs(), settings)
    return {
        "table": lambda: Item.count(keys.HOOKS_PK, Item.sk == keys.TOPIC_SK),
        "uploads_bucket": lambda: s3.head_bucket(Bucket=settings.uploads_bucket),
        "site_bucket": lambda: s3.head_bucket(Bucket=settings.site_bucket),
        **{f"queue_{name}": partial(queues.depth, name) for name in ALL_QUEUES},
    }


def _timed(name: str, ask: Callable[[], object]) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        ask()
        ok = True
    except _UNAVAILABLE:
        log.warning("dependency.failed", extra={"dependency": name}, exc_info=True)
        ok = False
    return {"ok": ok, "latency_ms": round((time.perf_counter() - began) * 1000, 1)}


def _answer(future: Future[dict[str, Any]]) -> dict[str, Any]:
    late = {"ok": False, "latency_ms": round(1000 * TIME_LIMIT_S, 1)}
    return future.result() if future.done() and not future.cancelled() else late
