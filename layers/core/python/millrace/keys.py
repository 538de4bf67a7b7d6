"""Every S3 key and every DynamoDB key is built here and nowhere else.

Table layout (one table):

| item        | pk              | sk                               |
|-------------|-----------------|----------------------------------|
| video       | VIDEO#{id}      | VIDEO                            |
| task        | VIDEO#{id}      | TASK#{kind}#{index:05d}          |
| transaction | VIDEO#{id}      | LOG#{utc microseconds}#{event}#… |
| entry       | VIDEO#{id}      | ENTRY#…                          |
| token       | TOKEN#{sha256}  | TOKEN                            |
| allowance   | TOKEN#{sha256}  | UPLOADS#{minute}                 |
| allowance   | ADDRESS#{network} | GUESSES#{minute}               |
| webhook     | HOOKS           | WEBHOOK#{id}                     |
| SNS topic   | HOOKS           | TOPIC                            |
| news        | NEWS#{event id} | NEWS                             |
| delivery    | WEBHOOK#{id}#{shard} | DELIVERY#{event id}         |
| counters    | TALLY#{shard}   | TOTAL, MINUTE#{minute}, SERVED   |
| monitor     | TALLY#0         | MONITOR                          |
| worker      | WORKERS#{shard} | {log stream or request}          |
| rolled up   | TALLY#{level}   | {beginning of the step}          |
| room        | ROOM#{id}       | ROOM                             |
| connection  | CONNECTION#{id} | CONNECTION                       |

Indexes: `by_status` (status + shard → creation time), `by_created` (shard → creation time) and the
sparse `by_due` (shard → the time at which the monitor must look at the item again). Failed tasks,
the dead letters, are in the first two as well, and tasks that wait for their first attempt in the
first, in partitions of their own; the catalogue's entries are in the second. What is to be told is
due in partitions of its own, after everything else.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import UTC, datetime

SHARDS = 4
"""Partitions that each listing index is spread over; a listing reads all of them and merges."""

TALLY_SHARDS = 8
"""Partitions of the counters: each takes some 125 moves a second, and reading them all is as many
queries."""

UPLOAD_PREFIX = "uploads/"
MEDIA_PREFIX = "videos/"
VIDEO_ID = re.compile(r"[a-z0-9]{26}")


def new_video_id() -> str:
    """A random id: 128 bits as 26 lower-case letters and digits."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def video_id_of_request(token_sha256: str, idempotency_key: str) -> str:
    """Id of the video of a `POST /uploads` with an Idempotency-Key: the same for every repeat."""
    return hashlib.sha256(f"{token_sha256}\n{idempotency_key}".encode()).hexdigest()[:26]


def video_id_of_object(bucket: str, key: str) -> str:
    """Id of a video whose object arrived without a `POST /uploads`: the same for every event."""
    digest = hashlib.sha256(f"{bucket}/{key}".encode()).hexdigest()
    return digest[:26]


def upload_key(video_id: str, extension: str) -> str:
    """S3 key of an uploaded source. `extension` is "" or like ".mp4"."""
    return f"{UPLOAD_PREFIX}{video_id}/source{extension}"


def video_id_from_upload_key(key: str) -> str | None:
    """The id inside `uploads/{id}/source…`, or None for any other key."""
    match = re.fullmatch(rf"{UPLOAD_PREFIX}({VIDEO_ID.pattern})/source(\.[a-z0-9]{{1,8}})?", key)
    return match.group(1) if match else None


def source_prefix(video_id: str) -> str:
    """Prefix of what a client uploaded for a video, with a trailing slash."""
    return f"{UPLOAD_PREFIX}{video_id}/"


def media_prefix(video_id: str) -> str:
    """Prefix of all published objects of a video, with a trailing slash."""
    return f"{MEDIA_PREFIX}{video_id}/"


def media_key(video_id: str, path: str) -> str:
    """S3 key of a published object, e.g. path `720p/00003.m4s` or `master.m3u8`."""
    return media_prefix(video_id) + path


def video_pk(video_id: str) -> str:
    return f"VIDEO#{video_id}"


VIDEO_SK = "VIDEO"


def task_sk(kind: str, index: int) -> str:
    return f"TASK#{kind}#{index:05d}"


TASK_SK_PREFIX = "TASK#"
LOG_SK_PREFIX = "LOG#"


def task_id(kind: str, index: int) -> str:
    """Name of a task inside its video, e.g. `transcode-00002`."""
    return f"{kind}-{index:05d}"


def log_sk(at: datetime, event: str, discriminator: str) -> str:
    """Sort key of a transaction: time first, then what happened, so equal times cannot collide."""
    return f"LOG#{timestamp(at)}#{event}#{discriminator}"


def token_pk(token_sha256: str) -> str:
    return f"TOKEN#{token_sha256}"


TOKEN_SK = "TOKEN"  # noqa: S105 - a key, no secret


def allowance_sk(minute: str) -> str:
    """`minute` is like 2026-05-31T12:00."""
    return f"UPLOADS#{minute}"


def guesses_pk(network: str) -> str:
    """`network` is an address, or the part of it that is one customer's."""
    return f"ADDRESS#{network}"


def guesses_sk(minute: str) -> str:
    return f"GUESSES#{minute}"


HOOKS_PK = "HOOKS"
"""Who is told of events: all webhooks and the topic, read together with one query."""
TOPIC_SK = "TOPIC"
COUNT_SK = "COUNT"
WEBHOOK_SK_PREFIX = "WEBHOOK#"
NEWS_SK = "NEWS"
WEBHOOK_ID = re.compile(r"wh_[a-z0-9]{26}")
EVENT_ID = re.compile(r"evt_[0-9a-f]{32}")


def new_webhook_id() -> str:
    return f"wh_{new_video_id()}"


def new_event_id(at: datetime) -> str:
    """Sorts by time (milliseconds), then is random: an endpoint knows an event by it."""
    return f"evt_{int(at.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def webhook_sk(webhook_id: str) -> str:
    return WEBHOOK_SK_PREFIX + webhook_id


def news_pk(event_id: str) -> str:
    return f"NEWS#{event_id}"


def deliveries_pk(webhook_id: str, shard: int) -> str:
    return f"WEBHOOK#{webhook_id}#{shard}"


def delivery_pk(webhook_id: str, event_id: str) -> str:
    return deliveries_pk(webhook_id, shard_of(event_id))


def delivery_sk(event_id: str) -> str:
    return f"DELIVERY#{event_id}"


DELIVERY_SK = re.compile(rf"DELIVERY#{EVENT_ID.pattern}")
"""What `delivery_sk` makes."""


ROOM_SK = "ROOM"
CONNECTION_SK = "CONNECTION"
ROOM_ID = VIDEO_ID
"""Whoever knows a room's id may knock: it is as hard to guess as a key."""


def new_room_id() -> str:
    return new_video_id()


def room_pk(room_id: str) -> str:
    return f"ROOM#{room_id}"


def connection_pk(connection_id: str) -> str:
    """Of a WebSocket, by the id that API Gateway gave it."""
    return f"CONNECTION#{connection_id}"


def shard_of(name: str) -> int:
    """The partition of a video (by its id), or of an event's deliveries (by the event's)."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % SHARDS


TALLY_TOTAL_SK = "TOTAL"
TALLY_SERVED_SK = "SERVED"
TALLY_MONITOR_SK = "MONITOR"
_TALLY_MINUTE = "MINUTE#"


def tally_pk(shard: int | str) -> str:
    """Partition of counters, or of those that are rolled up to a level."""
    return f"TALLY#{shard}"


def tally_shard(name: str) -> int:
    """The partition that a move counts in."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % TALLY_SHARDS


def tally_minute_sk(at: str) -> str:
    """`at` is a time as `timestamp` writes it."""
    return _TALLY_MINUTE + at[:16]


def tally_minute(sk: str) -> str:
    """The minute of such a key, like 2026-05-31T12:00."""
    return sk.removeprefix(_TALLY_MINUTE)


def workers_pk(shard: int) -> str:
    return f"WORKERS#{shard}"


def worker_pk(worker: str) -> str:
    return workers_pk(shard_of(worker))


def status_shard(status: str, shard: int) -> str:
    return f"{status}#{shard}"


def created_shard(shard: int) -> str:
    return f"VIDEO#{shard}"


def due_shard(shard: int) -> str:
    return f"DUE#{shard}"


def telling_shard(shard: int) -> str:
    """Partition of `by_due` for what is to be told: the pipeline itself never waits for it."""
    return f"TELL#{shard}"


def letters_shard(shard: int) -> str:
    """Partition of `by_created` that lists dead letters."""
    return f"LETTER#{shard}"


def queue_letters_shard(queue: str, shard: int) -> str:
    """Partition of `by_status` that lists the dead letters of one queue."""
    return f"LETTER#{queue}#{shard}"


def ready_shard(queue: str, shard: int) -> str:
    """Partition of `by_status` that lists the tasks of one queue that wait for an attempt."""
    return f"READY#{queue}#{shard}"


def ready_key(urgency: str, created_at: str, video_id: str, task: str) -> str:
    """Sort key of what waits: the most urgent first, of equals the oldest."""
    return f"{urgency}#{created_at}#{video_id}#{task}"


def letter_key(failed_at: str, video_id: str, task: str) -> str:
    """Sort key of the dead letters: when the task failed, made unique by its name."""
    return f"{failed_at}#{video_id}#{task}"


LETTER_KEY = re.compile(
    rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z#{VIDEO_ID.pattern}#[a-z]+-\d{{5}}"
)
"""What `letter_key` makes."""


def created_key(created_at: str, video_id: str) -> str:
    """Sort key of the listings: creation time, made unique by the id."""
    return f"{created_at}#{video_id}"


CREATED_KEY = re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z#{VIDEO_ID.pattern}")
"""What `created_key` makes."""
CREATED_FIRST, CREATED_LAST = "0", ":"
"""Below and above every creation key: they start with a digit, and ':' follows '9'."""

TITLE_SK, DURATION_SK = "ENTRY#title", "ENTRY#duration"


def word_sk(beginning: str) -> str:
    return f"ENTRY#word#{beginning}"


def words_partition(beginning: str) -> str:
    """Partition of `by_created` that lists the videos with a word that begins so, by time."""
    return f"WORD#{beginning}"


def titles_shard(shard: int) -> str:
    """Partition of `by_created` that lists videos by title."""
    return f"TITLE#{shard}"


def durations_shard(shard: int) -> str:
    """Partition of `by_created` that lists videos by duration."""
    return f"DURATION#{shard}"


def duration_key(duration_s: float) -> str:
    """Milliseconds, as text that sorts as the number does."""
    return f"{max(0, round(duration_s * 1000)):012d}"


def timestamp(at: datetime) -> str:
    """UTC with microseconds and a Z: sorts as text, reads as ISO 8601."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
