"""The plan of a video: what is made of it, cut into tasks. A pure function of what the source is,
the ladder and the settings; the engine and the publisher both work from it.

Every rendition shares one segment grid and every chunk is a run of whole segments, so that chunks
made by different workers join without a seam.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from millrace import grid, ladder, renditions
from millrace.grid import HEAD_SEGMENTS, SEGMENT_S, Grid
from millrace.kinds import TaskKind
from millrace.ladder import Rung
from millrace.levels import Codec
from millrace.media import AudioStream, MediaInfo, SubtitleStream, VideoStream, pictures
from millrace.renditions import RateControl, Rendition

VERSION = 1
HIGHEST_FRAME_RATE = Fraction(60)
LOWEST_FRAME_RATE = Fraction(1)
MAX_AUDIO_TRACKS = 8
MAX_SUBTITLE_TRACKS = 16
_SURROUND_CHANNELS, _SURROUND_BPS = 6, 384_000

_USUAL_FRAME_RATE = Fraction(25)
"""For a source that has none, such as a single picture."""
_STANDARD_FRAME_RATES = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60")
)
_SAME_RATE = Fraction(1, 500)
"""Averages this close (relatively) to a standard rate are that rate, measured badly."""
_STILL_TIMES_S = (10.0, 30.0, 60.0)
_USUAL_STILLS = len(_STILL_TIMES_S)
_POSTER_PART = 0.1
_POSTER_SHORT_SIDE = 720
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_LONGEST_TAG = 35
"""Characters; RFC 5646, 4.4.1, has no use for more."""
_AUDIO_WEIGHT, _SUBTITLES_WEIGHT, _STILLS_UNITS = Fraction(1, 20), Fraction(1, 100), 1000
"""Encoding a second of audio costs about a twentieth of a second of video, finding a second's
subtitles a hundredth, the stills as much as one second; a unit is the work on a millisecond of
video."""


class Container(StrEnum):
    """What the segments are."""

    CMAF = "cmaf"
    MPEG_TS = "mpegts"


@dataclass(frozen=True, slots=True)
class Rational:
    num: int
    den: int

    @property
    def value(self) -> Fraction:
        return Fraction(self.num, self.den)


@dataclass(frozen=True, slots=True)
class VideoPlan:
    stream: int
    preset: str
    renditions: tuple[Rendition, ...]
    """Codec by codec, each highest first."""


@dataclass(frozen=True, slots=True)
class AudioTrack:
    name: str
    stream: int
    language: str
    channels: int
    sample_rate_hz: int
    bitrate_bps: int
    default: bool

    @property
    def language_tag(self) -> str:
        return _language_tag(self.language)


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    name: str
    stream: int
    language: str
    default: bool
    forced: bool
    """Shown even to those who want no subtitles."""

    @property
    def language_tag(self) -> str:
        return _language_tag(self.language)


@dataclass(frozen=True, slots=True)
class Stills:
    width: int
    height: int
    times_s: tuple[float, ...]
    storyboard: bool = True


@dataclass(frozen=True, slots=True)
class StillsWanted:
    """Which thumbnails a video gets; neither times nor a count: the usual three."""

    times_s: tuple[float, ...] | None = None
    """Those after the video's end are left out."""
    count: int | None = None
    """That many, evenly spaced."""
    storyboard: bool = True


USUAL_STILLS = StillsWanted()


@dataclass(frozen=True, slots=True)
class Poster:
    time_s: float
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Plan:
    """See the module; `to_json` is what the engine reads and the video stores."""

    version: int
    container: Container
    frame_rate: Rational
    duration_s: float
    segment_frames: int
    """See `Grid`, also of the other three."""
    video: VideoPlan
    audio: tuple[AudioTrack, ...]
    """What is down-mixed first, then the same in all channels where that is kept."""
    subtitles: tuple[SubtitleTrack, ...]
    chunk_segments: int
    head_segments: int
    chunk_count: int
    thumbnails: Stills
    poster: Poster

    @property
    def segment_s(self) -> Fraction:
        """Duration of every segment of the grid; only the last one may be shorter."""
        return self.segment_frames / self.frame_rate.value

    @property
    def grid(self) -> Grid:
        return Grid(self.segment_frames, self.chunk_segments, self.head_segments, self.chunk_count)

    def downmix_of(self, track: AudioTrack) -> AudioTrack | None:
        """For a track of more than two channels: the one that carries the same sound down-mixed.
        Such a track is offered beside that one, not as another sound."""
        if track.channels <= 2:
            return None
        same = (other for other in self.audio if other.stream == track.stream)
        return next((other for other in same if other.channels <= 2), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def units(self, kind: TaskKind, index: int) -> int:
        """Weight of a task in the video's percent; see `_AUDIO_WEIGHT`."""
        total_ms = max(1, round(self.duration_s * 1000))
        if kind is TaskKind.TRANSCODE:
            count = self.grid.segments_of(index)
            if count is not None:
                return round(self.segment_s * count * 1000)
            return max(1, total_ms - round(self.segment_s * self.grid.first_segment(index) * 1000))
        if kind is TaskKind.AUDIO:
            return max(1, round(total_ms * _AUDIO_WEIGHT))
        if kind is TaskKind.SUBTITLES:
            return max(1, round(total_ms * _SUBTITLES_WEIGHT))
        return _STILLS_UNITS

    def tasks(self) -> Iterator[tuple[TaskKind, int]]:
        """Every task, most urgent first: what makes the video playable, then the rest."""
        yield TaskKind.TRANSCODE, 0
        for index in range(len(self.audio)):
            yield TaskKind.AUDIO, index
        for index in range(len(self.subtitles)):
            yield TaskKind.SUBTITLES, index
        yield TaskKind.THUMBNAIL, 0
        for index in range(1, self.chunk_count):
            yield TaskKind.TRANSCODE, index


def make(
    info: MediaInfo,
    *,
    chunk_segments: int,
    head_segments: int = HEAD_SEGMENTS,
    preset: str,
    rungs: Sequence[Rung] | None = None,
    rate_control: RateControl = RateControl.CRF,
    segment_s: int = SEGMENT_S,
    stills: StillsWanted = USUAL_STILLS,
    keep_surround: bool = False,
    container: Container = Container.CMAF,
) -> Plan:
    """Plan a video.

    Args:
        chunk_segments: segments of `SEGMENT_S` per transcode task; with other segments as many
            as last about as long.
        head_segments: likewise of chunk 0; 0: as many as the others have.
        preset: speed preset of the encoder.
        rungs: the ladder, each codec's rungs highest first; the default one if None.
        segment_s: length of a segment, up to the nearest frame; longer where a video would have
            more segments than its tasks can tell of.
        keep_surround: offer 5.1 sound as it is, too, beside the down-mix.
        container: of the segments; MPEG-TS takes the H.264 rungs only.

    Raises:
        PermanentError: NO_VIDEO_STREAM.
        ValueError: the ladder has no rung for the container.
    """
    rungs = _carried(rungs or ladder.LADDERS["default"], container)
    source = pictures(info.video)
    rate = frame_rate(source)
    duration_s = source.duration_s or info.duration_s or float(1 / rate)
    made = tuple(renditions.of(source, rate, rungs, rate_control))
    at_once = 1 if info.seekable_exactly else len(made)
    segment_s = max(segment_s, grid.least_segment_s(duration_s, at_once))
    cut = grid.cut(rate, duration_s, segment_s, chunk_segments, head_segments)
    return Plan(
        version=VERSION,
        container=container,
        frame_rate=Rational(rate.numerator, rate.denominator),
        duration_s=round(duration_s, 3),
        segment_frames=cut.segment_frames,
        video=VideoPlan(source.stream, preset, made),
        audio=tuple(_audio(info.audio[:MAX_AUDIO_TRACKS], keep_surround=keep_surround)),
        subtitles=tuple(_subtitles(info.subtitles[:MAX_SUBTITLE_TRACKS])),
        chunk_segments=cut.chunk_segments,
        head_segments=cut.head_segments,
        chunk_count=cut.chunk_count if info.seekable_exactly else 1,
        thumbnails=Stills(320, 180, _still_times(stills, duration_s), stills.storyboard),
        poster=poster_of(made, duration_s),
    )


def _carried(rungs: Sequence[Rung], container: Container) -> Sequence[Rung]:
    """HLS has HEVC and AV1 in CMAF alone (Apple's authoring specification, 1.5)."""
    if container is Container.CMAF:
        return rungs
    carried = [rung for rung in rungs if rung.codec is Codec.H264]
    if not carried:
        raise ValueError("MPEG-TS segments need H.264 rungs, of which the ladder has none")
    return carried


def from_json(stored: Mapping[str, Any]) -> Plan:
    """The plan that `to_json` gave."""
    video, stills = stored["video"], stored["thumbnails"]
    return Plan(
        version=stored["version"],
        container=Container(stored.get("container", Container.CMAF)),
        frame_rate=Rational(**stored["frame_rate"]),
        duration_s=stored["duration_s"],
        segment_frames=stored["segment_frames"],
        video=VideoPlan(
            video["stream"],
            video["preset"],
            tuple(_rendition(rendition) for rendition in video["renditions"]),
        ),
        audio=tuple(AudioTrack(**track) for track in stored["audio"]),
        subtitles=tuple(SubtitleTrack(**track) for track in stored.get("subtitles", ())),
        chunk_segments=stored["chunk_segments"],
        head_segments=stored.get("head_segments", stored["chunk_segments"]),
        chunk_count=stored["chunk_count"],
        thumbnails=Stills(**{**stills, "times_s": tuple(stills["times_s"])}),
        poster=Poster(**stored["poster"]),
    )


def _rendition(stored: Mapping[str, Any]) -> Rendition:
    control = RateControl(stored.get("rate_control", RateControl.CRF))
    return Rendition(**{**stored, "rate_control": control})


def frame_rate(source: VideoStream) -> Fraction:
    """The constant rate of all renditions: the source's average, 1 to 60 a second.

    Twice, three times … 60 is halved, divided by three …, so that every n-th frame is shown and
    movement stays even.
    """
    rate = source.avg_frame_rate or source.frame_rate or _USUAL_FRAME_RATE
    nominal = source.frame_rate
    if nominal and not source.variable_frame_rate and abs(nominal / rate - 1) < Fraction(1, 50):
        rate = nominal  # an average over few frames is a poor measure of a constant rate
    for standard in _STANDARD_FRAME_RATES:
        if abs(rate / standard - 1) < _SAME_RATE:
            # Exact rates win over their neighbours 0.1 % away.
            return min(_STANDARD_FRAME_RATES, key=lambda known: abs(known - rate))
    if rate > HIGHEST_FRAME_RATE:
        divided = rate / max(1, round(rate / HIGHEST_FRAME_RATE))
        rate = divided if divided <= HIGHEST_FRAME_RATE else HIGHEST_FRAME_RATE
    return max(LOWEST_FRAME_RATE, rate.limit_denominator(1001))


def _language_tag(language: str) -> str:
    """The language as manifests take it; "" if unknown, or if what the file says has not the form
    of a tag (RFC 5646, and xs:language)."""
    known = language != "und" and len(language) <= _LONGEST_TAG
    return language if known and _LANGUAGE_TAG.fullmatch(language) else ""


def _audio(streams: Sequence[AudioStream], *, keep_surround: bool) -> Iterator[AudioTrack]:
    marked = next((index for index, stream in enumerate(streams) if stream.default), 0)
    for index, stream in enumerate(streams):
        channels = 1 if stream.channels == 1 else 2
        name, bitrate_bps = f"audio-{index}", 64_000 * channels
        yield _audio_track(stream, name, channels, bitrate_bps, default=index == marked)
    if not keep_surround:
        return
    for index, stream in enumerate(streams):
        if stream.channels >= _SURROUND_CHANNELS:
            form = (f"surround-{index}", _SURROUND_CHANNELS, _SURROUND_BPS)
            yield _audio_track(stream, *form, default=index == marked)


def _audio_track(
    stream: AudioStream, name: str, channels: int, bitrate_bps: int, *, default: bool
) -> AudioTrack:
    return AudioTrack(
        name=name,
        stream=stream.stream,
        language=stream.language,
        channels=channels,
        sample_rate_hz=44_100 if stream.sample_rate_hz == 44_100 else 48_000,
        bitrate_bps=bitrate_bps,
        default=default,
    )


def _subtitles(streams: Sequence[SubtitleStream]) -> Iterator[SubtitleTrack]:
    marked = next((index for index, stream in enumerate(streams) if stream.default), None)
    for index, stream in enumerate(streams):
        yield SubtitleTrack(
            name=f"subtitles-{index}",
            stream=stream.stream,
            language=stream.language,
            default=index == marked,
            forced=stream.forced,
        )


def _still_times(wanted: StillsWanted, duration_s: float) -> tuple[float, ...]:
    if wanted.times_s is not None:
        return tuple(time_s for time_s in wanted.times_s if time_s < duration_s)
    if wanted.count is None and duration_s > _STILL_TIMES_S[-1]:
        return _STILL_TIMES_S
    count = _USUAL_STILLS if wanted.count is None else wanted.count
    parts = (Fraction(2 * index + 1, 2 * count) for index in range(count))
    return tuple(round(duration_s * float(part), 3) for part in parts)


def poster_of(renditions: Sequence[Rendition], duration_s: float) -> Poster:
    for rendition in renditions:
        if min(rendition.width, rendition.height) <= _POSTER_SHORT_SIDE:
            break
    time_s = round(duration_s * _POSTER_PART, 3)
    return Poster(time_s=time_s, width=rendition.width, height=rendition.height)
