"""Every move of a video or a task: one conditional DynamoDB transaction with its line in the log.

`commit` settles three outcomes for its callers. It returns: the move was made, once. It raises
`TransitionRefused`: a condition did not hold, nothing was written. It raises `RetryableError`:
DynamoDB could not answer in time; the caller's message is delivered again later.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from millrace import clock, counters, keys, news
from millrace.errors import Reason, RetryableError, TransitionRefused
from millrace.model import Item, Transaction

Write = Callable[[TransactWrite], None]

_ATTEMPTS = 12
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 1.0
_REFUSED = "ConditionalCheckFailed"
_PASSING = frozenset(
    {
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
        "SlowDown",
    }
)


def put(item: Item) -> Write:
    """Write an item that must not exist yet."""
    return lambda transaction: transaction.save(item, Item.pk.does_not_exist())


def update(item: Item, actions: Sequence[Action], condition: Condition) -> Write:
    """Change an existing item, found by its keys, if `condition` holds."""
    return lambda transaction: transaction.update(item, list(actions), condition)


def check(item: Item, condition: Condition) -> Write:
    """Change nothing of an item, found by its keys, but insist that `condition` holds."""
    return lambda transaction: transaction.condition_check(
        type(item), item.pk, item.sk, condition=condition
    )


def remove(item: Item, condition: Condition) -> Write:
    """Delete an item, found by its keys, if `condition` holds."""
    return lambda transaction: transaction.delete(item, condition)


def entry(
    video_id: str,
    event: str,
    *,
    task_id: str | None = None,
    attempt: int | None = None,
    detail: dict[str, Any] | None = None,
) -> Transaction:
    """A line of the log, not yet written. Its key is unique: it proves later that the transaction
    it belongs to was committed."""
    at = clock.now()
    unique = f"{task_id or 'video'}#{secrets.token_hex(4)}"
    return Transaction(
        keys.video_pk(video_id),
        keys.log_sk(at, event, unique),
        video_id=video_id,
        at=keys.timestamp(at),
        event=event,
        task_id=task_id,
        attempt=attempt,
        detail=detail,
    )


def commit(entries: Sequence[Transaction], *writes: Write) -> None:
    """Make one move: all `writes`, their log `entries` and what these add to the counters, or
    nothing; and with them, where somebody listens for such a line, the news of it, whose telling
    is then asked for.

    Raises:
        TransitionRefused: a condition did not hold.
        RetryableError: OUTPUT_FAILED, after conflicts or throttling that would not pass.
    """
    told = news.of(entries)
    try:
        lines, outbox = map(put, entries), map(put, told)
        commit_unlogged(*lines, *outbox, *writes, *counters.of_lines(entries))
    except TransitionRefused as refusal:
        # If our line is there, an earlier answer was lost on its way and this is our own echo.
        if not _is_written(entries[0]):
            raise TransitionRefused(entries[0].event) from refusal
    news.announce(told)


def commit_unlogged(*writes: Write) -> None:
    """All `writes` or nothing, for what is no move of its own: it may be repeated.

    Raises:
        TransitionRefused: a condition did not hold.
        RetryableError: OUTPUT_FAILED, after conflicts or throttling that would not pass.
    """
    token = secrets.token_hex(16)
    for _ in _attempts():
        try:
            _write_once(token, writes)
            return
        except TransactWriteError as error:
            if _is_refusal(error):
                raise TransitionRefused("a condition did not hold") from error
            if not _may_pass(error):
                raise
    raise _too_busy()


def commit_progress(*writes: Write) -> bool:
    """Book-keeping over several items that is no move and has no line in the log; tried once.

    Returns:
        Whether it was written; False when others were writing: the next one carries its news.

    Raises:
        TransitionRefused: a condition did not hold.
    """
    try:
        _write_once(secrets.token_hex(16), writes)
    except TransactWriteError as error:
        if _is_refusal(error):
            raise TransitionRefused("progress") from error
        if not _may_pass(error):
            raise
        return False
    return True


def update_once(item: Item, actions: Sequence[Action], condition: Condition) -> None:
    """One conditional update of one item outside of the log: book-keeping that is no move.

    Raises:
        TransitionRefused: the condition did not hold.
        RetryableError: OUTPUT_FAILED, after conflicts or throttling that would not pass.
    """
    for _ in _attempts():
        try:
            item.update(actions=list(actions), condition=condition)
            return
        except PynamoDBException as error:
            if _code(error) == "ConditionalCheckFailedException":
                raise TransitionRefused(str(item.sk)) from error
            if _code(error) not in _PASSING:
                raise
    raise _too_busy()


def _attempts() -> Iterator[None]:
    """Yields once per attempt and waits in between, with full jitter: workers of one video that
    collide must not collide again in step."""
    longest_s = _FIRST_WAIT_S
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(random.uniform(0, longest_s))  # noqa: S311 - not for secrets
            longest_s = min(2 * longest_s, _LONGEST_WAIT_S)
        yield


def _is_refusal(error: TransactWriteError) -> bool:
    return any(reason and reason.code == _REFUSED for reason in error.cancellation_reasons)


def _may_pass(error: TransactWriteError) -> bool:
    codes = {reason.code for reason in error.cancellation_reasons if reason}
    return bool(codes & _PASSING) or _code(error) in _PASSING


def _code(error: PynamoDBException) -> str | None:
    """DynamoDB's error code; None when it did not answer at all (then `cause_response_code` of
    the error stumbles over a response that is None)."""
    response = getattr(error.cause, "response", None) or {}
    code: str | None = response.get("Error", {}).get("Code")
    return code


def _too_busy() -> RetryableError:
    return RetryableError(Reason.OUTPUT_FAILED, "The database is too busy; the step is repeated.")


def _write_once(token: str, writes: Sequence[Write]) -> None:
    with TransactWrite(connection=_connection(), client_request_token=token) as transaction:
        for write in writes:
            write(transaction)


def _is_written(line: Transaction) -> bool:
    return Item.count(line.pk, Item.sk == line.sk, consistent_read=True) > 0


def _connection() -> Connection:
    return Item._get_connection().connection
