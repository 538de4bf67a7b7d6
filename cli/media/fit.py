"""The bit rate that makes a file of a given size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cli.console import size_text
from cli.media.decide import USUAL, Decision
from cli.media.failures import Failure
from cli.media.job import Audio, Job
from cli.media.units import rate_text
from cli.media.wishes import Wishes

_CONTAINER_PART = 0.01
"""Of the size, and bytes for each of them: what the container needs beside pictures and sound."""
_CONTAINER_BYTES = 4_000
_SOUND_PART = 0.2
"""Of the size, what the sound may have."""
_LEAST_SOUND_BPS = 32_000
_LEAST_BPS = 20_000
"""Below it pictures are no pictures."""
_NEWER = {"hevc", "vp9", "av1"}
_OLDER_NEEDS = 2
"""Times the rate of a newer codec's pictures, for H.264 to look the same."""
AGAIN_PARTS = (0.985, 0.95)
"""Of the rate that the try before would have needed: over the size once, a little below it; over
it twice, more."""


def bitrate_bps(decision: Decision, size_bytes: int, file: Path) -> int:
    """Of the pictures, so that all of it has at most `size_bytes`.

    Raises:
        Failure: the length is not known, or nothing is left for the pictures.
    """
    duration_s = decision.duration_s
    if not duration_s:
        message = "It does not tell how long it is, so that no rate follows from --size."
        raise Failure("USAGE", message, file=file, advice="use --bitrate, or --end")
    usable = size_bytes * (1 - _CONTAINER_PART) - _CONTAINER_BYTES
    sound_bps = sum(track.bitrate_bps for track in decision.job.audio)
    left_bps = int(usable * 8 / duration_s - sound_bps)
    if left_bps < _LEAST_BPS:
        least = (_LEAST_BPS + sound_bps) * duration_s / 8 * (1 + _CONTAINER_PART) + _CONTAINER_BYTES
        message = (
            f"{size_text(size_bytes)} leave {rate_text(left_bps) if left_bps > 0 else 'nothing'} "
            f"for {duration_s:.0f} s of pictures beside the sound."
        )
        advice = f"--size {size_text(least).replace(' ', '')} at least, a lower --audio-bitrate, \
--audio none or a part by --end"
        raise Failure("LIMIT_EXCEEDED", message, file=file, advice=advice)
    return left_bps


def fits(file: Path, size_bytes: int) -> bool:
    """A copy of it in any container has at most `size_bytes`."""
    return file.stat().st_size * (1 + _CONTAINER_PART) + _CONTAINER_BYTES <= size_bytes


def useful_bps(decision: Decision) -> int | None:
    """Of the pictures: more would show nothing that is not in the source. None: not known."""
    stream, video = decision.stream, decision.job.video
    assert stream is not None
    assert video is not None
    whole_bps = decision.found["format"]["bitrate_bps"]
    sound_bps = sum(sound["bitrate_bps"] or 0 for sound in decision.found["audio"])
    own_bps: int = stream["bitrate_bps"] or whole_bps - sound_bps
    if own_bps <= 0:
        return None
    older = video.codec == "h264" and stream["codec"] in _NEWER
    return max(_LEAST_BPS, own_bps * (_OLDER_NEEDS if older else 1))


def with_lighter_sound(decision: Decision, size_bytes: int, wishes: Wishes) -> Decision:
    """The sound encoded, in stereo at most, where as it is it would take too much of the file.

    What is asked for of the sound stays as it is asked for.
    """
    asked = (wishes.audio_codec, wishes.audio_bitrate_bps, wishes.channels)
    job, duration_s = decision.job, decision.duration_s
    if any(asked) or not job.audio or not duration_s:
        return decision
    room_bps = round(_SOUND_PART * size_bytes * 8 / duration_s / len(job.audio))
    if all(track.bitrate_bps <= room_bps for track in job.audio):
        return decision
    channels = {sound["stream"]: sound["channels"] for sound in decision.found["audio"]}
    lighter = tuple(
        Audio(
            track.stream,
            USUAL[job.container][1],
            min(max(room_bps, _LEAST_SOUND_BPS), track.bitrate_bps),
            channels=2 if channels[track.stream] > 2 else None,
        )
        for track in job.audio
    )
    return replace(decision, job=replace(job, audio=lighter))


def at_rate(job: Job, bitrate_bps: int, stats: str | None) -> Job:
    """The job with an average rate.

    Args:
        stats: where the first of two passes notes what the second needs; None: one pass, which
            is all that there is for AV1.
    """
    assert job.video is not None
    stats = None if job.video.codec == "av1" else stats
    video = replace(job.video, crf=None, bitrate_bps=bitrate_bps, stats=stats)
    return replace(job, video=video)
