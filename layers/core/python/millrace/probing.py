"""The probe task: learn what the source is, plan it, and set its tasks going.

In this order, so that a crash anywhere is healed by doing the rest again: the plan is kept on the
probe task first (every later attempt uses that plan, whatever the settings are by then), then the
tasks are put, then one transaction makes the video PROCESSING and the probe DONE, then the
messages are sent; the monitor sends those that a crash swallowed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from millrace import (
    catalogue,
    clock,
    fitting,
    ladder,
    media,
    plan,
    scratch,
    tasks,
    transact,
    turns,
    video_settings,
    videos,
)
from millrace.config import Settings
from millrace.errors import TransitionRefused
from millrace.events import TaskMessage
from millrace.levels import Codec
from millrace.media import MediaInfo
from millrace.model import Task, TaskKind, TaskStatus, Video, VideoStatus
from millrace.plan import Container, Plan
from millrace.renditions import RateControl
from millrace.tasks import Lease
from millrace.turns import Turn
from millrace.video_settings import VideoSettings
from millrace.worker import Job

_PUT_AT_ONCE = 50
"""Tasks in one transaction; DynamoDB takes 100 items."""


def work(job: Job) -> None:
    """The probe's work; see the module."""
    found = job.task.output or _remember(job.lease, _probe(job))
    the_plan = plan.from_json(found["plan"])
    priority = video_settings.from_json(job.video.settings).priority
    put_tasks(job.lease.task.video_id, the_plan, Turn(priority, found.get("round", 0)))
    begin(job.video, job.lease, found["media"], the_plan, told=job.told)
    send(job, the_plan)


def _probe(job: Job) -> dict[str, Any]:
    info = media.parse(job.run_engine("probe"))
    chosen = video_settings.from_json(job.video.settings)
    made = _plan(info, chosen, job.shop.settings)
    if chosen.ladder in ladder.PER_TITLE and chosen.rate_control is RateControl.CRF:
        made = _fit(job, made)
    turn = turns.current(chosen.priority)
    return {"media": dict(info.raw), "plan": made.to_json(), "round": turn.round}


def _plan(info: MediaInfo, chosen: VideoSettings, usual: Settings) -> Plan:
    """By the video's own settings, and the deployment's for what they leave open."""
    surround = chosen.keep_surround
    return plan.make(
        info,
        chunk_segments=usual.chunk_segments,
        head_segments=usual.head_segments,
        preset=chosen.preset or usual.preset,
        rungs=chosen.rungs,
        rate_control=chosen.rate_control,
        segment_s=chosen.segment_s,
        stills=chosen.thumbnails,
        keep_surround=usual.keep_surround if surround is None else surround,
        container=_container(chosen, usual),
    )


def _container(chosen: VideoSettings, usual: Settings) -> Container:
    """A ladder without H.264 cannot go into MPEG-TS: then the deployment's wish does not hold."""
    if chosen.container is not None:
        return chosen.container
    carried = any(rung.codec is Codec.H264 for rung in chosen.rungs)
    return Container(usual.container) if carried else Container.CMAF


def _fit(job: Job, made: Plan) -> Plan:
    """The plan with its ladder fitted to what the video shows; takes a fraction of the encoding."""
    with scratch.folder() as folder:
        plan_file = folder / "plan.json"
        plan_file.write_text(json.dumps(made.to_json()))
        target = ("--target-vmaf", str(ladder.TARGET_VMAF))
        analysis = job.run_engine("analyse", "--plan", str(plan_file), *target)
    return fitting.fitted(made, analysis)


def _remember(lease: Lease, found: dict[str, Any]) -> dict[str, Any]:
    """Keep what was found with the task: from here on the plan is fixed."""
    transact.update_once(lease.key, [Task.output.set(found)], lease.held())
    return found


def put_tasks(video_id: str, the_plan: Plan, turn: Turn) -> None:
    """Write every task of the plan that is not there yet; those that are stay as they are. None
    is written once the video is not QUEUED any more: a purge may have been there."""
    missing = iter(the_plan.tasks())
    while batch := list(islice(missing, _PUT_AT_ONCE)):
        items = [_new(video_id, the_plan, turn, *task) for task in batch]
        try:
            transact.commit_unlogged(_queued(video_id), *(transact.put(item) for item in items))
        except TransitionRefused:
            _put_singly(video_id, items)


def _queued(video_id: str) -> transact.Write:
    return transact.check(videos.key_of(video_id), Video.status == VideoStatus.QUEUED)


def _new(video_id: str, the_plan: Plan, turn: Turn, kind: TaskKind, index: int) -> Task:
    units, urgency = the_plan.units(kind, index), turn.urgency(kind, index)
    return tasks.new(video_id, kind, index, units=units, urgency=urgency)


def _put_singly(video_id: str, items: Sequence[Task]) -> None:
    for item in items:
        try:
            transact.commit_unlogged(_queued(video_id), transact.put(item))
        except TransitionRefused:
            continue  # an earlier attempt put it


def begin(
    video: Video,
    lease: Lease,
    found: dict[str, Any],
    the_plan: Plan,
    *,
    told: Mapping[str, Any] | None = None,
) -> None:
    """QUEUED → PROCESSING together with the probe's RUNNING → DONE.

    Args:
        told: what the log is to tell besides of the probe's end.

    Raises:
        TransitionRefused: the lease is void or the video is not QUEUED.
    """
    video_id = video.video_id
    planned = list(the_plan.tasks())
    video_actions = [
        *videos.moved(video_id, VideoStatus.PROCESSING),
        Video.media.set(found),
        Video.plan.set(the_plan.to_json()),
        Video.tasks_total.set(len(planned)),
        Video.tasks_done.set(0),
        Video.units_total.set(sum(the_plan.units(kind, index) for kind, index in planned)),
        Video.units_done.set(0),
        *videos.due(Video, video_id, clock.stamp(videos.LOOK_AGAIN_S)),
    ]
    probe_actions = [*tasks.ended(TaskStatus.DONE), *videos.not_due(Task)]
    counts = {kind: sum(1 for other, _ in planned if other is kind) for kind in TaskKind}
    counts.pop(TaskKind.PROBE)
    done = {"from": TaskStatus.RUNNING, "to": TaskStatus.DONE}
    logs = [
        lease.entry("task.done", {**done, **lease.ran, **(told or {})}),
        transact.entry(
            video_id,
            "video.planned",
            detail={"from": VideoStatus.QUEUED, "to": VideoStatus.PROCESSING, "tasks": counts},
        ),
    ]
    transact.commit(
        logs,
        transact.update(lease.key, probe_actions, lease.held()),
        transact.update(videos.key_of(video_id), video_actions, Video.status == VideoStatus.QUEUED),
        *_listed(video, found),
    )


def _listed(video: Video, found: Mapping[str, Any]) -> list[transact.Write]:
    """From here on it is listed by its duration, if it has one."""
    duration_s = found.get("format", {}).get("duration_s")
    if duration_s is None:
        return []
    entry = catalogue.duration_entry(video.video_id, duration_s, video.created_at)
    return [lambda transaction: transaction.save(entry)]


def send(job: Job, the_plan: Plan) -> None:
    """Announce the tasks, most urgent first."""
    video_id = job.lease.task.video_id
    messages = [TaskMessage(video_id, kind, index) for kind, index in the_plan.tasks()]
    job.shop.queues.send_tasks(messages)
