"""`millrace batch`: many files, in a queue that outlives crashes."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from cli.console import THEME, console, escape, size_text
from cli.media import gather, wishes
from cli.media.board import Board
from cli.media.command import LocalCommand, Terminated, examples, said, voice_of
from cli.media.exits import Exit
from cli.media.failures import Failure, from_os
from cli.media.queue import Job, Queue, State
from cli.media.transcode import transcode
from cli.media.units import clock
from cli.media.voice import Voice
from cli.media.worker import Ended, Event, Worker

_LOOK_EVERY_S = 2.0
"""With --watch, and while nothing is due."""
_FIRST_WAIT_S = 1.0
"""Before a second attempt; twice that before each further one."""
_WIDE = 1000
"""Characters of a line of the table where nobody sees its end."""


@dataclass(frozen=True, slots=True)
class _Batch:
    named: tuple[str, ...]
    output: Path
    suffix: str
    options: tuple[str, ...]
    """Of every `millrace transcode`."""
    workers: int
    retries: int
    again: bool
    watch: bool
    voice: Voice


@click.command(
    cls=LocalCommand,
    epilog=examples(
        ("millrace batch films -o converted", "a folder and all below it"),
        ("millrace batch 'in/*.mov' -o out --to webm", "what a pattern matches"),
        ("millrace batch in -o out --options '--scale 720p'", "options of transcode"),
        ("millrace batch inbox -o out --watch", "whatever is put there, until Ctrl-C"),
        ("millrace batch in -o out --jobs 2 --json", "two at a time, events for programs"),
    ),
)
@click.argument("named", nargs=-1, required=True, metavar="SOURCES...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the results.",
)
@click.option(
    "--to", type=click.Choice(["mp4", "mkv", "webm"]), default="mp4", help="Container; mp4."
)
@click.option("--options", default="", help="Options of `millrace transcode`, for every file.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, help="Files at the same time; 1.")
@click.option(
    "--retries", type=click.IntRange(0, 10), default=2, help="After a passing failure; 2."
)
@click.option("--retry-failed", "again", is_flag=True, help="Try again what failed earlier.")
@click.option("--watch", is_flag=True, help="Wait for more files, until Ctrl-C.")
@said
@click.pass_context
def batch(context: click.Context, /, named: tuple[str, ...], output: Path, **chosen: Any) -> None:
    """Convert SOURCES, which are files, patterns, or folders with all below them.

    The queue is a file in the output folder: started again after a crash, a batch goes on where it
    was, and does again only what changed. Exit code 1 if a file failed.
    """
    work = _Batch(
        named=named,
        output=output.resolve(),
        suffix=f".{chosen['to']}",
        options=_options(chosen["options"], chosen["to"]),
        workers=chosen["jobs"],
        retries=chosen["retries"],
        again=chosen["again"],
        watch=chosen["watch"],
        voice=voice_of(context),
    )
    try:
        work.output.mkdir(parents=True, exist_ok=True)
        queue = Queue(work.output)
    except OSError as error:
        raise from_os(error, work.output) from error
    try:
        _run(work, queue)
        failed = _summary(work, queue)
    finally:
        queue.close()
    context.exit(Exit.FOUND if failed else Exit.DONE)


def _options(text: str, container: str) -> tuple[str, ...]:
    """Options for every file, checked once.

    Raises:
        Failure: options that transcode does not know, or that make nothing.
    """
    try:
        options = tuple(shlex.split(text))
        arguments = ["source", f"target.{container}", *options]
        chosen = transcode.make_context("transcode", arguments).params
    except (click.ClickException, ValueError) as error:
        why = error.format_message() if isinstance(error, click.ClickException) else f"{error}."
        advice = "`millrace transcode --help` lists them"
        raise Failure("USAGE", f"--options: {why}", advice=advice) from error
    if chosen["dry_run"]:
        message = "--options: a batch of --dry-run would make nothing."
        raise Failure("USAGE", message, advice="`millrace transcode --dry-run` with one of them")
    wishes.of(chosen)
    return options


def _run(work: _Batch, queue: Queue) -> None:
    """Until all is done; with --watch, until Ctrl-C, which is then no failure."""
    found = list(gather.sources(work.named, work.output, patient=work.watch))
    watch = _Watch(work, queue) if work.watch else None
    for source, below in [] if watch else found:
        _add(work, queue, source, below)
    stop = threading.Event()
    crew = [Worker() for _ in range(work.workers)]
    with Board(work.voice) as board, ThreadPoolExecutor(work.workers) as pool:
        try:
            loops = [pool.submit(_loop, work, queue, one, stop, board) for one in crew]
            while not all(loop.done() for loop in loops):
                if watch:
                    watch.look()
                board.total(queue)
                time.sleep(_LOOK_EVERY_S if watch else 0.1)
            for loop in loops:
                loop.result()
        except (KeyboardInterrupt, Terminated):
            stop.set()
            for one in crew:
                one.stop()
            if not watch:
                raise
        finally:
            stop.set()


def _add(work: _Batch, queue: Queue, source: Path, below: Path) -> None:
    target = work.output / below.with_suffix(work.suffix)
    queue.add(source, target, shlex.join(work.options), again=work.again)


class _Watch:
    """Adds files that did not change since the last look: the others are still being written."""

    def __init__(self, work: _Batch, queue: Queue) -> None:
        self._work, self._queue = work, queue
        self._seen: dict[Path, str] = {}
        self._settled: dict[Path, str] = {}

    def look(self) -> None:
        for name in self._work.named:
            with suppress(Failure):  # it was here when we began, and may come back
                for source, below in gather.sources([name], self._work.output, patient=True):
                    self._look_at(source, below)

    def _look_at(self, source: Path, below: Path) -> None:
        try:
            facts = source.stat()
        except OSError:
            return  # it is gone again
        now = f"{facts.st_size} {facts.st_mtime_ns}"
        before, self._seen[source] = self._seen.get(source), now
        if now != before or not facts.st_size or self._settled.get(source) == now:
            return
        self._settled[source] = now
        try:
            _add(self._work, self._queue, source, below)
        except Failure as failure:
            self._work.voice.warn(failure.reason, failure.sentence, file=str(source))


def _loop(work: _Batch, queue: Queue, worker: Worker, stop: threading.Event, board: Board) -> None:
    """One after the other, until nothing is left."""
    while not stop.is_set():
        job = queue.claim()
        if job is None:
            if not work.watch and not queue.open():
                return
            stop.wait(0.2)
            continue
        _convert(work, queue, worker, job, board)


def _convert(work: _Batch, queue: Queue, worker: Worker, job: Job, board: Board) -> None:
    begin_s = time.monotonic()
    warnings: list[str] = []
    with board.file(job.source) as show:

        def take(event: Event) -> None:
            if event["type"] == "progress":
                show(event)
            elif event["type"] == "warning":
                warnings.append(event["message"])
                _warn(work.voice, job, event)

        there = "--overwrite" if _replaces(work, job) else "--skip-existing"
        ended = worker.run([job.source, job.target, there, *work.options], take)
    if ended is None:
        queue.put_back(job, forgive=True)
    elif ended.may_pass and job.attempts <= work.retries:
        wait_s = _FIRST_WAIT_S * 2 ** (job.attempts - 1)
        queue.put_back(job, wait_s)
        why = ended.failure.message if ended.failure else ""
        message = f"{_shorter(job.source)}: {why} Trying again in {wait_s:g} s."
        work.voice.warn("RETRY", message, file=job.source)
    else:
        _end(work, queue, job, ended, warnings, time.monotonic() - begin_s)


def _end(
    work: _Batch, queue: Queue, job: Job, ended: Ended, warnings: Sequence[str], took_s: float
) -> None:
    state = State.DONE if ended.worked else State.FAILED
    if ended.last.get("skipped"):
        state = State.SKIPPED
    done = queue.end(
        job,
        state,
        ended.failure,
        warnings=warnings,
        target_bytes=Path(job.target).stat().st_size if state is State.DONE else None,
        took_s=round(took_s, 2),
    )
    _tell(work.voice, done)


def _replaces(work: _Batch, job: Job) -> bool:
    """What is in a file's place goes if that is asked for, or if this batch made it itself, of
    an older source or with other options."""
    return "--overwrite" in work.options or job.target_bytes is not None


def _warn(voice: Voice, job: Job, event: Event) -> None:
    """What a conversion warned of, said of the file by its whole name."""
    place = {name: event[name] for name in ("stream", "time_s") if name in event}
    message = f"{_shorter(job.source)}: {event['message']}"
    voice.warn(event["code"], message, file=job.source, **place)


def _tell(voice: Voice, job: Job) -> None:
    voice.event("job", **asdict(job) | {"warnings": (job.warnings or "").splitlines()})
    why = _why(job)
    if why and not voice.as_json:
        voice.fail(why)
    elif job.state is State.DONE:
        voice.good(f"{_shorter(job.target)}: {_sizes(job)}, {clock(job.took_s or 0)}")


def _why(job: Job) -> Failure | None:
    """Why it failed, as a person reads it."""
    why = job.failure
    if why and why.file:
        why.file = _shorter(why.file)
    return why


def _shorter(path: str) -> str:
    """As seen from here, if it lies below."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if here in Path(path).parents else path


def _sizes(job: Job) -> str:
    if job.state is not State.DONE or not job.target_bytes:
        return ""
    return f"{size_text(job.source_bytes or 0)} → {size_text(job.target_bytes)}"


def _summary(work: _Batch, queue: Queue) -> int:
    """How many failed."""
    jobs = list(queue.jobs())
    counts = {state.value: sum(job.state is state for job in jobs) for state in State}
    before = sum(job.source_bytes or 0 for job in jobs if job.state is State.DONE)
    after = sum(job.target_bytes or 0 for job in jobs if job.state is State.DONE)
    work.voice.event("summary", **counts, source_bytes=before, target_bytes=after)
    if work.voice.as_json or work.voice.quiet:
        return counts[State.FAILED]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("state", "file", "size", "took", "why"):
        table.add_column(name)
    for job in jobs:
        took = clock(job.took_s) if job.took_s else ""
        why = _why(job)
        if why and why.file == _shorter(job.source):
            why.file = None  # it is in the row already
        about = why.sentence if why else " ".join((job.warnings or "").splitlines())
        row = (job.state.value, _shorter(job.source), _sizes(job), took, about)
        table.add_row(*(escape(cell) for cell in row))
    wide = Console(stderr=True, theme=THEME, highlight=False, width=_WIDE)
    (console if console.is_terminal else wide).print(table)
    parts = [f"{count} {name}" for name, count in counts.items() if count]
    size = f"; {size_text(before)} became {size_text(after)}" if before else ""
    work.voice.say(f"{', '.join(parts) or 'nothing to do'}{size}")
    return counts[State.FAILED]
