"""Entry point of `./millrace`; every command lives in a module of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.bench import bench
from cli.console import fail
from cli.logs import logs
from cli.manage import down, reset, status, token
from cli.player import player
from cli.state import REPOSITORY, State
from cli.test import test
from cli.up import up


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state-dir",
    envvar="MILLRACE_STATE_DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=REPOSITORY / ".millrace",
    help="Where videos, jobs and queues are kept.",
)
@click.pass_context
def main(context: click.Context, state_dir: Path) -> None:
    """A video-on-demand pipeline on one machine."""
    context.obj = State(state_dir.resolve())


for command in (up, down, reset, status, logs, token, test, bench, player):
    main.add_command(command)


if __name__ == "__main__":
    try:
        main(prog_name="./millrace")
    except BrokenPipeError:
        sys.exit(141)
    except RuntimeError as error:
        fail(str(error))
