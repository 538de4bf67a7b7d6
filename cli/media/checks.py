"""Whether a file that was just made is what it was to be, before it takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.media import facts
from cli.media.failures import Failure
from cli.media.job import Job

_SLACK_S, _SLACK_PART = 0.5, 0.01
"""Containers round times; sound may outlast the pictures by a packet."""


def made_well(path: Path, target: Path, job: Job, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the file again, as any player would.

    Args:
        target: what it will be called.
        told: the engine's result.

    Returns:
        Its facts.

    Raises:
        Failure: it cannot be read, a stream is missing, or it is too short or too long.
    """
    try:
        found = facts.of(path)
    except Failure as failure:
        raise _bad(target, f"it cannot be read: {failure.message}") from failure
    for kind, wanted in (("audio", len(job.audio)), ("subtitles", len(job.subtitles))):
        if len(found[kind]) != wanted:
            raise _bad(target, f"it has {len(found[kind])} of {wanted} tracks of {kind}")
    if (job.video is not None) != (facts.film(found) is not None):
        raise _bad(target, "its pictures are missing")
    wanted_s, made_s = float(told["duration_s"]), facts.duration_s(found)
    if made_s is not None and abs(made_s - wanted_s) > max(_SLACK_S, _SLACK_PART * wanted_s):
        raise _bad(target, f"it lasts {made_s:.2f} s instead of {wanted_s:.2f} s")
    return found


def _bad(target: Path, what: str) -> Failure:
    return Failure("INTERNAL", f"What was made is not right, and was removed: {what}.", file=target)
