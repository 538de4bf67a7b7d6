"""Sizes of pictures: crops, scales, pixels that are not square."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from cli.media.failures import Failure
from cli.media.wishes import Scale, Wishes

LEAST, MOST = 16, 16_384
"""Pixels of a side."""


def upright(stream: Mapping[str, Any]) -> tuple[int, int]:
    """Coded pixels, turned as they are shown."""
    pair = (stream["width"], stream["height"])
    return (pair[1], pair[0]) if stream["rotation"] in (90, 270) else pair


def shown(stream: Mapping[str, Any], wishes: Wishes, file: Path) -> tuple[Fraction, Fraction]:
    """The picture after cropping, in square pixels of its own height.

    Raises:
        Failure: the crop is not inside the picture, or too small to be coded.
    """
    width, height = upright(stream)
    aspect = Fraction(stream["display_width"] * height, stream["display_height"] * width)
    if crop := wishes.crop:
        if crop.x + crop.width > width or crop.y + crop.height > height:
            message = f"--crop reaches beyond the picture, which is {width}×{height} upright."
            raise Failure("USAGE", message, file=file, advice="WIDTH:HEIGHT:X:Y has to be inside")
        if min(crop.width, crop.height) < LEAST:
            message = f"--crop leaves {crop.width}×{crop.height}, which cannot be coded."
            raise Failure("USAGE", message, file=file, advice=f"sides of {LEAST} at least")
        width, height = crop.width, crop.height
    return Fraction(width) * aspect, Fraction(height)


def size(stream: Mapping[str, Any], wishes: Wishes, file: Path) -> tuple[int, int] | None:
    """Even pixels to scale to; None where the picture stays as it is.

    Raises:
        Failure: the size is too small or too large to be coded.
    """
    width, height = shown(stream, wishes, file)
    if wishes.scale is None:
        return None
    wanted = _scaled(width, height, wishes.scale)
    if not all(LEAST <= side <= MOST for side in wanted):
        message = f"--scale gives {wanted[0]}×{wanted[1]}, which cannot be coded."
        raise Failure("USAGE", message, file=file, advice=f"sides of {LEAST} to {MOST}")
    return wanted


def _scaled(width: Fraction, height: Fraction, scale: Scale) -> tuple[int, int]:
    """Only `exact` and a part above 100 % enlarge."""
    if scale.box and scale.exact:
        return _even(Fraction(scale.box[0])), _even(Fraction(scale.box[1]))
    if scale.box:
        fitting = (scale.box[0] / width, scale.box[1] / height)
        factor = min(Fraction(1), *fitting)
    elif scale.short_side:
        factor = min(Fraction(1), Fraction(scale.short_side) / min(width, height))
    else:
        factor = scale.part or Fraction(1)
    return _even(width * factor), _even(height * factor)


def _even(length: Fraction) -> int:
    return 2 * round(length / 2)
