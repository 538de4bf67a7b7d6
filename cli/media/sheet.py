"""A contact sheet: one picture of a whole film, with the times of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cli.media.units import clock

WIDTH = 1600
"""Pixels."""
_GAP, _HEAD, _FONT = 8, 56, 20
_PAPER, _INK, _SHADE = (24, 24, 27), (244, 244, 245), (0, 0, 0)


def tile_size(columns: int, shape: tuple[int, int]) -> tuple[int, int]:
    """Pixels of one picture of a film of this shape."""
    width = max(16, (WIDTH - _GAP) // columns - _GAP)
    return width, max(16, round(width * shape[1] / shape[0]))


def draw(
    pictures: Sequence[Path],
    times_s: Sequence[float],
    columns: int,
    tile: tuple[int, int],
    head: tuple[str, str],
) -> Image.Image:
    """Args:
    times_s: of the pictures, seconds.
    tile: see `tile_size`.
    head: two lines above the pictures.
    """
    rows = -(-len(pictures) // columns)
    height = _HEAD + _GAP + rows * (tile[1] + _GAP)
    page = Image.new("RGB", (_GAP + columns * (tile[0] + _GAP), height), _PAPER)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(_FONT)
    for line, text in enumerate(head):
        pen.text((_GAP, _GAP + line * 24), text, _INK, font)
    for number, (path, time_s) in enumerate(zip(pictures, times_s, strict=True)):
        row, column = divmod(number, columns)
        left, top = _GAP + column * (tile[0] + _GAP), _HEAD + _GAP + row * (tile[1] + _GAP)
        with Image.open(path) as picture:
            inset = (tile[0] - picture.width) // 2, (tile[1] - picture.height) // 2
            page.paste(picture.convert("RGB"), (left + inset[0], top + inset[1]))
        corner = (left + tile[0] - 6, top + tile[1] - 4)
        said = clock(time_s, tenths=False)
        pen.text(corner, said, _INK, font, "rd", stroke_width=2, stroke_fill=_SHADE)
    return page
