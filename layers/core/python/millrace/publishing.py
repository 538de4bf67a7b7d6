"""The publisher: brings what the public sees of a video in line with its state.

It is told "look at this video" and acts on the state, never on the message, so that a duplicate,
late or lost message does no harm. Messages of one video are handled one after another (a FIFO
queue); a claim on the video guards against two at once all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from millrace import (
    clock,
    events,
    history,
    hls,
    keys,
    outputs,
    plan,
    purging,
    steering,
    storage,
    stragglers,
    tasks,
    trace_ids,
    videos,
)
from millrace.errors import TransitionRefused
from millrace.events import MalformedMessage
from millrace.hls import Playlists
from millrace.metrics import Metric, record
from millrace.model import Task, TaskKind, TaskStatus, Video, VideoStatus
from millrace.outputs import Track
from millrace.plan import Plan
from millrace.queues import Queues
from millrace.storage import Bucket

_LONGEST_WAIT_S = 30

log = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Press:
    """What publishing needs."""

    queues: Queues
    uploads: Bucket
    site: Bucket


def receive(press: Press, message: SQSRecord) -> None:
    """Take one message of the publish queue to its end.

    Raises:
        Exception: it is to be delivered again, sooner than the queue's visibility timeout would
            bring it.
    """
    try:
        wanted = events.parse_publish(message.body)
    except MalformedMessage as error:
        log.error("message.rejected", extra={"reason": error.reason, "why": error.message})
        record(Metric.MESSAGES_REJECTED)
        press.queues.send_unreadable("publish", message.body, error.reason, error.message)
        return
    try:
        attend(press, wanted.video_id)
    except BaseException:
        tries = int(message.attributes.approximate_receive_count)
        press.queues.hold("publish", message.receipt_handle, min(2**tries, _LONGEST_WAIT_S))
        raise


def attend(press: Press, video_id: str) -> None:
    """Revive, publish, withdraw or purge a video, whichever its state asks for.

    Raises:
        RetryableError: something is still in the way; the message is to come again.
    """
    video = videos.get(video_id)
    log.append_keys(**trace_ids.log_keys(video_id))
    if video is None:
        log.info("publish.gone")
    elif video.status == VideoStatus.DELETING:
        purging.purge(press.uploads, press.site, video)
    elif video.reviving_since is not None and video.status in videos.ACTIVE:
        _revive(press, video)
    elif video.status in (VideoStatus.PROCESSING, VideoStatus.COMPLETED):
        _publish(press, video)
    elif video.status in (VideoStatus.FAILED, VideoStatus.CANCELLED):
        _withdraw(press, video)


def _revive(press: Press, video: Video) -> None:
    """Set the tasks of a retried video going, then look again: there is something to publish, or
    the video moved while we were at it."""
    try:
        steering.revive(press.queues, video)
        log.info("video.revived")
    except TransitionRefused:
        log.info("revival.overtaken")
    press.queues.send_publish(video.video_id, clock.stamp())


def _publish(press: Press, video: Video) -> None:
    if video.published_steps >= video.steps:
        return  # an earlier message published all that is made
    all_tasks = videos.tasks_of(video.video_id)
    done = [task for task in all_tasks if task.status == TaskStatus.DONE]
    made = [task for task in done if task.task_kind != TaskKind.PROBE]
    steps = len(made) + sum(int(task.growths) for task in all_tasks)
    final = len(made) == int(video.tasks_total)
    the_plan = plan.from_json(video.plan or {})
    playlists = _render(the_plan, all_tasks, final=final)
    try:
        videos.claim_publication(video, steps)
        if playlists is not None:
            _write(press.site, video, playlists, final=final)
        ready = _ready_renditions(the_plan, made) if playlists is not None else []
        _record(video, steps, the_plan, ready, playlists, final=final)
    except TransitionRefused:
        _look_again(press, video)
    stragglers.watch(press.queues, all_tasks)


def _ready_renditions(the_plan: Plan, done: list[Task]) -> list[str]:
    """Renditions of which every chunk stands: a chunk is made in all of them at once."""
    chunks = sum(1 for task in done if task.task_kind == TaskKind.TRANSCODE)
    whole = chunks == the_plan.chunk_count
    return [rung.name for rung in the_plan.video.renditions] if whole else []


def _render(the_plan: Plan, all_tasks: list[Task], *, final: bool) -> Playlists | None:
    def tracks(kind: TaskKind, *, done: bool = True) -> dict[int, dict[str, Track]]:
        return {
            int(task.index): outputs.tracks_from_json(task.output)
            for task in all_tasks
            if task.task_kind == kind and task.output and done == (task.status == TaskStatus.DONE)
        }

    return hls.render(
        the_plan,
        tracks(TaskKind.TRANSCODE),
        tracks(TaskKind.AUDIO),
        tracks(TaskKind.SUBTITLES),
        growing_chunks=tracks(TaskKind.TRANSCODE, done=False),
        growing_audio=tracks(TaskKind.AUDIO, done=False),
        final=final,
    )


def _write(site: Bucket, video: Video, playlists: Playlists, *, final: bool) -> None:
    """All of them at the end, when their cache headers change as well; until then what changed: a
    sound track grows without the pictures' playlists, a chunk out of turn without any."""
    cache = storage.FINISHED if final else storage.GROWING
    stands = video.published_files or {}
    if final or video.published_steps != video.publishing_steps:
        stands = {}  # somebody began to write others, and may not have ended
    digests = playlists.digests
    for path, text in playlists.files.items():
        if stands.get(path) != digests[path]:
            site.put_text(keys.media_key(video.video_id, path), text, cache)


def _record(
    video: Video,
    steps: int,
    the_plan: Plan,
    ready: list[str],
    playlists: Playlists | None,
    *,
    final: bool,
) -> None:
    """The move that belongs to what was just written."""
    manifest, playable = hls.manifest_path(the_plan), playlists is not None
    if video.status == VideoStatus.COMPLETED:
        videos.republished(video, steps, manifest)
        return
    since_upload_s = clock.age_s(video.uploaded_at or video.created_at)
    if final:
        videos.complete(video, steps, manifest, ready)
        record(Metric.VIDEOS_COMPLETED)
        record(Metric.TIME_TO_COMPLETED, since_upload_s)
        record(Metric.VIDEO_COST, history.cost_usd(video.video_id))
        log.info("video.completed")
    else:
        files = playlists.digests if playlists is not None else {}
        videos.published(video, steps, files, ready, playable=playable)
    if playable and not video.playable:
        record(Metric.VIDEOS_PLAYABLE)
        record(Metric.TIME_TO_PLAYABLE, since_upload_s)


def _look_again(press: Press, seen: Video) -> None:
    """The video moved while we wrote: what we wrote may be older than what somebody else did, or
    should not be there at all. Another look puts it right."""
    log.info("publish.overtaken")
    videos.doubt_publication(seen.video_id)
    press.queues.send_publish(seen.video_id, clock.stamp())


def _withdraw(press: Press, video: Video) -> None:
    """A failed or cancelled video has no playlists or manifest; its other tasks are not started."""
    for task in videos.tasks_of(video.video_id):
        if task.status == TaskStatus.PENDING:
            tasks.cancel_pending(task)
    if video.plan:
        for path in hls.paths(plan.from_json(video.plan)):
            press.site.delete_key(keys.media_key(video.video_id, path))
    videos.settle(video)
