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


class VideoStatus(StrEnum):
    AWAITING_UPLOAD = "AWAITING_UPLOAD"
    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    DELETING = "DELETING"


class TaskKind(StrEnum):
    PROBE = "probe"
    TRANSCODE = "transcode"
    AUDIO = "audio"
    SUBTITLES = "subtitles"
    THUMBNAIL = "thumbnail"


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
    published_tasks = NumberAttribute(default=-1)
    """Done tasks the newest playlists were made from; -1 before the first publication."""
    publishing_tasks = NumberAttribute(default=-1)
    """Done tasks of the publication begun last: claimed before playlists are written, so that an
    older set never overwrites a newer one. Ahead of `published_tasks` while one is under way."""
    tasks_total = NumberAttribute(default=0)
    """Tasks of the plan (the probe is not among them)."""
    tasks_done = NumberAttribute(default=0)
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
    reviving_since = UnicodeAttribute(null=True)
    """When a failed or cancelled video was set going again, until all of its tasks have been."""


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
    cpu_percent = NumberAttribute(null=True)
    memory_bytes = NumberAttribute(null=True)
    created_at = UnicodeAttribute()
    started_at = UnicodeAttribute(null=True)
    ended_at = UnicodeAttribute(null=True)
    output: JSONAttribute = JSONAttribute(null=True)
    """What a done task made, e.g. its segments; the playlists are a pure function of these."""
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


class Token(Item, discriminator="token"):
    """An access token; only its SHA-256 is kept."""

    name = UnicodeAttribute()
    roles: JSONAttribute = JSONAttribute()
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute(null=True)
    ttl = TTLAttribute(null=True)


class Allowance(Item, discriminator="allowance"):
    """How many uploads a token began in one minute."""

    begun = NumberAttribute()
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
