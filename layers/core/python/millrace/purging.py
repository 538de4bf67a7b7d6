"""Removing a deleted video: every object and every item, in an order that can be repeated from
any point. The video's own item goes last: as long as it is there, the monitor comes back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import islice

from aws_lambda_powertools import Logger

from millrace import (
    clock,
    counters,
    deliveries,
    keys,
    news,
    tasks,
    transact,
    videos,
    webhooks,
)
from millrace.errors import TransitionRefused
from millrace.metrics import Metric, record
from millrace.model import Item, Task, TaskKind, TaskStatus, Transaction, Video, VideoStatus
from millrace.storage import Bucket

_AT_ONCE = 90
"""Tasks in one transaction; DynamoDB takes 100 items."""
_ENDED_BY = timedelta(seconds=deliveries.GIVEN_UP_AFTER_S)
"""When a delivery under way has come to its end, whatever that is."""

log = Logger(child=True)


def purge(uploads: Bucket, site: Bucket, video: Video) -> None:
    """Remove everything of a DELETING video.

    While a worker is still at it, the items stay: it stops within seconds and asks for the next
    purge, which removes what it had stored by then. If it died, the monitor asks.
    """
    working = False
    for task in videos.tasks_of(video.video_id):
        if task.status == TaskStatus.PENDING:
            tasks.cancel_pending(task)
        working = working or tasks.is_worked_on(task)
    removed = _delete_objects(uploads, site, video)
    if working:
        log.info("purge.waits_for_workers", extra={"objects": removed})
        return
    _delete_items(video)
    record(Metric.VIDEOS_PURGED)
    log.info("video.purged", extra={"objects": removed})


def _delete_objects(uploads: Bucket, site: Bucket, video: Video) -> int:
    own = keys.source_prefix(video.video_id)
    removed = site.delete_prefix(keys.media_prefix(video.video_id))
    removed += uploads.abort_multipart_uploads(own)
    removed += uploads.delete_prefix(own)
    if not video.upload_key.startswith(own):
        removed += uploads.delete_key(video.upload_key)
    return removed


def _delete_items(video: Video) -> None:
    """The counters go down by each task in the transaction that removes it, and by the video in
    the one that removes that."""
    # Again until nothing is found: a worker's last line may have been written in between. Once the
    # tasks are gone, nothing can be: every move needs its task or its video.
    hooks = [webhook.webhook_id for webhook in webhooks.everything()]
    while others := [item for item in Item.query(video.pk, consistent_read=True) if _other(item)]:
        gone = iter([item for item in others if isinstance(item, Task)])
        while some := list(islice(gone, _AT_ONCE)):
            _remove_tasks(video, some)
        for line in others:  # first, as only the log's lines know of them
            if isinstance(line, Transaction) and line.event_id:
                _forget_told(line.event_id, hooks)
        with Item.batch_write() as batch:
            for item in others:
                if not isinstance(item, Task):
                    batch.delete(item)
    with suppress(TransitionRefused):  # another purge was quicker
        removed = transact.remove(
            videos.key_of(video.video_id), Video.status == VideoStatus.DELETING
        )
        transact.commit_unlogged(removed, counters.of_removal([video]))


def _remove_tasks(video: Video, some: list[Task]) -> None:
    """Those that have not moved since they were read; the others are read again."""
    removed = [transact.remove(Task(task.pk, task.sk), Task.status == task.status) for task in some]
    # Without a plan, its tasks were put and never counted, but for the probe.
    counted = [task for task in some if video.tasks_total or task.task_kind == TaskKind.PROBE]
    down = [counters.of_removal(counted)] if counted else []
    with suppress(TransitionRefused):
        transact.commit_unlogged(*removed, *down)


def _forget_told(event_id: str, hooks: Sequence[str]) -> None:
    """News and their deliveries; what is still on its way is told all the same, and forgotten when
    it must have ended. (Those to a webhook that was deleted before stay to their end of life: they
    name the video, and nothing of it.)"""
    found = [news.get(event_id), *(deliveries.get(hook, event_id) for hook in hooks)]
    told = [item for item in found if item is not None]
    if all(item.due_at is None for item in told):
        with Item.batch_write() as batch:
            for item in told:
                batch.delete(item)
        return
    for item in told:
        key, last = type(item)(item.pk, item.sk), clock.now() + _ENDED_BY
        with suppress(TransitionRefused):
            transact.update_once(key, [type(item).ttl.set(last)], type(item).pk.exists())


def _other(item: Item) -> bool:
    return item.sk != keys.VIDEO_SK
