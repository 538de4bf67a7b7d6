"""Kinds of values on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import click

from cli.media import units


class Pair(NamedTuple):
    """Width and height, or columns and rows."""

    across: int
    down: int


class Read(click.ParamType[Any]):
    """What a function makes of the text; its ValueError is told to the user.

    Args:
        name: as help pages write it.
    """

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _pair(text: str, most: int, what: str) -> Pair:
    found = re.fullmatch(r"(\d{1,5})[x×:](\d{1,5})", text)
    pair = Pair(int(found[1]), int(found[2])) if found else Pair(0, 0)
    if not all(1 <= side <= most for side in pair):
        raise ValueError(f"{text!r} is not {what}, each up to {most}")
    return pair


def _rate(least_bps: int, most_bps: int) -> Read:
    def read(text: str) -> int:
        rate_bps = units.bits_per_second(text)
        if not least_bps <= rate_bps <= most_bps:
            least, most = units.rate_text(least_bps), units.rate_text(most_bps)
            raise ValueError(f"{text!r} is not a rate of {least} to {most}: write 2.5M or 128k")
        return rate_bps

    return Read("rate", read)


TIME = Read("time", units.seconds)
VIDEO_RATE = _rate(1_000, 1_000_000_000)
AUDIO_RATE = _rate(6_000, 2_000_000)
"""What the engine's encoders take, per second."""
BYTES = Read("size", units.size_bytes)
SIZE = Read("widthxheight", lambda text: _pair(text, 16_384, "WIDTHxHEIGHT"))
GRID = Read("columnsxrows", lambda text: _pair(text, 20, "COLUMNSxROWS"))
