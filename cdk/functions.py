"""The table of functions and queues: the one place that names them.

Everything else follows from it: Lambda functions, queues with their dead-letter queues and alarms,
event source mappings, permissions, environment variables, the folders in `functions/` and the
reference pages. A permission that is not written here is not granted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cdk.settings import Settings

PREFIX = "millrace"
TOPIC = f"{PREFIX}-events"
"""Name of the SNS topic of events."""
SOCKET_STAGE = "signal"
"""Stage of the WebSocket API: the end of its address."""
TURN_SECRET = f"/{PREFIX}/turn-secret"
"""Name of the SSM parameter with the secret that relays of calls share. Whoever runs one puts it
there: a template has no place for a secret."""
FIRST_TOKEN = f"/{PREFIX}/first-token"
"""SSM parameter that the first access token is left in, where the setting `token_store` says so."""
VISIBILITY_PER_TIMEOUT = 6
"""Visibility timeout ÷ function timeout. AWS asks for at least 6 with SQS event sources, so that a
throttled invocation can be retried before the message shows up again."""
MAX_RECEIVE_COUNT = 5
"""The backstop for handlers that die without a word; a handler that lives gives up after four."""
MESSAGE_RETENTION_DAYS = 4
DEAD_LETTER_RETENTION_DAYS = 14
"""The longest SQS allows: a dead letter waits for a person."""


class Package(StrEnum):
    ZIP = "zip"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue that feeds one function. Its dead-letter queue is implied.

    Attributes:
        batch_size: messages per invocation.
        max_concurrency: invocations at once that the event source mapping may start (2 to 1000),
            unless the deployment chooses (`{function}_concurrency`).
        fifo: keep the order of messages with the same group (the video's id).
    """

    batch_size: int
    max_concurrency: int
    fifo: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """What a function may do, beyond reading its own queue and writing its own log.

    Attributes:
        table: DynamoDB actions on the table, without the `dynamodb:` prefix. Transactions are
            authorised by the actions they are made of.
        indexes: indexes of the table that may be queried.
        uploads: S3 actions on `uploads/*` of the uploads bucket, without the `s3:` prefix.
        media: S3 actions on `videos/*` of the site bucket, without the `s3:` prefix.
        uploads_bucket: S3 actions on the uploads bucket itself. Whoever may not `ListBucket` gets
            403 instead of 404 for an object that is not there.
        media_listing: S3 actions on the site bucket itself, limited to the prefix `videos/`.
        sends: queues (by function name) that messages may be sent to.
        deletes: partition keys of items that `DeleteItem` may remove, for whoever is not given the
            action on the whole table.
        topic: SNS actions on the topic of events, without the `sns:` prefix.
        watches: queues (by function name) whose depth may be asked for.
        watches_letters: the same of their dead-letter queues.
        takes_letters: queues (by function name) whose dead letters may be received and deleted.
        site_bucket: S3 actions on the site bucket itself, whose list is as public as its objects.
        sockets: methods of `@connections` on the WebSocket API (`POST`, `DELETE`).
        turn_secret: SSM actions on the relays' secret, without the `ssm:` prefix.
    """

    table: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    uploads_bucket: tuple[str, ...] = ()
    media_listing: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    watches_letters: tuple[str, ...] = ()
    takes_letters: tuple[str, ...] = ()
    site_bucket: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()
    turn_secret: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function: `functions/{name}/handler.py`, deployed as `millrace-{name}`.

    Attributes:
        purpose: one line for the reference page.
        settings: names of `cdk.settings.Settings` fields handed on as `MILLRACE_<NAME>`.
        tells_addresses: it tells people where things are, so it must know the site's public URL.
        schedule_minutes: invoked every so many minutes, for functions without a queue.
    """

    name: str
    package: Package
    purpose: str
    timeout_s: int
    memory_mb: int
    access: Access
    queue: Queue | None = None
    schedule_minutes: int | None = None
    settings: tuple[str, ...] = field(default=())
    tells_addresses: bool = False

    @property
    def visibility_s(self) -> int:
        """Visibility timeout of the queue that feeds this function, in seconds.

        While a message of a FIFO queue is hidden, so is all that comes after it in its group: what
        a killed function leaves there is to come back as soon as SQS allows. A throttled message
        that comes back too early does no harm, as every handler is idempotent.
        """
        assert self.queue is not None
        return self.timeout_s * (1 if self.queue.fifo else VISIBILITY_PER_TIMEOUT)


_READ = ("GetItem", "Query")
_WRITE = ("ConditionCheckItem", "PutItem", "UpdateItem")
_READ_UPLOADS = ("GetObject",)
_SEE_UPLOADS = ("ListBucket",)
_ENGINE_LIMITS = ("max_duration_s", "max_pixels", "max_output_bytes", "sandbox")
_BESIDE_THE_ENGINE_MB = 256
"""For Python in a function that runs the engine."""

_QUEUES = ("ingest", "probe", "transcode", "thumbnail", "publish", "notify")
_OTHER_QUEUES = ("ingest", "publish", "notify")
"""Those that carry no tasks: what failed there, only their dead-letter queues know."""
_TALLY_SHARDS = 8
"""Partitions of the counters, `millrace.keys.TALLY_SHARDS`; a test compares."""

FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="ingest",
        package=Package.ZIP,
        purpose="Turns an arrived object into a queued video.",
        timeout_s=30,
        memory_mb=512,
        queue=Queue(batch_size=10, max_concurrency=10),
        access=Access(
            table=_READ + _WRITE,
            uploads=_READ_UPLOADS,
            uploads_bucket=_SEE_UPLOADS,
            sends=("probe", "notify"),
        ),
        settings=("max_upload_bytes",),
    ),
    Function(
        name="probe",
        package=Package.IMAGE,
        purpose="Reads the source's facts, writes the plan, sends one message per task.",
        timeout_s=120,
        memory_mb=1024,
        queue=Queue(batch_size=1, max_concurrency=10),
        access=Access(
            table=_READ + _WRITE,
            indexes=("by_status",),
            uploads=_READ_UPLOADS,
            uploads_bucket=_SEE_UPLOADS,
            sends=("probe", "transcode", "thumbnail", "publish", "notify"),
        ),
        settings=(
            *("chunk_segments", "head_segments", "preset", "keep_surround", "container"),
            *_ENGINE_LIMITS,
        ),
    ),
    Function(
        name="transcode",
        package=Package.IMAGE,
        purpose="Encodes one chunk in all renditions, or one audio or subtitle track.",
        timeout_s=900,
        memory_mb=4096,
        queue=Queue(batch_size=1, max_concurrency=50),
        access=Access(
            table=_READ + _WRITE,
            indexes=("by_status",),
            uploads=_READ_UPLOADS,
            uploads_bucket=_SEE_UPLOADS,
            media=("PutObject", "GetObject"),  # which attempt stored a segment first
            sends=("transcode", "publish", "notify"),
        ),
        settings=_ENGINE_LIMITS,
    ),
    Function(
        name="thumbnail",
        package=Package.IMAGE,
        purpose="Makes the thumbnails, the storyboard and the poster.",
        timeout_s=300,
        memory_mb=2048,
        queue=Queue(batch_size=1, max_concurrency=10),
        access=Access(
            table=_READ + _WRITE,
            indexes=("by_status",),
            uploads=_READ_UPLOADS,
            uploads_bucket=_SEE_UPLOADS,
            media=("PutObject",),
            sends=("thumbnail", "publish", "notify"),
        ),
        settings=_ENGINE_LIMITS,
    ),
    Function(
        name="publish",
        package=Package.ZIP,
        purpose="Writes the playlists of what is done; sets a retried video's tasks going; "
        "removes a deleted video's objects.",
        timeout_s=60,
        memory_mb=512,
        queue=Queue(batch_size=1, max_concurrency=10, fifo=True),
        access=Access(
            table=(*_READ, *_WRITE, "DeleteItem", "BatchWriteItem"),
            uploads=("DeleteObject", "DeleteObjectVersion", "AbortMultipartUpload"),
            uploads_bucket=("ListBucketVersions", "ListBucketMultipartUploads"),
            media=("PutObject", "DeleteObject", "DeleteObjectVersion"),
            media_listing=("ListBucketVersions",),
            sends=("probe", "transcode", "thumbnail", "publish", "notify"),
        ),
    ),
    Function(
        name="notify",
        package=Package.ZIP,
        purpose="Tells webhooks and the SNS topic what happened.",
        timeout_s=60,
        memory_mb=512,
        queue=Queue(batch_size=1, max_concurrency=10),
        access=Access(table=_READ + _WRITE, topic=("Publish",)),
        settings=("webhook_networks", "webhook_plain_http"),
        tells_addresses=True,
    ),
    Function(
        name="signal",
        package=Package.ZIP,
        purpose="Signalling of calls: seats two in a room, passes on what they tell each other.",
        timeout_s=29,  # API Gateway gives up after 29 s
        memory_mb=512,
        access=Access(
            table=("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            sockets=("POST", "DELETE"),
            turn_secret=("GetParameter",),
        ),
        settings=("stun_urls", "turn_urls"),
    ),
    Function(
        name="monitor",
        package=Package.ZIP,
        purpose="Looks at what is due: silent workers, lost messages, expired uploads.",
        timeout_s=60,
        memory_mb=512,
        schedule_minutes=1,
        access=Access(
            table=_READ + _WRITE,
            indexes=("by_due", "by_status"),
            uploads=(*_READ_UPLOADS, "AbortMultipartUpload"),
            uploads_bucket=(*_SEE_UPLOADS, "ListBucketMultipartUploads"),
            sends=("ingest", "probe", "transcode", "thumbnail", "publish", "notify"),
            topic=("ListSubscriptionsByTopic",),
            deletes=tuple(f"TALLY#{shard}" for shard in range(_TALLY_SHARDS)),
            watches=_QUEUES,
            watches_letters=_OTHER_QUEUES,
            takes_letters=("ingest", "publish"),
        ),
    ),
)

API = Function(
    name="api",
    package=Package.ZIP,
    purpose="The REST API (`app.py`).",
    timeout_s=29,  # API Gateway gives up after 29 s
    memory_mb=512,
    access=Access(
        table=(*_READ, *_WRITE, "BatchGetItem"),
        indexes=("by_due", "by_status", "by_created"),
        uploads=(
            "GetObject",
            "PutObject",
            "AbortMultipartUpload",
            "ListMultipartUploadParts",
        ),
        uploads_bucket=_SEE_UPLOADS,
        sends=("publish", "notify"),
        deletes=("HOOKS",),
        watches=_QUEUES,
        watches_letters=_OTHER_QUEUES,
        site_bucket=("ListBucket",),
    ),
    settings=(
        *("max_upload_bytes", "uploads_per_minute", "wrong_tokens_per_minute"),
        *("webhook_networks", "webhook_plain_http"),
    ),
    tells_addresses=True,
)


def max_concurrency(spec: Function, settings: Settings) -> int:
    """Invocations at once for a function with a queue."""
    assert spec.queue is not None
    chosen: int = getattr(settings, f"{spec.name}_concurrency", 0)
    return chosen or spec.queue.max_concurrency


def memory_mb(spec: Function, settings: Settings) -> int:
    """Memory of a function, in MB as Lambda counts them."""
    chosen: int = getattr(settings, f"{spec.name}_memory_mb", 0)
    return chosen or spec.memory_mb


def engine_memory_bytes(spec: Function, settings: Settings) -> int | None:
    """What the engine may use of the function's memory; None for a function without it."""
    runs_it = set(_ENGINE_LIMITS) <= set(spec.settings)
    return (memory_mb(spec, settings) - _BESIDE_THE_ENGINE_MB) << 20 if runs_it else None


def queue_name(function: str, *, dead_letter: bool = False) -> str:
    """Name of a function's queue or dead-letter queue, e.g. `millrace-publish-dlq.fifo`."""
    spec = next(spec for spec in FUNCTIONS if spec.name == function)
    assert spec.queue is not None
    suffix = "-dlq" if dead_letter else ""
    return f"{PREFIX}-{function}{suffix}{'.fifo' if spec.queue.fifo else ''}"
