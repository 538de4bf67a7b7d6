"""`./millrace logs`: what the functions wrote, one line a record, readable."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import click

from cli.console import console, escape, fail
from cli.state import State

LEVEL_STYLE = {"ERROR": "bad", "CRITICAL": "bad", "WARNING": "yellow", "DEBUG": "faint"}
HIDDEN = ("_aws", "service", "location", "timestamp", "level", "message", "xray_trace_id")
HIDDEN_OF_ONE_VIDEO = ("video_id", "trace_id")
FUNCTION_STYLES = ("cyan", "green", "magenta", "blue", "bright_cyan", "bright_magenta", "yellow")
POLL_S = 0.3


@click.command()
@click.argument("function", required=False)
@click.option("-f", "--follow", is_flag=True, help="Keep printing what is written from now on.")
@click.option(
    "-n", "--lines", default=200, show_default=True, help="Lines of each log to start with."
)
@click.option("--raw", is_flag=True, help="Print the lines as they were written.")
@click.option(
    "--video", "video_id", metavar="ID", help="Only what is about this video, in order of time."
)
@click.pass_obj
def logs(
    state: State, function: str | None, follow: bool, lines: int, raw: bool, video_id: str | None
) -> None:
    """Print the log of one FUNCTION (ingest, probe, transcode, …, or `localstack`), or of all."""
    files = _files(state, function)
    width = max(len(path.stem) for path in files)
    styles = dict(zip(files, cycle(FUNCTION_STYLES), strict=False))
    found = _story(files, video_id, follow) if video_id else _lines(files, lines, follow)
    hidden = HIDDEN_OF_ONE_VIDEO if video_id else ()
    for path, line in found:
        if raw:
            click.echo(line)
        elif (text := _readable(line, hidden)) is not None:
            console.print(f"[{styles[path]}]{path.stem:<{width}}[/] {text}", soft_wrap=True)


def _files(state: State, function: str | None) -> list[Path]:
    files = sorted(state.function_logs.glob("*.log"))
    if function == "localstack":
        files = [state.logs / "localstack.log"]
    elif function is not None:
        names = [path.stem.removeprefix("millrace-") for path in files]
        files = [path for path in files if path.stem in (function, f"millrace-{function}")]
        if not files:
            fail(f"no log of “{function}” here; there are: {', '.join(names) or 'none yet'}", 2)
    files = [path for path in files if path.exists()]
    if not files:
        fail("nothing has been logged yet", 2)
    return files


class _Tail:
    """A log that is being written to: whole lines, also of the file that takes its place once it
    is put aside as `.log.1`."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, path.open("rb")
        self._half = b""

    def lines(self, *, ended: bool) -> list[str]:
        """What came since it was read last.

        Args:
            ended: take what is left for a line, too, though it may be half of one.
        """
        text = self._half + self._file.read()
        if self._is_put_aside():
            text += self._file.read()  # what came between the two
            self._file.close()
            self._file = self._path.open("rb")
            text += self._file.read()
        *whole, self._half = text.split(b"\n")
        if ended and self._half:
            whole.append(self._half)
        return [line.decode(errors="replace") for line in whole]

    def _is_put_aside(self) -> bool:
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False  # this very moment: the new one is about to be made


def _lines(files: list[Path], start_with: int, follow: bool) -> Iterator[tuple[Path, str]]:
    tails = [(path, _Tail(path)) for path in files]
    for path, tail in tails:
        for line in tail.lines(ended=not follow)[-start_with:]:
            yield path, line
    while follow:
        for path, tail in tails:
            for line in tail.lines(ended=False):
                yield path, line
        time.sleep(POLL_S)


def _story(files: list[Path], video_id: str, follow: bool) -> Iterator[tuple[Path, str]]:
    """All that was written about one video, by whichever function, the engine's words included: in
    order of time, and of what comes while following, as far as it comes together."""
    older = [(path, path.with_suffix(".log.1")) for path in files]
    found = [(path, _Tail(old).lines(ended=True)) for path, old in older if old.exists()]
    tails = [(path, _Tail(path)) for path in files]
    while True:
        found += [(path, tail.lines(ended=not follow)) for path, tail in tails]
        told = [
            (at, path, line)
            for path, lines in found
            for line in lines
            if (at := _time_of(line, video_id)) is not None
        ]
        yield from ((path, line) for _, path, line in sorted(told, key=lambda each: each[0]))
        if not follow:
            return
        found = []
        time.sleep(POLL_S)


def _time_of(line: str, video_id: str) -> str | None:
    """When a record about a video was written; None of any other line."""
    if video_id not in line:
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    about = isinstance(record, dict) and record.get("video_id") == video_id
    return str(record.get("timestamp", "")) if about else None


def _is_look(record: dict[str, Any]) -> bool:
    """Whether somebody asked the API how a video is, and was told: no part of its story."""
    fine = record.get("method") == "GET" and int(record.get("status") or 0) < 400
    return bool(record.get("message") == "request" and fine)


def _readable(line: str, hidden: tuple[str, ...] = ()) -> str | None:
    """A log line for people: None hides the records that only the platform reads.

    Args:
        hidden: names of what all lines have in common.
    """
    try:
        record: dict[str, Any] = json.loads(line)
        if not isinstance(record, dict):
            raise ValueError(line)
    except ValueError:
        return None if line.startswith(("START ", "END ")) else escape(line)
    if "_aws" in record or (hidden and _is_look(record)):
        return None
    style = LEVEL_STYLE.get(str(record.get("level")), "none")
    rest = " ".join(
        f"{key}={value}"
        for key, value in record.items()
        if key not in (*HIDDEN, *hidden) and not key.startswith("function_") and key != "cold_start"
    )
    clock = str(record.get("timestamp", ""))[11:23]
    return (
        f"[faint]{escape(clock)}[/] [{style}]{escape(str(record.get('message', '')))}[/] "
        f"[faint]{escape(rest)}[/]"
    )
