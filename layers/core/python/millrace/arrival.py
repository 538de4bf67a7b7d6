"""The arrival of an object: the first move of a video, however often and late it is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from millrace import clock, keys, tasks, transact, video_settings, videos
from millrace.deadletters import awaits_burial
from millrace.errors import Reason, TransitionRefused
from millrace.events import TaskMessage
from millrace.metrics import Metric, record
from millrace.model import TaskKind, TaskStatus, Transaction, Video, VideoStatus
from millrace.queues import Queues
from millrace.storage import Bucket, StoredObject
from millrace.turns import Turn


class Outcome(StrEnum):
    """What became of a notification. Only the first two changed anything."""

    QUEUED = "queued"
    FAILED = "failed"
    """The object can never become a video; the video says why."""
    DUPLICATE = "duplicate"
    """Told before."""
    SUPERSEDED = "superseded"
    """The object was replaced since, or the video was made from another version of it."""
    GONE = "gone"
    """The object does not exist any more."""
    FOREIGN = "foreign"
    """Not an upload: another bucket or prefix."""


@dataclass(frozen=True, slots=True)
class Door:
    """What an arrival needs."""

    uploads: Bucket
    queues: Queues
    max_upload_bytes: int


def arrive(door: Door, bucket: str, key: str, etag: str) -> Outcome:
    """Take note of an object: its video becomes QUEUED with a probe task, or FAILED.

    An object that no `POST /uploads` announced gets a video of its own, whose id follows from
    bucket and key. What counts is the object as it is stored now; a notification that is
    repeated, late or about a version that was replaced changes nothing.

    Args:
        etag: of the version the notification is about, without quotes.

    Raises:
        RetryableError: the database is too busy.
    """
    if bucket != door.uploads.name or not _is_upload(key):
        return Outcome.FOREIGN
    video_id, video = _find(bucket, key)
    if video is not None and video.status != VideoStatus.AWAITING_UPLOAD:
        return _again(door, video, etag)
    stored = door.uploads.head(key)
    if stored is None:
        return Outcome.GONE
    if stored.etag != etag:
        return Outcome.SUPERSEDED
    return _first(door, video_id, video, stored)


def _is_upload(key: str) -> bool:
    """A key that ends with a slash is a folder somebody made in a file browser."""
    return key.startswith(keys.UPLOAD_PREFIX) and not key.endswith("/")


def _find(bucket: str, key: str) -> tuple[str, Video | None]:
    announced = keys.video_id_from_upload_key(key)
    if announced is not None:
        video = videos.get(announced)
        if video is not None and video.upload_key == key:
            return announced, video
    video_id = keys.video_id_of_object(bucket, key)
    return video_id, videos.get(video_id)


def _again(door: Door, video: Video, etag: str) -> Outcome:
    if video.source_etag != etag:
        return Outcome.SUPERSEDED
    probe = tasks.get(TaskMessage(video.video_id, TaskKind.PROBE, 0))
    if probe is not None and (probe.status == TaskStatus.PENDING or awaits_burial(probe)):
        # We may have died between the write and the message; sending it twice does no harm.
        door.queues.send_task(TaskMessage.of(probe))
    return Outcome.DUPLICATE


def _first(door: Door, video_id: str, video: Video | None, stored: StoredObject) -> Outcome:
    problem = _problem(video, stored, door.max_upload_bytes)
    chosen = video_settings.from_json(video.settings if video else None)
    urgency = Turn(chosen.priority).urgency(TaskKind.PROBE, 0)
    probe = tasks.new(video_id, TaskKind.PROBE, 0, units=0, urgency=urgency)
    if problem is not None:
        tasks.mark_stillborn(probe, *problem)
    writes = _changed(video, stored, problem) if video else _made(video_id, stored, problem)
    logs = _logs(video_id, video, stored, problem)
    try:
        transact.commit(logs, *writes, transact.put(probe))
    except TransitionRefused:
        return Outcome.DUPLICATE  # another notification of the same object was quicker
    record(Metric.SOURCE_BYTES, stored.size_bytes)
    # Also when it failed: whoever gets the message sees to the dead letter.
    door.queues.send_task(TaskMessage.of(probe))
    return Outcome.FAILED if problem else Outcome.QUEUED


def _problem(
    video: Video | None, stored: StoredObject, max_bytes: int
) -> tuple[Reason, str] | None:
    if stored.size_bytes == 0:
        return Reason.EMPTY_FILE, "The file is empty. Upload it again."
    if stored.size_bytes > max_bytes:
        limit = f"{max_bytes:,} bytes"
        return Reason.LIMIT_EXCEEDED, f"The file is larger than the limit of {limit}."
    declared = video.declared_bytes if video else None
    if declared is not None and int(declared) != stored.size_bytes:
        message = (
            f"{stored.size_bytes:,} bytes arrived where {int(declared):,} were announced. "
            "Upload the file again."
        )
        return Reason.LIMIT_EXCEEDED, message
    return None


def _changed(
    video: Video, stored: StoredObject, problem: tuple[Reason, str] | None
) -> list[transact.Write]:
    moved = (
        videos.failed_actions(video.video_id, *problem)
        if problem
        else videos.moved(video.video_id, VideoStatus.QUEUED)
    )
    actions = [
        *moved,
        Video.source_etag.set(stored.etag),
        Video.source_bytes.set(stored.size_bytes),
        Video.uploaded_at.set(clock.stamp()),
        *videos.not_due(Video),  # from here on the probe task carries the due time
    ]
    waiting = Video.status == VideoStatus.AWAITING_UPLOAD
    return [transact.update(videos.key_of(video.video_id), actions, waiting)]


def _made(
    video_id: str, stored: StoredObject, problem: tuple[Reason, str] | None
) -> list[transact.Write]:
    now = clock.stamp()
    filename = PurePosixPath(stored.key).name
    failure = {"reason": problem[0].value, "reason_message": problem[1]} if problem else {}
    video = videos.new(
        video_id=video_id,
        status=VideoStatus.FAILED if problem else VideoStatus.QUEUED,
        created_at=now,
        due_at=None,
        title=PurePosixPath(filename).stem,
        filename=filename,
        upload_key=stored.key,
        source_etag=stored.etag,
        source_bytes=stored.size_bytes,
        uploaded_at=now,
        **failure,
    )
    return videos.made(video)


def _logs(
    video_id: str, video: Video | None, stored: StoredObject, problem: tuple[Reason, str] | None
) -> list[Transaction]:
    logs = []
    if video is None:
        detail = {"to": VideoStatus.AWAITING_UPLOAD, "announced": False}
        logs.append(transact.entry(video_id, "upload.created", detail=detail))
    arrived = {
        "from": VideoStatus.AWAITING_UPLOAD,
        "to": VideoStatus.QUEUED,
        "etag": stored.etag,
        "bytes": stored.size_bytes,
    }
    logs.append(transact.entry(video_id, "video.uploaded", detail=arrived))
    if problem:
        reason, message = problem
        failed = {"from": TaskStatus.PENDING, "to": TaskStatus.FAILED, "reason": reason}
        probe = keys.task_id(TaskKind.PROBE, 0)
        logs.append(transact.entry(video_id, "task.failed", task_id=probe, detail=failed))
        detail = videos.failure_detail(VideoStatus.QUEUED, reason, message)
        logs.append(transact.entry(video_id, "video.failed", detail=detail))
    return logs
