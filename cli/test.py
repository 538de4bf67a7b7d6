"""`./millrace test`: every test and every check, as one pytest run."""

from __future__ import annotations

import subprocess
import sys

import click

from cli.state import REPOSITORY

# Two workers: one drives the cloud and the browser (tests that share it stay together), the other
# takes everything that is pure computation.
EVERYTHING = ["-n", "2", "--dist", "loadgroup", "--durations", "15"]


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests. ARGUMENTS go to pytest; without any, everything runs."""
    command = [sys.executable, "-m", "pytest", *(arguments or EVERYTHING)]
    sys.exit(subprocess.run(command, cwd=REPOSITORY, check=False).returncode)
