"""Removing a deleted video: every object and every item, in an order that can be repeated from
any point. The video's own item goes last: as long as it is there, the monitor comes back."""

from __future__ import annotations

from aws_lambda_powertools import Logger

from millrace import keys, tasks, videos
from millrace.metrics import Metric, record
from millrace.model import Item, TaskStatus, Video
from millrace.storage import Bucket

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
    # Again until nothing is found: a worker's last line may have been written in between. Once the
    # tasks are gone, nothing can be: every move needs its task or its video.
    while others := [item for item in Item.query(video.pk, consistent_read=True) if _other(item)]:
        with Item.batch_write() as batch:
            for item in others:
                batch.delete(item)
    Video(video.pk, video.sk).delete()


def _other(item: Item) -> bool:
    return item.sk != keys.VIDEO_SK
