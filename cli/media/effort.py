"""Options of how much of the machine is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def effort_options(command: _Decorated) -> _Decorated:
    """`--threads` and `--nice`, as `job.Effort` takes them."""
    nice = click.option(
        "--nice",
        "niceness",
        type=click.IntRange(0, 19),
        default=0,
        metavar="0…19",
        help="Step back for other programs: 19 takes only what they leave.",
    )
    threads = click.option(
        "--threads", type=click.IntRange(1, 512), help="Processors to use; all if not given."
    )
    return threads(nice(command))
