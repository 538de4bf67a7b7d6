"""Transcode, audio and subtitle tasks: the engine's files go to the site bucket one by one as they
are finished and leave the disk at once, so that neither memory nor disk grows with the source."""

from __future__ import annotations

import json
from pathlib import Path

from millrace import keeping, plan, scratch, tasks
from millrace.engine import Line
from millrace.errors import PermanentError, Reason
from millrace.model import TaskKind
from millrace.outputs import Collector, Track
from millrace.plan import Plan
from millrace.worker import Job

_SELECTION = {
    TaskKind.TRANSCODE: "--chunk",
    TaskKind.AUDIO: "--audio",
    TaskKind.SUBTITLES: "--subtitles",
}


def work(job: Job) -> None:
    """One chunk in all renditions, or one whole audio or subtitle track."""
    the_plan = plan.from_json(job.video.plan or {})
    kind, index = job.lease.task.kind, job.lease.task.index
    names, first, count = _expected(the_plan, kind, index)
    collector = Collector()
    with scratch.folder() as folder:
        _encode(job, the_plan, folder, collector)
    tracks = collector.tracks(names, first, count)
    tasks.finish(job.lease, _output(tracks, job.reading.bytes_read), told=job.told)


def _expected(the_plan: Plan, kind: TaskKind, index: int) -> tuple[list[str], int, int | None]:
    """Names of the tracks to make, the first segment's index, and how many (None: to the end)."""
    if kind is TaskKind.AUDIO:
        return [the_plan.audio[index].name], 0, None
    if kind is TaskKind.SUBTITLES:
        return [the_plan.subtitles[index].name], 0, None
    names = [rendition.name for rendition in the_plan.video.renditions]
    last = index == the_plan.chunk_count - 1
    return names, index * the_plan.chunk_segments, None if last else the_plan.chunk_segments


def _encode(job: Job, the_plan: Plan, folder: Path, collector: Collector) -> None:
    plan_file, made = folder / "plan.json", folder / "made"
    plan_file.write_text(json.dumps(the_plan.to_json()))
    made.mkdir()
    task = job.lease.task

    def store(line: Line) -> None:
        if line["type"] in ("init", "segment"):
            # MPEG-TS has no init file, but codecs to tell.
            collector.add(_store(job, made, line) if "path" in line else line)

    job.run_engine(
        "transcode",
        *("--plan", str(plan_file), "--output", str(made), _SELECTION[task.kind], str(task.index)),
        on_line=store,
    )


def _store(job: Job, made: Path, line: Line) -> Line:
    """Store one finished file and remove it from the disk. Returns the line of what is stored."""
    path = made / line["path"]
    if not path.resolve().is_relative_to(made.resolve()):
        raise PermanentError(Reason.INTERNAL, "The engine named a file outside of its folder.")
    kept = keeping.keep(job, path, line)
    path.unlink()
    return kept


def _output(tracks: dict[str, Track], bytes_read: int) -> dict[str, object]:
    return {
        "tracks": {name: track.to_json() for name, track in tracks.items()},
        "bytes_read": bytes_read,
    }
