"""What the engine found in a source: the probe's result as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from millrace.errors import PermanentError, Reason


@dataclass(frozen=True, slots=True)
class VideoStream:
    """A stream of pictures."""

    stream: int
    """Index in the container."""
    codec: str
    display_width: int
    """As displayed: pixel aspect and rotation applied."""
    display_height: int
    frame_rate: Fraction | None
    """Nominal; None when the container says none that makes sense."""
    avg_frame_rate: Fraction | None
    variable_frame_rate: bool
    duration_s: float | None
    attached_picture: bool
    """A cover, not a film."""


@dataclass(frozen=True, slots=True)
class AudioStream:
    stream: int
    codec: str
    channels: int
    sample_rate_hz: int
    language: str
    default: bool
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class SubtitleStream:
    """A stream of subtitles that are text."""

    stream: int
    language: str
    default: bool
    forced: bool


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A source."""

    container: str
    duration_s: float | None
    seekable_exactly: bool
    """Whether decoding can start at any time to the frame; if not, it is not cut into chunks."""
    video: tuple[VideoStream, ...]
    audio: tuple[AudioStream, ...]
    subtitles: tuple[SubtitleStream, ...]
    raw: Mapping[str, Any]
    """The result as the engine gave it, to be stored with the video."""


def parse(result: Mapping[str, Any]) -> MediaInfo:
    """Read the engine's probe result.

    Raises:
        PermanentError: INTERNAL, the engine's answer is not what was agreed.
    """
    try:
        container = result["format"]
        return MediaInfo(
            container=str(container["container"]),
            duration_s=_seconds(container.get("duration_s")),
            seekable_exactly=bool(container["seekable_exactly"]),
            video=tuple(_video(stream) for stream in result["video"]),
            audio=tuple(_audio(stream) for stream in result["audio"]),
            subtitles=tuple(
                _subtitles(stream) for stream in result.get("subtitles", ()) if stream["text"]
            ),
            raw=_stored(result),
        )
    except (KeyError, TypeError, ValueError) as error:
        message = "The engine's description of the file could not be understood."
        raise PermanentError(Reason.INTERNAL, message) from error


def pictures(streams: Sequence[VideoStream]) -> VideoStream:
    """The stream to show: the first that is no cover picture.

    Raises:
        PermanentError: NO_VIDEO_STREAM.
    """
    for stream in streams:
        if not stream.attached_picture and min(stream.display_width, stream.display_height) > 0:
            return stream
    raise PermanentError(Reason.NO_VIDEO_STREAM, "The file has no video track.")


def _stored(result: Mapping[str, Any]) -> dict[str, Any]:
    """Without the key frames' times: thousands of numbers in an item that is read all the time."""
    kept = {name: value for name, value in result.items() if name != "type"}
    kept["video"] = [
        {**stream, "key_frames": {**keyed, "times_s": []}}
        if (keyed := stream.get("key_frames"))
        else stream
        for stream in result["video"]
    ]
    return kept


def _video(stream: Mapping[str, Any]) -> VideoStream:
    return VideoStream(
        stream=int(stream["stream"]),
        codec=str(stream["codec"]),
        display_width=int(stream["display_width"]),
        display_height=int(stream["display_height"]),
        frame_rate=_rate(stream.get("frame_rate")),
        avg_frame_rate=_rate(stream.get("avg_frame_rate")),
        variable_frame_rate=bool(stream["variable_frame_rate"]),
        duration_s=_seconds(stream.get("duration_s")),
        attached_picture=bool(stream["attached_picture"]),
    )


def _audio(stream: Mapping[str, Any]) -> AudioStream:
    return AudioStream(
        stream=int(stream["stream"]),
        codec=str(stream["codec"]),
        channels=int(stream["channels"]),
        sample_rate_hz=int(stream["sample_rate_hz"]),
        language=str(stream.get("language") or "und"),
        default=bool(stream.get("default", False)),
        duration_s=_seconds(stream.get("duration_s")),
    )


def _subtitles(stream: Mapping[str, Any]) -> SubtitleStream:
    return SubtitleStream(
        stream=int(stream["stream"]),
        language=str(stream.get("language") or "und"),
        default=bool(stream.get("default", False)),
        forced=bool(stream.get("forced", False)),
    )


def _rate(value: Mapping[str, Any] | None) -> Fraction | None:
    if value is None or int(value["den"]) <= 0 or int(value["num"]) <= 0:
        return None
    return Fraction(int(value["num"]), int(value["den"]))


def _seconds(value: Any) -> float | None:
    return float(value) if value is not None and float(value) > 0 else None
