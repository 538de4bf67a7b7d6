"""`./millrace logs`: what the functions wrote, one line a record, readable."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from cli.console import console, fail
from cli.state import State

LEVEL_STYLE = {"ERROR": "bad", "CRITICAL": "bad", "WARNING": "yellow", "DEBUG": "faint"}
HIDDEN = ("_aws", "service", "location", "timestamp", "level", "message", "xray_trace_id")
POLL_S = 0.3


@click.command()
@click.argument("function", required=False)
@click.option("-f", "--follow", is_flag=True, help="Keep printing what is written from now on.")
@click.option(
    "-n", "--lines", default=200, show_default=True, help="Lines of each log to start with."
)
@click.option("--raw", is_flag=True, help="Print the lines as they were written.")
@click.pass_obj
def logs(state: State, function: str | None, follow: bool, lines: int, raw: bool) -> None:
    """Print the log of one FUNCTION (ingest, probe, transcode, …, or `localstack`), or of all."""
    files = _files(state, function)
    width = max(len(path.stem) for path in files)
    for path, line in _lines(files, lines, follow):
        if raw:
            click.echo(line)
        elif (text := _readable(line)) is not None:
            console.print(f"[faint]{path.stem:<{width}}[/] {text}")


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


def _lines(files: list[Path], start_with: int, follow: bool) -> Iterator[tuple[Path, str]]:
    handles = [(path, path.open(errors="replace")) for path in files]
    for path, handle in handles:
        for line in handle.read().splitlines()[-start_with:]:
            yield path, line
    while follow:
        for path, handle in handles:
            for line in handle.read().splitlines():
                yield path, line
        time.sleep(POLL_S)


def _readable(line: str) -> str | None:
    """A log line for people: None hides the records that only the platform reads."""
    try:
        record: dict[str, Any] = json.loads(line)
        if not isinstance(record, dict):
            raise ValueError(line)
    except ValueError:
        return None if line.startswith(("START ", "END ")) else escape(line)
    if "_aws" in record:
        return None
    style = LEVEL_STYLE.get(str(record.get("level")), "none")
    rest = " ".join(
        f"{key}={value}"
        for key, value in record.items()
        if key not in HIDDEN and not key.startswith("function_") and key != "cold_start"
    )
    clock = str(record.get("timestamp", ""))[11:23]
    return (
        f"[faint]{escape(clock)}[/] [{style}]{escape(str(record.get('message', '')))}[/] "
        f"[faint]{escape(rest)}[/]"
    )
