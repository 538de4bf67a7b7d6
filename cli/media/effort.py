"""How much of the machine is used, and the options that choose it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Effort:
    """What of the machine is used."""

    threads: int | None = None
    """None: all processors."""
    niceness: int = 0

    @property
    def arguments(self) -> list[str]:
        return [] if self.threads is None else ["--threads", str(self.threads)]


ALL_OF_IT = Effort()


def effort_options(command: _Decorated) -> _Decorated:
    """`--threads` and `--nice`, as `Effort` takes them."""
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
