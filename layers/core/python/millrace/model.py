"""The items of the table, as PynamoDB models. States only; the moves between them are in `videos`
and `tasks`, always as conditional writes."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from millrace.kinds import TaskKind as TaskKind


class VideoStatus(StrEnum):
    AWAITING_UPLOAD = "AWAITING_UPLOAD"
    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    DELETING = "DELETING"


class TaskStatus(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    """A permanent error: retries were not tried, because they cannot help."""
    DEAD = "DEAD"
    """Every attempt was used up."""
    CANCELLED = "CANCELLED"


class ByStatus(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_status"
        projection = AllProjection()

    status_shard = UnicodeAttribute(hash_key=True)
    created_key = UnicodeAttribute(range_key=True)


class ByCreated(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_created"
        projection = AllProjection()

    created_shard = UnicodeAttribute(hash_key=True)
    created_key = UnicodeAttribute(range_key=True)


class ByDue(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_due"
        projection = IncludeProjection(["kind"])

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = UnicodeAttribute(range_key=True)


class Item(Model):
    """What every item has. `kind` tells the subclasses apart when a partition is read whole."""

    class Meta:
        table_name: str = ""  # set once by `bind`
        # Far below the shortest function's time limit, so that a stalled connection is tried again.
        connect_timeout_seconds = 3
        read_timeout_seconds = 10
        max_retry_attempts = 4
        max_pool_connections = 10

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()
    by_status = ByStatus()
    by_created = ByCreated()
    by_due = ByDue()
    status_shard = UnicodeAttribute(null=True)
    created_shard = UnicodeAttribute(null=True)
    created_key = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)


class Video(Item, discriminator="video"):
    video_id = UnicodeAttribute()
    status = UnicodeAttribute()
    title = UnicodeAttribute()
    filename = UnicodeAttribute()
    content_type = UnicodeAttribute(null=True)
    declared_bytes = NumberAttribute(null=True)
    upload_key = UnicodeAttribute()
    upload_id = UnicodeAttribute(null=True)
    source_etag = UnicodeAttribute(null=True)
    source_bytes = NumberAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    settings: JSONAttribute = JSONAttribute(null=True)
    """What the uploader chose, as `video_settings` keeps it. None: the usual."""
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    uploaded_at = UnicodeAttribute(null=True)
    playable_at = UnicodeAttribute(null=True)
    completed_at = UnicodeAttribute(null=True)
    playable = BooleanAttribute(default=False)
    published_steps = NumberAttribute(default=-1)
    """`steps` the newest playlists were made from; -1 before the first publication."""
    unpublished_since = UnicodeAttribute(null=True)
    """Since when there has been something new to publish; None also of what came while the newest
    playlists were written."""
    publishing_steps = NumberAttribute(default=-1)
    """`steps` of the publication begun last: claimed before playlists are written, so that an
    older set never overwrites a newer one. Ahead of `published_steps` while one is under way."""
    published_files: JSONAttribute = JSONAttribute(null=True)
    """Digests of the newest playlists by path, while there are more to come; they stand as long as
    nobody has begun to write others."""
    tasks_total = NumberAttribute(default=0)
    """Tasks of the plan (the probe is not among them)."""
    tasks_done = NumberAttribute(default=0)
    growths = NumberAttribute(default=0)
    """The sum of those of its tasks."""
    units_total = NumberAttribute(default=0)
    units_done = NumberAttribute(default=0)
    media: JSONAttribute = JSONAttribute(null=True)
    """The probe's result, as `media.MediaInfo` stores it."""
    plan: JSONAttribute = JSONAttribute(null=True)
    thumbnails: JSONAttribute = JSONAttribute(null=True)
    """`[{"time_s": 10.0, "path": "thumbnails/00.jpg"}, …]`, paths below the media prefix."""
    poster = UnicodeAttribute(null=True)
    storyboard = UnicodeAttribute(null=True)
    """Path of the WebVTT track of the seek bar's pictures below the media prefix. None for videos
    whose stills were made before there were any."""
    manifest = UnicodeAttribute(null=True)
    """Path of the DASH manifest below the media prefix. None until COMPLETED, and for videos
    completed before there were any."""
    reason = UnicodeAttribute(null=True)
    reason_message = UnicodeAttribute(null=True)
    renditions_ready_at = UnicodeAttribute(null=True)
    """When every chunk stood for the first time, and with it every rendition."""
    backups = NumberAttribute(default=0)
    """Second attempts that were begun beside slow ones."""
    reviving_since = UnicodeAttribute(null=True)
    """When a failed or cancelled video was set going again, until all of its tasks have been."""

    @property
    def steps(self) -> int:
        """How often there was something new to publish."""
        return int(self.tasks_done) + int(self.growths)


class Task(Item, discriminator="task"):
    video_id = UnicodeAttribute()
    task_id = UnicodeAttribute()
    task_kind = UnicodeAttribute()
    index = NumberAttribute()
    status = UnicodeAttribute()
    attempt = NumberAttribute(default=0)
    attempts: JSONAttribute = JSONAttribute(null=True)
    """History: `[{"attempt", "worker", "started_at", "ended_at", "reason", "message",
    "counted"}, …]`.
    An entry with `counted` false (the whole machine was restarted) uses up no retry."""
    forgiven_attempts = NumberAttribute(default=0)
    """Attempts up to this number were made before the task was redriven: they stay in the history
    and use up no retry."""
    units = NumberAttribute(default=1)
    """Weight in the video's percent."""
    units_done = NumberAttribute(default=0)
    urgency = UnicodeAttribute(null=True)
    """Whose turn it is, see `turns`. None for tasks made before there were turns."""
    resends = NumberAttribute(default=0)
    """Times the monitor sent this task's message again since it became PENDING."""
    engine_log = UnicodeAttribute(null=True)
    """The end of the engine's log of the attempt that failed last."""
    dead_lettered_at = UnicodeAttribute(null=True)
    """When the dead letter was sent; a FAILED or DEAD task without it is due at the monitor."""
    worker = UnicodeAttribute(null=True)
    heartbeat_at = UnicodeAttribute(null=True)
    slow_at = UnicodeAttribute(null=True)
    """From when on the running attempt is far slower than its siblings; see `stragglers`."""
    expected_s = NumberAttribute(null=True)
    """What its siblings' pace lets expect of an attempt."""
    backup_attempt = NumberAttribute(null=True)
    """The attempt begun last beside a slow one; see `seats`."""
    backup_worker = UnicodeAttribute(null=True)
    """There as long as the second seat is taken."""
    backup_started_at = UnicodeAttribute(null=True)
    backup_heartbeat_at = UnicodeAttribute(null=True)
    cpu_percent = NumberAttribute(null=True)
    memory_bytes = NumberAttribute(null=True)
    created_at = UnicodeAttribute()
    started_at = UnicodeAttribute(null=True)
    ended_at = UnicodeAttribute(null=True)
    output: JSONAttribute = JSONAttribute(null=True)
    """What a done task made, e.g. its segments, or one that makes a whole track has made so far;
    the playlists are a pure function of these."""
    growths = NumberAttribute(default=0)
    """How often it told what it has made so far."""
    reason = UnicodeAttribute(null=True)
    reason_message = UnicodeAttribute(null=True)


class Transaction(Item, discriminator="transaction"):
    """One line of a video's append-only log, written in the same transaction as the change."""

    video_id = UnicodeAttribute()
    at = UnicodeAttribute()
    event = UnicodeAttribute()
    task_id = UnicodeAttribute(null=True)
    attempt = NumberAttribute(null=True)
    detail: JSONAttribute = JSONAttribute(null=True)
    event_id = UnicodeAttribute(null=True)
    """Of the news that were written with it: a purge finds them by this."""


class Entry(Item, discriminator="entry"):
    """A video's place in the catalogue; see `catalogue`."""

    video_id = UnicodeAttribute()
    words = UnicodeAttribute(null=True)
    """All words of the title, so that a search for several needs to look at no video."""


class Token(Item, discriminator="token"):
    """An access token; only its SHA-256 is kept."""

    name = UnicodeAttribute()
    roles: JSONAttribute = JSONAttribute()
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute(null=True)
    ttl = TTLAttribute(null=True)


class Allowance(Item, discriminator="allowance"):
    """How many uploads a token began, or how many wrong tokens an address sent, in one minute."""

    begun = NumberAttribute()
    ttl = TTLAttribute()


class Webhook(Item, discriminator="webhook"):
    """An address that wants to be told of events. Its secrets must be kept readable: they sign."""

    webhook_id = UnicodeAttribute()
    url = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    events: JSONAttribute = JSONAttribute()
    """Names of the events it wants."""
    secret = UnicodeAttribute()
    previous_secret = UnicodeAttribute(null=True)
    previous_until = UnicodeAttribute(null=True)
    """Until then the secret before signs, too."""
    created_at = UnicodeAttribute()
    created_by = UnicodeAttribute()
    disabled_at = UnicodeAttribute(null=True)
    """When it answered 410 Gone."""
    failures = NumberAttribute(default=0)
    """Attempts that failed since one succeeded."""
    failing_since = UnicodeAttribute(null=True)
    rest_until = UnicodeAttribute(null=True)
    """Until then nothing is sent to it: it failed often."""


class Topic(Item, discriminator="topic"):
    """What is known of the SNS topic."""

    listening = BooleanAttribute(default=False)
    """Whether it has subscriptions."""


class Count(Item, discriminator="count"):
    """How many webhooks there are, so that two requests at once cannot pass the limit."""

    webhooks = NumberAttribute(default=0)


class News(Item, discriminator="news"):
    """An event that somebody wants to be told of: the outbox, written in the transaction of the
    move it tells of."""

    event_id = UnicodeAttribute()
    event = UnicodeAttribute()
    video_id = UnicodeAttribute(null=True)
    """None of a test."""
    at = UnicodeAttribute()
    detail: JSONAttribute = JSONAttribute(null=True)
    body = UnicodeAttribute(null=True)
    """What is sent, the same bytes to everybody and on every retry; made when it is first told."""
    resends = NumberAttribute(default=0)
    ttl = TTLAttribute(null=True)


class DeliveryStatus(StrEnum):
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    """Every attempt was used up."""
    CANCELLED = "CANCELLED"
    """Its webhook was deleted, or disabled."""


class Delivery(Item, discriminator="delivery"):
    """One event on its way to one webhook."""

    webhook_id = UnicodeAttribute()
    event_id = UnicodeAttribute()
    event = UnicodeAttribute()
    video_id = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    attempt = NumberAttribute(default=0)
    """Number of the attempt made last, or under way: it fences what is written about it."""
    forgiven_attempts = NumberAttribute(default=0)
    attempts: JSONAttribute = JSONAttribute(null=True)
    """`[{"attempt", "at", "duration_ms", "status_code", "error"}, …]`, the last ones."""
    created_at = UnicodeAttribute()
    next_at = UnicodeAttribute(null=True)
    """Not before then; None when nothing more is to be sent."""
    delivered_at = UnicodeAttribute(null=True)
    dead_lettered_at = UnicodeAttribute(null=True)
    resends = NumberAttribute(default=0)
    ttl = TTLAttribute(null=True)


class Tally(Item, discriminator="tally"):
    """Counters, of names that `tally` makes; see `counters`."""

    moves = NumberAttribute(null=True)
    """How often was added to a minute: whoever rolls it up goes by it."""
    ttl = TTLAttribute(null=True)


class Worker(Item, discriminator="worker"):
    """What was last heard of one process of a function; see `workers`."""

    function = UnicodeAttribute()
    video_id = UnicodeAttribute(null=True)
    """None while it waits for work."""
    task_id = UnicodeAttribute(null=True)
    attempt = NumberAttribute(null=True)
    percent = NumberAttribute(null=True)
    cpu_percent = NumberAttribute(null=True)
    memory_bytes = NumberAttribute(null=True)
    started_at = UnicodeAttribute(null=True)
    heartbeat_at = UnicodeAttribute()
    replaced_at = UnicodeAttribute(null=True)
    """Since when somebody else is to do its task. The next word of it ends that."""
    ttl = TTLAttribute()


def bind(table_name: str, region: str | None = None, **meta: Any) -> None:
    """Point the models at a table. Called once, when the settings are loaded (and by tests)."""
    Item.Meta.table_name = table_name
    for name, value in {"region": region, **meta}.items():
        if value is not None:
            setattr(Item.Meta, name, value)
    # Made here, the subclasses inherit it: one connection instead of one (and its start) for each.
    Item._connection = None
    Item._get_connection()
