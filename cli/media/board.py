"""What a person sees of a batch at work: a bar for all, and one below it for each file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn

from cli.console import console, escape
from cli.media.queue import Queue
from cli.media.units import clock
from cli.media.voice import Voice
from cli.media.worker import Event


class Board:
    """None where nobody looks. To be used in a `with`."""

    def __init__(self, voice: Voice) -> None:
        self._shown = console.is_terminal and not (voice.quiet or voice.as_json)
        columns = (
            TextColumn("  [busy]{task.description}[/]"),
            BarColumn(bar_width=24, complete_style="cyan", pulse_style="cyan"),
            TextColumn("{task.fields[percent]}"),
            TextColumn("[faint]{task.fields[about]}[/]"),
        )
        self._bars = Progress(*columns, console=console, transient=True, disable=not self._shown)
        self._all = self._bars.add_task("all files", total=None, percent="", about="")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def total(self, queue: Queue) -> None:
        """How many files there are and are at their end."""
        if not self._shown:
            return
        total = queue.total()
        done = total - queue.open()
        percent = _percent(done / total) if total else ""
        about = f"{done} of {total}"
        self._bars.update(
            self._all, total=total or None, completed=done, percent=percent, about=about
        )

    @contextmanager
    def file(self, source: str) -> Iterator[Callable[[Event], None]]:
        """A bar for a file, which takes its progress events; it pulses while, and where, nobody
        knows how far it is."""
        name = escape(Path(source).name[:32])
        task = self._bars.add_task(name, total=None, percent="", about="")

        def show(event: Event) -> None:
            left, fraction = event["eta_s"], event["fraction"]
            about = f"{event['fps']:.0f} fps, {event['speed']:.2g}×"
            about += "" if left is None else f", {clock(left, tenths=False)} left"
            known = fraction is not None
            self._bars.update(
                task,
                total=1.0 if known else None,
                completed=fraction if known else 0.0,
                percent=_percent(fraction) if known else "",
                about=about,
            )

        try:
            yield show
        finally:
            self._bars.remove_task(task)


def _percent(fraction: float) -> str:
    return f"{fraction:4.0%}"
