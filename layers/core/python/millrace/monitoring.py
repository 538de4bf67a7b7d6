"""The monitor: looks at what is due and puts right what a crash, a lost message or a client that
went away left undone.

Every item that somebody must look at later carries `due_at`; the index over it holds nothing else,
so that the monitor never scans. All it does is repeatable: a second monitor, or one that dies
half-way, does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from millrace import attempts, clock, deliveries, keys, stragglers, tasks, videos, workers
from millrace.deadletters import awaits_burial
from millrace.errors import MillraceError, TransitionRefused
from millrace.events import ObjectCreated, TaskMessage
from millrace.metrics import Metric, record
from millrace.model import Delivery, Item, News, Task, TaskKind, TaskStatus, Video, VideoStatus
from millrace.queues import Queues, queue_of
from millrace.storage import Bucket, StoredObject

_LAST = ":"
"""Above every time: they start with a digit."""
_LONGEST_LOOK_S = 3600.0
_LONGEST_WAIT_S = 300.0
"""Between looks at a task whose turn has not come."""

log = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Watch:
    """What the monitor needs."""

    queues: Queues
    uploads: Bucket
    deadline: float
    """On the monotonic clock: what is not looked at by then waits for the next run."""
    recover: bool = False
    """Everything that was under way is taken for interrupted now, whatever its due time: the
    whole machine was restarted."""
    waiting: dict[str, bool] = field(default_factory=dict)
    """Queue → whether messages waited in it when this round first asked."""


def run(watch: Watch) -> dict[str, Any]:
    """One round.

    Returns:
        `looked_at`: how many items; `finished`: False if time ran out (call again).
    """
    looked_at = 0
    for look in _looks(watch):
        if time.monotonic() > watch.deadline:
            log.warning("monitor.out_of_time", extra={"looked_at": looked_at})
            return {"looked_at": looked_at, "finished": False}
        try:
            look()
        except (TransitionRefused, MillraceError) as error:
            log.info("monitor.skipped", extra={"why": str(error)})
        except (PynamoDBException, BotoCoreError, ClientError):
            log.exception("monitor.failed")  # still due: the next round tries again
        looked_at += 1
    return {"looked_at": looked_at, "finished": True}


def _looks(watch: Watch) -> Iterator[Callable[[], None]]:
    for pk, sk in _due(everything=watch.recover):
        yield partial(_look, watch, pk, sk)
    if watch.recover:
        for stored in watch.uploads.objects(keys.UPLOAD_PREFIX):
            yield partial(_look_at_object, watch, stored)


def _due(*, everything: bool) -> Iterator[tuple[str, str]]:
    """Keys of what is due, read before anything is changed: changing `due_at` moves an item in
    the index that is being read."""
    before = _LAST if everything else clock.stamp()
    shards = range(keys.SHARDS)
    # What is to be told comes last: endpoints that do not answer must not hold up any video.
    for shard in (*map(keys.due_shard, shards), *map(keys.telling_shard, shards)):
        found = Item.by_due.query(shard, Item.due_at < before)
        yield from [(item.pk, item.sk) for item in found]


def _look(watch: Watch, pk: str, sk: str) -> None:
    try:
        item = Item.get(pk, sk, consistent_read=True)
    except DoesNotExist:
        return
    if item.due_at is None:
        return  # settled since; the index is a little behind the table
    if isinstance(item, Task):
        _look_at_task(watch, item)
    elif isinstance(item, Video):
        _look_at_video(watch, item)
    elif isinstance(item, News | Delivery):
        deliveries.remind(watch.queues, item)


def _look_at_task(watch: Watch, task: Task) -> None:
    if task.status == TaskStatus.RUNNING:
        if watch.recover or tasks.is_lost(task):
            _replace(watch, task)
    elif task.status == TaskStatus.PENDING:
        if not _is_wanted(task):
            tasks.cancel_pending(task)
        elif _has_tickets(watch, task):
            wait_s = min(max(clock.age_s(task.created_at), tasks.RESEND_AFTER_S), _LONGEST_WAIT_S)
            tasks.look_again(task, wait_s)
        else:
            _resend(watch, task)
            tasks.resent(task)
    elif awaits_burial(task):
        # Only its own workers may write to the dead-letter queue: they see to it.
        _resend(watch, task)
        tasks.look_again(task, tasks.RESEND_AFTER_S)


def _replace(watch: Watch, task: Task) -> None:
    """RUNNING without a sign of life: back to PENDING, or DEAD after the last attempt."""
    log.warning("worker.lost", extra={"video_id": task.video_id, "task_id": task.task_id})
    record(Metric.WORKERS_LOST)
    lease = tasks.lease_of(task)
    if not _is_wanted(task):
        attempts.cancel(lease)
        workers.replaced(lease)
        return
    ended = attempts.give_back(lease, attempts.LOST, counted=not watch.recover)
    if watch.recover and ended.status == TaskStatus.RUNNING:  # its backup is gone as well
        ended = attempts.give_back(tasks.lease_of(ended), attempts.LOST, counted=False)
    if ended.status != TaskStatus.RUNNING:
        watch.queues.send_task(TaskMessage.of(ended))
    workers.replaced(lease)


def _resend(watch: Watch, task: Task) -> None:
    log.info("task.resent", extra={"video_id": task.video_id, "task_id": task.task_id})
    record(Metric.MESSAGES_RESENT)
    watch.queues.send_task(TaskMessage.of(task))


def _has_tickets(watch: Watch, task: Task) -> bool:
    """Whether messages wait in a listed task's queue: any of them runs the most urgent task, see
    `turns`, so that under load none has to be sent again. After a restart nothing is sure."""
    if watch.recover or task.status_shard is None:
        return False
    queue = queue_of(TaskKind(task.task_kind))
    if queue not in watch.waiting:
        watch.waiting[queue] = not watch.queues.is_idle(queue)
    return watch.waiting[queue]


def _is_wanted(task: Task) -> bool:
    video = videos.get(task.video_id)
    return video is not None and video.status in videos.ACTIVE


def _look_at_video(watch: Watch, video: Video) -> None:
    if video.status == VideoStatus.AWAITING_UPLOAD:
        _look_at_upload(watch, video)
    elif video.status == VideoStatus.DELETING:
        watch.queues.send_purge(video.video_id)
        videos.look_again(video, videos.LOOK_AGAIN_S)
    else:
        # PROCESSING: a finished task's message to the publisher may be lost, or some tasks of a
        # retried video not be going yet. QUEUED: only the latter. FAILED, CANCELLED: playlists
        # are to be withdrawn. COMPLETED: to be written again.
        behind = video.published_steps < video.steps or video.reviving_since is not None
        if watch.recover or behind or video.status != VideoStatus.PROCESSING:
            watch.queues.send_publish(video.video_id, clock.stamp())
        if video.status == VideoStatus.PROCESSING:
            stragglers.remind(watch.queues, video)
        videos.look_again(video, videos.LOOK_AGAIN_S)


def _look_at_upload(watch: Watch, video: Video) -> None:
    """Its notification may be lost, or its client may never come back."""
    stored = watch.uploads.head(video.upload_key)
    age_s = clock.age_s(video.created_at)
    if stored is not None:
        watch.queues.send_found(_found(watch, stored))
        videos.look_again(video, videos.FIRST_LOOK_S)
    elif age_s >= videos.UPLOAD_LIFETIME_S:
        # The parts first: were the video to expire first, a crash would leave them for ever.
        watch.uploads.abort_multipart_uploads(keys.source_prefix(video.video_id))
        videos.expire(video)
        record(Metric.UPLOADS_EXPIRED)
        record(Metric.VIDEOS_FAILED)
    else:
        wait_s = min(max(age_s / 2, videos.FIRST_LOOK_S), _LONGEST_LOOK_S)
        videos.look_again(video, min(wait_s, videos.UPLOAD_LIFETIME_S - age_s))


def _look_at_object(watch: Watch, stored: StoredObject) -> None:
    """Recovery: an object whose notification got lost before anything was written down."""
    announced = keys.video_id_from_upload_key(stored.key)
    made = keys.video_id_of_object(watch.uploads.name, stored.key)
    known = [videos.get(video_id) for video_id in (announced, made) if video_id]
    if not any(video is not None and video.upload_key == stored.key for video in known):
        watch.queues.send_found(_found(watch, stored))


def _found(watch: Watch, stored: StoredObject) -> ObjectCreated:
    return ObjectCreated(
        watch.uploads.name, stored.key, stored.etag, stored.size_bytes, clock.stamp()
    )


def wants_recovery(event: Mapping[str, Any]) -> bool:
    """Whether the monitor was called by an operator after a restart."""
    return event.get("recover") is True
