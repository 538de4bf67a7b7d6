"""What the engine finds in a file: its probe's result (docs/reference/probe.schema.json)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.media import engine
from cli.media.failures import Failure, from_os

Facts = Mapping[str, Any]


def of(file: Path) -> Facts:
    """Probe a file, which may have sound alone.

    Raises:
        Failure: it is missing, not readable, or has neither pictures nor sound.
    """
    try:
        with file.open("rb"):
            pass
    except PermissionError as error:
        message, advice = "It may not be read.", "`chmod +r FILE`, or ask who owns it"
        raise Failure("NOT_PERMITTED", message, file=file, advice=advice) from error
    except OSError as error:
        raise from_os(error, file) from error
    return engine.run(["probe", file, "--allow-no-video"], file=file)


def pictures(facts: Facts, file: Path) -> Mapping[str, Any]:
    """The stream to show: the first that is no cover picture.

    Raises:
        Failure: NO_VIDEO_STREAM.
    """
    stream = film(facts)
    if stream is None:
        raise Failure("NO_VIDEO_STREAM", "It has no video track.", file=file)
    return stream


def film(facts: Facts) -> Mapping[str, Any] | None:
    """As `pictures`, or None."""
    return next((video for video in facts["video"] if not video["attached_picture"]), None)


def duration_s(facts: Facts) -> float | None:
    """None where the file does not tell."""
    return facts["format"]["duration_s"] or None
