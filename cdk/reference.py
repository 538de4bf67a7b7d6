"""Writes the reference pages of the table: `python -m cdk.reference`. A test compares them."""

from __future__ import annotations

from pathlib import Path

from cdk.functions import (
    API,
    DEAD_LETTER_RETENTION_DAYS,
    FUNCTIONS,
    MAX_RECEIVE_COUNT,
    MESSAGE_RETENTION_DAYS,
    VISIBILITY_PER_TIMEOUT,
    Function,
    queue_name,
)

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
_NOTE = "<!-- Made by `python -m cdk.reference` from cdk/functions.py; do not edit. -->"


def pages() -> dict[str, str]:
    """File name → text."""
    return {"functions.md": _functions(), "queues.md": _queues()}


def _functions() -> str:
    rows = [
        [
            f"`millrace-{spec.name}`",
            spec.purpose,
            spec.package.value,
            _trigger(spec),
            f"{spec.timeout_s} s",
            f"{spec.memory_mb} MB",
        ]
        for spec in (*FUNCTIONS, API)
    ]
    header = ["function", "what it does", "package", "started by", "timeout", "memory"]
    details = "\n\n".join(_permissions(spec) for spec in (*FUNCTIONS, API))
    return f"""{_NOTE}

# Functions

Zip functions run with the layer `millrace-core`; image functions bring the engine. The code is in
`functions/<name>/handler.py`, of the API in `app.py`.

{_table(header, rows)}

## Permissions

What each function may do besides reading its own queue, writing to that queue's dead-letter queue
and writing its own log. Nothing else is granted.

{details}
"""


def _trigger(spec: Function) -> str:
    if spec.queue:
        return f"queue `{queue_name(spec.name)}`"
    if spec.access.sockets:
        return "API Gateway, WebSocket"
    return f"every {spec.schedule_minutes} min" if spec.schedule_minutes else "API Gateway"


def _permissions(spec: Function) -> str:
    access = spec.access
    lines = [
        ("DynamoDB, the table", access.table),
        ("DynamoDB, queries of the indexes", access.indexes),
        ("S3, uploads bucket", access.uploads_bucket),
        ("S3, `uploads/*` in it", access.uploads),
        ("S3, site bucket, prefix `videos/`", access.media_listing),
        ("S3, `videos/*` in it", access.media),
        ("DynamoDB, `DeleteItem` of items below", access.deletes),
        ("SNS, the topic of events", access.topic),
        ("S3, site bucket", access.site_bucket),
        ("SQS, depth of", tuple(queue_name(name) for name in access.watches)),
        (
            "SQS, depth of",
            tuple(queue_name(name, dead_letter=True) for name in access.watches_letters),
        ),
        (
            "SQS, receives from and deletes in",
            tuple(queue_name(name, dead_letter=True) for name in access.takes_letters),
        ),
        ("`@connections` of the WebSocket API", access.sockets),
        ("SSM, the relays' secret", access.turn_secret),
        ("SQS, sends to", tuple(queue_name(name) for name in access.sends)),
    ]
    items = "\n".join(
        f"- {what}: {', '.join(f'`{name}`' for name in names)}" for what, names in lines if names
    )
    return f"### {spec.name}\n\n{items}"


def _queues() -> str:
    rows = [
        [
            f"`{queue_name(spec.name)}`",
            f"`{queue_name(spec.name, dead_letter=True)}`",
            f"`millrace-{spec.name}`",
            str(spec.queue.batch_size),
            _concurrency(spec),
            f"{spec.visibility_s} s",
        ]
        for spec in FUNCTIONS
        if spec.queue
    ]
    header = ["queue", "dead letters", "read by", "batch", "at once", "hidden for"]
    return f"""{_NOTE}

# Queues

{_table(header, rows)}

- **At once**: invocations that the event source mapping starts side by side
  (`MaximumConcurrency`); a deployment may choose others (`probe_concurrency` and so on).
- **Hidden for**: visibility timeout of a received message, {VISIBILITY_PER_TIMEOUT} × the
  function's timeout. In a FIFO queue all later messages of a video wait for it, so there it is the
  timeout itself: no longer than that does a killed function hold up its video.
- A message of a task queue is the right to run one task of that queue, usually the one it names:
  a more urgent one goes first ([fairness](../explanation/fairness.md)).
- A failing task is tried again after 1, 2 and 4 s by its worker, which then writes a dead letter
  with the reason, the attempts and the engine's log. Besides, SQS moves a message by itself after
  {MAX_RECEIVE_COUNT} receives: the backstop for workers that die without a word.
- Messages are kept {MESSAGE_RETENTION_DAYS} days, dead letters {DEAD_LETTER_RETENTION_DAYS}.
  An alarm rings for every dead-letter queue that holds a message.
- Dead letters of `{queue_name("ingest")}` and `{queue_name("publish")}` that can be read are sent
  again by the monitor, every minute; unreadable ones stay.
- All queues are encrypted (SSE-SQS) and refuse plain HTTP. `{queue_name("publish")}` keeps the
  order of the messages of one video; its senders name each message, equal bodies are not merged.
- `{queue_name("notify")}` holds no delivery back for longer than 15 minutes; longer waits are in
  the table. Its dead letters are deliveries that were given up, after ten attempts in 31 hours.
- `{queue_name("ingest")}` is filled by S3: `ObjectCreated` below `uploads/`.
"""


def _concurrency(spec: Function) -> str:
    assert spec.queue is not None
    return str(spec.queue.max_concurrency)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
