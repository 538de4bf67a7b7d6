"""`./millrace test`: every test and every check, as one pytest run."""

from __future__ import annotations

import subprocess
import sys

import click

from cli.state import REPOSITORY

# One worker drives the running pipeline and often waits for it; the others compute meanwhile.
# Work is begun in the order of tests/conftest.py, the longest first; by itself pytest-xdist would
# begin with the groups of the most tests and end with lone ones, however long they take.
EVERYTHING = ["-n", "3", "--dist", "loadgroup", "--no-loadscope-reorder", "--durations", "15"]


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests. ARGUMENTS go to pytest; without any, everything runs."""
    command = [sys.executable, "-m", "pytest", *(arguments or EVERYTHING)]
    sys.exit(subprocess.run(command, cwd=REPOSITORY, check=False).returncode)
