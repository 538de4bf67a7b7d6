"""A video's moves: each is one conditional transaction with its line in the log.

    AWAITING_UPLOAD → QUEUED → PROCESSING → COMPLETED | FAILED | CANCELLED, any → DELETING → gone

Cancelling, and setting a failed or cancelled video going again, are in `steering`.

`due_at` on a video says when the monitor must look at it again; see `monitoring`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from millrace import catalogue, clock, keys, transact, watchable
from millrace.errors import Reason, TransitionRefused
from millrace.model import Item, Task, Video, VideoStatus
from millrace.queues import Queues

UPLOAD_LIFETIME_S = 24 * 3600
"""An upload that has not arrived by then is given up."""
FIRST_LOOK_S = 120
"""After this, the monitor checks whether the event of an upload was lost."""
LOOK_AGAIN_S = 60
"""How often the monitor looks at a video that is under way."""

ACTIVE = (VideoStatus.QUEUED, VideoStatus.PROCESSING)
"""Somebody works on it, or is about to."""


def get(video_id: str) -> Video | None:
    """The video as it is now (a consistent read), or None."""
    try:
        return Video.get(keys.video_pk(video_id), keys.VIDEO_SK, consistent_read=True)
    except DoesNotExist:
        return None


def glance(video_id: str) -> str | None:
    """The status of a video, or None if there is none. It may be a second old; looking costs half
    of what `get` does."""
    try:
        key = keys.video_pk(video_id)
        return Video.get(key, keys.VIDEO_SK, attributes_to_get=["kind", "status"]).status
    except DoesNotExist:
        return None


def create(
    *,
    video_id: str,
    title: str,
    filename: str,
    upload_key: str,
    content_type: str | None = None,
    declared_bytes: int | None = None,
    owner: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Video:
    """Make a video that waits for its upload.

    Idempotent: if `video_id` exists, that video is returned unchanged, so a repeated request
    (`keys.video_id_of_request`) gets the video of the first one.

    Args:
        settings: as `video_settings` keeps them; None: the usual.

    Raises:
        RetryableError: the database is too busy.
    """
    now = clock.stamp()
    video = new(
        video_id=video_id,
        status=VideoStatus.AWAITING_UPLOAD,
        created_at=now,
        title=title,
        filename=filename,
        upload_key=upload_key,
        content_type=content_type,
        declared_bytes=declared_bytes,
        owner=owner,
        settings=settings,
        due_at=clock.stamp(FIRST_LOOK_S),
    )
    log = transact.entry(
        video_id, "upload.created", detail={"to": video.status, "declared_bytes": declared_bytes}
    )
    try:
        transact.commit([log], *made(video))
    except TransitionRefused:
        existing = get(video_id)
        if existing is None:
            raise  # deleted this instant; the caller's client tries again
        return existing
    return video


def new(
    *, video_id: str, status: VideoStatus, created_at: str, due_at: str | None, **attributes: Any
) -> Video:
    """A video item with its index keys, not yet written."""
    shard = keys.shard_of(video_id)
    return Video(
        keys.video_pk(video_id),
        keys.VIDEO_SK,
        video_id=video_id,
        status=status.value,
        status_shard=keys.status_shard(status, shard),
        created_at=created_at,
        updated_at=created_at,
        created_shard=keys.created_shard(shard),
        created_key=keys.created_key(created_at, video_id),
        due_shard=keys.due_shard(shard) if due_at else None,
        due_at=due_at,
        **attributes,
    )


def made(video: Video) -> list[transact.Write]:
    """Write a new video, with what it can be found by."""
    entries = catalogue.title_entries(video.video_id, video.title, video.created_at)
    return [transact.put(item) for item in (video, *entries)]


def set_upload_id(video_id: str, upload_id: str) -> Video:
    """Remember the multipart upload begun for a waiting video; the first one stays.

    Returns:
        The video; if its `upload_id` is another, that one won and yours should be aborted.

    Raises:
        TransitionRefused: the video is gone.
    """
    waiting = (Video.status == VideoStatus.AWAITING_UPLOAD) & Video.upload_id.does_not_exist()
    actions = [Video.upload_id.set(upload_id), Video.updated_at.set(clock.stamp())]
    with suppress(TransitionRefused):
        transact.update_once(key_of(video_id), actions, waiting)
    video = get(video_id)
    if video is None:
        raise TransitionRefused(f"{video_id} is gone")
    return video


def request_delete(queues: Queues, video_id: str, actor: str) -> Video | None:
    """Take a video out of everybody's sight and have everything of it removed, whatever its state.

    Works while it is processed: its workers stop within seconds. Repeatable: a second call sends
    the purge again.

    Args:
        actor: name of who asked, for the log.

    Returns:
        The video, now DELETING, or None if there is none.
    """
    video = _to_deleting(video_id, actor, "video.delete_requested", list(VideoStatus))
    if video is not None:
        queues.send_purge(video_id)  # if this never happens, the monitor does it
    return video


def abort_upload(queues: Queues, video_id: str, actor: str) -> Video | None:
    """Give up an upload that has not arrived: parts, object and item are removed.

    Returns:
        The video, now DELETING, or None if there is none.

    Raises:
        TransitionRefused: the upload has arrived already (use `request_delete`).
    """
    video = _to_deleting(video_id, actor, "upload.aborted", [VideoStatus.AWAITING_UPLOAD])
    if video is None:
        return None
    if video.status != VideoStatus.DELETING:
        raise TransitionRefused(f"{video_id} has arrived already")
    queues.send_purge(video_id)
    return video


def _to_deleting(video_id: str, actor: str, event: str, allowed: list[VideoStatus]) -> Video | None:
    while (video := get(video_id)) is not None:
        if video.status == VideoStatus.DELETING or video.status not in allowed:
            return video
        log = transact.entry(
            video_id, event, detail={"from": video.status, "to": "DELETING", "actor": actor}
        )
        actions = [
            *moved(video_id, VideoStatus.DELETING),
            *due(Video, video_id, clock.stamp(LOOK_AGAIN_S)),
        ]
        try:
            transact.commit(
                [log], transact.update(key_of(video_id), actions, Video.status == video.status)
            )
        except TransitionRefused:
            continue  # it moved meanwhile: decide again
        return get(video_id)
    return None


def expire(video: Video) -> None:
    """AWAITING_UPLOAD → FAILED: the upload never came.

    Raises:
        TransitionRefused: it did come, or somebody aborted it.
    """
    message = "The upload was not finished within 24 hours. Upload the file again."
    detail = failure_detail(VideoStatus.AWAITING_UPLOAD, Reason.UPLOAD_EXPIRED, message)
    log = transact.entry(video.video_id, "video.failed", detail=detail)
    actions = [
        *failed_actions(video.video_id, Reason.UPLOAD_EXPIRED, message),
        *not_due(Video),
    ]
    condition = Video.status == VideoStatus.AWAITING_UPLOAD
    transact.commit([log], transact.update(key_of(video.video_id), actions, condition))


def look_again(video: Video, seconds: float) -> None:
    """Postpone the monitor's next look at a video, unless it moved meanwhile."""
    unchanged = (Video.status == video.status) & (Video.due_at == video.due_at)
    with suppress(TransitionRefused):
        actions = [Video.due_at.set(clock.stamp(seconds))]
        transact.update_once(key_of(video.video_id), actions, unchanged)


def settle(video: Video) -> None:
    """Nothing remains to be done for a failed or cancelled video: the monitor may forget it,
    unless it was set going and failed again meanwhile."""
    same = (Video.status == video.status) & (Video.updated_at == video.updated_at)
    with suppress(TransitionRefused):
        transact.update_once(key_of(video.video_id), not_due(Video), same)


def claim_publication(video: Video, steps: int) -> None:
    """Before playlists are written: nobody with an older set may begin after this.

    Raises:
        TransitionRefused: a newer set was begun, or another one since the video was read; or the
            video is not under way.
    """
    condition = (
        Video.status.is_in(VideoStatus.PROCESSING, VideoStatus.COMPLETED)
        & (Video.publishing_steps <= steps)
        & (Video.publishing_steps == int(video.publishing_steps))
    )
    transact.update_once(key_of(video.video_id), [Video.publishing_steps.set(steps)], condition)


def published(
    video: Video, steps: int, files: Mapping[str, str], ready: Sequence[str], *, playable: bool
) -> None:
    """After playlists were written of a video's first `steps` (`Video.steps`).

    Args:
        files: digests of all that stand now, by path.
        ready: names of the renditions of which every chunk stands.

    Raises:
        TransitionRefused: a newer set was begun meanwhile, or the video left PROCESSING: what is
            in the bucket may be stale and must be written again.
    """
    condition = (Video.status == VideoStatus.PROCESSING) & (Video.publishing_steps == steps)
    actions: list[Action] = [
        Video.published_steps.set(steps),
        Video.published_files.set(dict(files)),
        Video.unpublished_since.remove(),
        Video.updated_at.set(clock.stamp()),
    ]
    if playable and not video.playable:
        actions += [Video.playable.set(True), Video.playable_at.set(clock.stamp())]
    news = watchable.since_now(video, ready, playable=playable)
    if not news.lines:
        transact.update_once(key_of(video.video_id), actions, condition)
        return
    change = [*actions, *news.actions], condition & news.condition
    transact.commit(news.lines, transact.update(key_of(video.video_id), *change))


def doubt_publication(video_id: str) -> None:
    """What is in the bucket may be older than what was published last: have it written again."""
    out = Video.status.is_in(VideoStatus.PROCESSING, VideoStatus.COMPLETED)
    actions: list[Action] = [Video.published_steps.set(-1), unpublished()]
    actions += due(Video, video_id, clock.stamp(LOOK_AGAIN_S))
    with suppress(TransitionRefused):
        transact.update_once(key_of(video_id), actions, out)


def republished(video: Video, steps: int, manifest: str | None) -> None:
    """The final playlists and the manifest of a completed video were written again."""
    actions: list[Action] = [Video.published_steps.set(steps), Video.unpublished_since.remove()]
    actions += [*_offered(manifest), *not_due(Video)]
    condition = Video.status == VideoStatus.COMPLETED
    transact.update_once(key_of(video.video_id), actions, condition)


def _offered(manifest: str | None) -> list[Action]:
    return [Video.manifest.set(manifest)] if manifest else []


def complete(video: Video, steps: int, manifest: str | None, ready: Sequence[str]) -> None:
    """PROCESSING → COMPLETED, once: every task is done and the final playlists are published.

    Args:
        steps: all of the video's, of which the playlists were written.
        manifest: path of the DASH manifest, published with them, if there is one.
        ready: names of all renditions.

    Raises:
        TransitionRefused: it is completed already, or on another way.
    """
    total = int(video.tasks_total)
    condition = (
        (Video.status == VideoStatus.PROCESSING)
        & (Video.tasks_done == total)
        & (Video.tasks_total == total)
        & (Video.publishing_steps == steps)
    )
    now = clock.stamp()
    actions = [
        *moved(video.video_id, VideoStatus.COMPLETED),
        Video.published_steps.set(steps),
        Video.playable.set(True),
        Video.playable_at.set(Video.playable_at | now),
        Video.completed_at.set(now),
        Video.unpublished_since.remove(),
        *_offered(manifest),
        *not_due(Video),
    ]
    news = watchable.since_now(video, ready, playable=True)
    detail = {
        **{"from": VideoStatus.PROCESSING, "to": VideoStatus.COMPLETED, "tasks": total},
        "since_upload_s": since_upload_s(video),
    }
    completed = transact.entry(video.video_id, "video.completed", detail=detail)
    change = [*actions, *news.actions], condition & news.condition
    transact.commit([*news.lines, completed], transact.update(key_of(video.video_id), *change))


def unpublished() -> Action:
    """There is something new to publish; how long there has been, `waits` tells."""
    return Video.unpublished_since.set(Video.unpublished_since | clock.stamp())


def since_upload_s(video: Video) -> float:
    """Seconds since the source arrived."""
    return round(clock.age_s(video.uploaded_at or video.created_at), 3)


def key_of(video_id: str) -> Video:
    """The video's keys, to update it without reading it."""
    return Video(keys.video_pk(video_id), keys.VIDEO_SK)


def moved(video_id: str, status: VideoStatus) -> list[Action]:
    """Set the status everywhere it is kept."""
    return [
        Video.status.set(status.value),
        Video.status_shard.set(keys.status_shard(status, keys.shard_of(video_id))),
        Video.updated_at.set(clock.stamp()),
    ]


def failed_actions(video_id: str, reason: Reason, message: str) -> list[Action]:
    """A failed video is not playable, even if its beginning was: its playlists are withdrawn."""
    return [
        *moved(video_id, VideoStatus.FAILED),
        Video.playable.set(False),
        Video.reason.set(reason.value),
        Video.reason_message.set(message),
    ]


def failure_detail(before: str, reason: Reason, message: str) -> dict[str, Any]:
    failed = {"from": before, "to": VideoStatus.FAILED, "playable": False}
    return {**failed, "reason": reason, "message": message}


def due(cls: type[Item], video_id: str, at: str) -> list[Action]:
    """Have the monitor look at an item of this video at a time."""
    return [cls.due_shard.set(keys.due_shard(keys.shard_of(video_id))), cls.due_at.set(at)]


def not_due(cls: type[Item]) -> list[Action]:
    return [cls.due_shard.remove(), cls.due_at.remove()]


def tasks_of(video_id: str) -> list[Task]:
    """All tasks of a video, as they are now, in the order of their keys."""
    found = Item.query(
        keys.video_pk(video_id), Item.sk.startswith(keys.TASK_SK_PREFIX), consistent_read=True
    )
    return [item for item in found if isinstance(item, Task)]
