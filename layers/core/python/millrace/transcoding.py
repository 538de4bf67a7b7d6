"""Transcode, audio and subtitle tasks: the engine's files go to the site bucket one by one as they
are finished and leave the disk at once, so that neither memory nor disk grows with the source."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

from millrace import keeping, outputs, plan, scratch, tasks
from millrace.engine import Line
from millrace.errors import PermanentError, Reason, TransitionRefused
from millrace.metrics import Metric, tell
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
    selection = [_SELECTION[kind], str(index)]
    if kind is TaskKind.AUDIO:
        selection += _gone_on_with(job, names[0], collector)
    telling = _telling(job, the_plan, names, first)
    with scratch.folder() as folder:
        _encode(job, the_plan, selection, folder, collector, telling)
    tracks = collector.tracks(names, first, count)
    made = _made(tracks, names[0], kind)
    tasks.finish(job.lease, _output(tracks, job.reading.bytes_read), told={**job.told, **made})
    _measure(made, time.monotonic() - job.started, kind)


def _made(tracks: dict[str, Track], first: str, kind: TaskKind) -> dict[str, float]:
    """For the log: what was made, and (of a chunk) how much of the source that is."""
    segments = [segment for track in tracks.values() for segment in track.segments]
    made: dict[str, float] = {
        "bytes_out": sum(segment.size_bytes for segment in segments),
        "files": len(segments) + len(tracks),
    }
    if kind is TaskKind.TRANSCODE:
        made["source_s"] = round(float(tracks[first].duration_s), 3)
    return made


def _expected(the_plan: Plan, kind: TaskKind, index: int) -> tuple[list[str], int, int | None]:
    """Names of the tracks to make, the first segment's index, and how many (None: to the end)."""
    if kind is TaskKind.AUDIO:
        return [the_plan.audio[index].name], 0, None
    if kind is TaskKind.SUBTITLES:
        return [the_plan.subtitles[index].name], 0, None
    names = [rendition.name for rendition in the_plan.video.renditions]
    return names, the_plan.grid.first_segment(index), the_plan.grid.segments_of(index)


def _measure(made: dict[str, float], seconds: float, kind: TaskKind) -> None:
    values: dict[Metric, float] = {Metric.BYTES_OUT: made["bytes_out"]}
    if "source_s" in made and seconds > 0:
        values[Metric.ENGINE_SPEED] = made["source_s"] / seconds
    tell(values, kind=kind.value)


class _Telling:
    """Has the beginning of what a task makes published while it makes the rest: as soon as there
    are `least` segments, then no more often than a player looks, which is once a segment.

    A whole track, which may have thousands of segments, is told of after 4, 8, 16 … seconds, so
    that all of it costs no more than its end.
    """

    def __init__(
        self, job: Job, names: list[str], first: int, *, least: int, pause_s: float, whole: bool
    ) -> None:
        self._job, self._names, self._first = job, names, first
        self._pause_s, self._whole = pause_s, whole
        self._growths = int(job.task.growths)
        told = outputs.told_of(job.task.output, names[0])
        self._least = max(least, len(told.segments) + 1)
        self._next_s = 0.0

    def look(self, collector: Collector) -> None:
        """After each file."""
        elapsed_s = time.monotonic() - self._job.started
        made = collector.made_so_far(self._names, self._first)
        if elapsed_s < self._next_s or made < self._least:
            return
        tracks = collector.so_far(self._names, self._first, made)
        try:
            told = tasks.grow(self._job.lease, _output(tracks, 0), self._growths)
        except TransitionRefused:
            # There is another attempt, or this one is not wanted any more, which the heart notices.
            self._next_s = math.inf
            return
        if told:
            self._growths += 1
            self._least = made + 1
            self._next_s = elapsed_s + max(self._pause_s, elapsed_s if self._whole else 0.0)
            self._job.announce(str(made))


def _telling(job: Job, the_plan: Plan, names: list[str], first: int) -> _Telling | None:
    """Of a whole sound track, without which nothing can be played; and of the chunk after the head:
    who began to watch is to go on watching."""
    kind, index = job.lease.task.kind, job.lease.task.index
    pause_s = float(the_plan.segment_s)
    if kind is TaskKind.AUDIO:
        least = the_plan.head_segments
        return _Telling(job, names, first, least=least, pause_s=pause_s, whole=True)
    short_head = the_plan.head_segments < the_plan.chunk_segments
    if kind is TaskKind.TRANSCODE and index == 1 and short_head:
        return _Telling(job, names, first, least=1, pause_s=pause_s, whole=False)
    return None


def _gone_on_with(job: Job, name: str, collector: Collector) -> list[str]:
    """Where an earlier attempt has told of a sound track, this one goes on: so a track takes its
    time, and a worker's time limit is none for it. The last segment that was told of is made again,
    so that there is one to make. Returns the engine's options."""
    told = outputs.told_of(job.task.output, name)
    if not told.segments:
        return []
    collector.take(name, told)
    return ["--from-segment", str(told.end - 1)]


def _encode(
    job: Job,
    the_plan: Plan,
    selection: list[str],
    folder: Path,
    collector: Collector,
    telling: _Telling | None,
) -> None:
    plan_file, made = folder / "plan.json", folder / "made"
    plan_file.write_text(json.dumps(the_plan.to_json()))
    made.mkdir()

    def store(line: Line) -> None:
        if line["type"] in ("init", "segment"):
            # MPEG-TS has no init file, but codecs to tell.
            collector.add(_store(job, made, line) if "path" in line else line)
            if telling:
                telling.look(collector)

    job.run_engine(
        "transcode",
        *("--plan", str(plan_file), "--output", str(made), *selection),
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
