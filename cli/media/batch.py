"""`millrace batch`: many files, in a queue that outlives crashes."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table

from cli.console import console, escape, size_text
from cli.media import gather
from cli.media.command import LocalCommand, Terminated, examples, said, voice_of
from cli.media.exits import Exit
from cli.media.failures import Failure, from_os
from cli.media.queue import Job, Queue, State
from cli.media.transcode import transcode
from cli.media.units import clock
from cli.media.voice import Voice
from cli.media.worker import Worker

_LOOK_EVERY_S = 2.0
"""With --watch, and while nothing is due."""
_FIRST_WAIT_S = 1.0
"""Before a second attempt; twice that before each further one."""


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
        options=tuple(shlex.split(chosen["options"])),
        workers=chosen["jobs"],
        retries=chosen["retries"],
        again=chosen["again"],
        watch=chosen["watch"],
        voice=voice_of(context),
    )
    _check_options(work)
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


def _check_options(work: _Batch) -> None:
    """Once, and not for every file.

    Raises:
        Failure: options that transcode does not know.
    """
    try:
        transcode.make_context("transcode", ["source", f"target{work.suffix}", *work.options])
    except click.ClickException as error:
        advice = "`millrace transcode --help` lists them"
        raise Failure("USAGE", f"--options: {error.format_message()}", advice=advice) from error


def _run(work: _Batch, queue: Queue) -> None:
    """Until all is done; with --watch, until Ctrl-C, which is then no failure."""
    _fill(work, queue, work.again)
    stop = threading.Event()
    crew = [Worker() for _ in range(work.workers)]
    with _Board(work.voice) as board, ThreadPoolExecutor(work.workers) as pool:
        try:
            loops = [pool.submit(_loop, work, queue, one, stop, board) for one in crew]
            seen: dict[Path, str] = {}
            while not all(loop.done() for loop in loops):
                time.sleep(_LOOK_EVERY_S if work.watch else 0.1)
                if work.watch:
                    _fill_settled(work, queue, seen)
                board.total(queue)
            for loop in loops:
                loop.result()
        except (KeyboardInterrupt, Terminated):
            stop.set()
            for one in crew:
                one.stop()
            if not work.watch:
                raise
        finally:
            stop.set()


def _fill(work: _Batch, queue: Queue, again: bool) -> None:
    for source, below in gather.sources(work.named, work.output):
        _add(work, queue, source, below, again)


def _add(work: _Batch, queue: Queue, source: Path, below: Path, again: bool = False) -> None:
    target = work.output / below.with_suffix(work.suffix)
    queue.add(source, target, shlex.join(work.options), again=again)


def _fill_settled(work: _Batch, queue: Queue, seen: dict[Path, str]) -> None:
    """Files that did not change since the last look: the others are still being written."""
    with suppress(Failure):
        for source, below in gather.sources(work.named, work.output):
            facts = source.stat()
            now = f"{facts.st_size} {facts.st_mtime_ns}"
            if seen.get(source) == now and facts.st_size:
                _add(work, queue, source, below)
            seen[source] = now


def _loop(work: _Batch, queue: Queue, worker: Worker, stop: threading.Event, board: _Board) -> None:
    """One after the other, until nothing is left."""
    while not stop.is_set():
        job = queue.claim()
        if job is None:
            if not work.watch and not queue.open():
                return
            stop.wait(0.2)
            continue
        _convert(work, queue, worker, job, board)


def _convert(work: _Batch, queue: Queue, worker: Worker, job: Job, board: _Board) -> None:
    there = [] if "--overwrite" in work.options else ["--skip-existing"]
    begin_s = time.monotonic()
    with board.file(job.source) as show:
        ended = worker.run([job.source, job.target, *there, *work.options], show)
    if ended is None:
        queue.put_back(job, forgive=True)
        return
    last = ended.last
    if not ended.worked and ended.may_pass and job.attempts <= work.retries:
        wait_s = _FIRST_WAIT_S * 2 ** (job.attempts - 1)
        queue.put_back(job, wait_s)
        work.voice.warn("RETRY", f"{job.source}: {last.get('message')} Trying again.")
        return
    state = State.DONE if ended.worked else State.FAILED
    if last.get("skipped"):
        state = State.SKIPPED
    target = Path(job.target)
    done = queue.end(
        job,
        state,
        reason=last.get("reason"),
        message=last.get("message") or (None if ended.worked else f"It ended with {ended.code}."),
        target_bytes=target.stat().st_size if ended.worked and target.exists() else None,
        took_s=round(time.monotonic() - begin_s, 2),
    )
    _tell(work.voice, done)


def _tell(voice: Voice, job: Job) -> None:
    voice.event("job", **asdict(job))
    if job.state is State.FAILED and not voice.as_json:
        console.print(f"[bad]✗[/] {escape(_shorter(job.source))}: {escape(job.message or '')}")
    elif job.state is State.DONE:
        voice.good(f"{_shorter(job.target)}: {_sizes(job)}, {clock(job.took_s or 0)}")


def _shorter(path: str) -> str:
    """As seen from here, if it lies below."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if here in Path(path).parents else path


def _sizes(job: Job) -> str:
    if not job.target_bytes:
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
        row = (job.state.value, _shorter(job.source), _sizes(job), took, job.message or "")
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
    parts = [f"{count} {name}" for name, count in counts.items() if count]
    size = f"; {size_text(before)} became {size_text(after)}" if before else ""
    work.voice.say(f"{', '.join(parts) or 'nothing to do'}{size}")
    return counts[State.FAILED]


class _Board:
    """A bar for the batch, and one below it for each file at work; none where nobody looks."""

    def __init__(self, voice: Voice) -> None:
        self._shown = console.is_terminal and not (voice.quiet or voice.as_json)
        columns = (
            TextColumn("  [busy]{task.description}[/]"),
            BarColumn(bar_width=24, complete_style="cyan", pulse_style="cyan"),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("[faint]{task.fields[about]}[/]"),
        )
        self._bars = Bars(*columns, console=console, transient=True, disable=not self._shown)
        self._all = self._bars.add_task("all files", total=None, about="")

    def __enter__(self) -> _Board:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def total(self, queue: Queue) -> None:
        if self._shown:
            total = queue.total()
            done = total - queue.open()
            about = f"{done} of {total}"
            self._bars.update(self._all, total=total, completed=done, about=about)

    @contextmanager
    def file(self, source: str) -> Iterator[Any]:
        name = escape(Path(source).name[:32])
        task = self._bars.add_task(name, total=1.0, about="")

        def show(event: Mapping[str, Any]) -> None:
            left = event.get("eta_s")
            about = f"{event['fps']:.0f} fps, {event['speed']:.2g}×"
            about += "" if left is None else f", {clock(left, tenths=False)} left"
            self._bars.update(task, completed=event.get("fraction") or 0.0, about=about)

        try:
            yield show
        finally:
            self._bars.remove_task(task)
