"""`./millrace bench`: the long proofs, each a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from cli.state import REPOSITORY, State

_OPTIONS = {"ignore_unknown_options": True, "help_option_names": []}


@click.group()
def bench() -> None:
    """Put a Millrace under load, or under attack. Each has --help."""


@bench.command(context_settings=_OPTIONS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def load(state: State, arguments: tuple[str, ...]) -> None:
    """Upload 120 videos at once (--videos), or go on for hours (--hours); report."""
    _run("tests.load", state, arguments)


@bench.command(context_settings=_OPTIONS)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def chaos(state: State, arguments: tuple[str, ...]) -> None:
    """Kill and disturb a Millrace of its own (--minutes, --seed); check that nothing is lost."""
    _run("tests.chaos", state, arguments)


def _run(program: str, state: State, arguments: tuple[str, ...]) -> None:
    environment = {**os.environ, "MILLRACE_STATE_DIR": str(state.root)}
    command = [sys.executable, "-m", program, *arguments]
    sys.exit(subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode)
