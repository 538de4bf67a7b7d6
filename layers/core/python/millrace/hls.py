"""Playlists and manifest, a pure function of the plan and of what the done tasks made.

Section numbers are those of RFC 8216. Segments are CMAF (fMP4), so EXT-X-MAP and with it
EXT-X-VERSION 6 at least (7.): 7 is what players of fMP4 expect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from millrace import dash, rates
from millrace.outputs import Segment, Track
from millrace.plan import AudioTrack, Plan, Rendition

MASTER = "master.m3u8"
MEDIA = "index.m3u8"
IFRAMES = "iframes.m3u8"
_HEADER = ("#EXTM3U", "#EXT-X-VERSION:7")
_AUDIO_GROUP = "audio"
_START_BELOW_BPS = 3_000_000
"""A player starts with the variant named first; this much most connections carry."""


@dataclass(frozen=True, slots=True)
class Playlists:
    """Texts by path below the video's prefix, in the order to write them: a playlist is written
    after everything it names."""

    files: Mapping[str, str]


def media_path(track: str) -> str:
    return f"{track}/{MEDIA}"


def iframes_path(rendition: str) -> str:
    return f"{rendition}/{IFRAMES}"


def paths(plan: Plan) -> Iterator[str]:
    """Every path that `render` may give at any time, what names others before what is named."""
    yield MASTER
    yield dash.MANIFEST
    for rendition in plan.video.renditions:
        yield iframes_path(rendition.name)
        yield media_path(rendition.name)
    for track in plan.audio:
        yield media_path(track.name)


def render(
    plan: Plan,
    chunks: Mapping[int, Mapping[str, Track]],
    audio: Mapping[int, Mapping[str, Track]],
    *,
    final: bool,
) -> Playlists | None:
    """The playlists of what is done, and at the end the DASH manifest.

    They name the contiguous run of done chunks from the beginning and nothing else, so that a
    segment is never named before it is there, and never leaves again (6.2.1).

    Args:
        chunks: tracks of the done transcode tasks, by index.
        audio: tracks of the done audio tasks, by index.
        final: every task is done: VOD with an end instead of a growing EVENT.

    Returns:
        None while the video is not playable: chunk 0 or an audio track is missing.
    """
    if 0 not in chunks or any(index not in audio for index in range(len(plan.audio))):
        return None
    video = {rendition.name: _joined(rendition.name, chunks) for rendition in plan.video.renditions}
    end_s = None if final else max(track.duration_s for track in video.values())
    sound = {
        track.name: _until(audio[index][track.name], end_s)
        for index, track in enumerate(plan.audio)
    }
    tracks = {**video, **sound}
    target_s = rates.target_duration_s(plan, tracks.values())
    files = {
        media_path(name): _media_playlist(track, target_s, final=final)
        for name, track in tracks.items()
    }
    for name, track in video.items():
        if track.has_iframes:
            files[iframes_path(name)] = _iframe_playlist(track, target_s, final=final)
    if final:
        files[dash.MANIFEST] = dash.manifest(plan, video, sound)
    files[MASTER] = _master_playlist(plan, video, sound, target_s, final=final)
    return Playlists(files)


def _joined(name: str, chunks: Mapping[int, Mapping[str, Track]]) -> Track:
    """The contiguous run of done chunks."""
    segments: list[Segment] = []
    index = 0
    while index in chunks and chunks[index][name].first == len(segments):
        segments += chunks[index][name].segments
        index += 1
    return Track(chunks[0][name].codecs, 0, tuple(segments))


def _until(track: Track, end_s: Fraction | None) -> Track:
    """The segments that begin before `end_s`: all renditions cover the same time (6.2.4)."""
    if end_s is None:
        return track
    kept: list[Segment] = []
    begin_s = Fraction(0)
    for segment in track.segments:
        if begin_s >= end_s:
            break
        kept.append(segment)
        begin_s += segment.duration_s
    return Track(track.codecs, track.first, tuple(kept))


def _media_playlist(track: Track, target_s: int, *, final: bool) -> str:
    lines = _head(target_s, final=final)
    for index, segment in enumerate(track.segments, start=track.first):
        lines += [f"#EXTINF:{float(segment.duration_s):.6f},", f"{index:05d}.m4s"]
    return _text(lines, final=final)


def _iframe_playlist(track: Track, target_s: int, *, final: bool) -> str:
    """4.3.3.6: each entry is the beginning of a segment, up to the end of its one I-frame, and
    lasts until the next I-frame."""
    lines = _head(target_s, "#EXT-X-I-FRAMES-ONLY", final=final)
    for index, segment in enumerate(track.segments, start=track.first):
        lines += [
            f"#EXTINF:{float(segment.duration_s):.6f},",
            f"#EXT-X-BYTERANGE:{segment.iframe_bytes}@0",
            f"{index:05d}.m4s",
        ]
    return _text(lines, final=final)


def _head(target_s: int, *more: str, final: bool) -> list[str]:
    return [
        *_HEADER,
        f"#EXT-X-TARGETDURATION:{target_s}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if final else 'EVENT'}",
        *more,
        "#EXT-X-INDEPENDENT-SEGMENTS",
        *_start(final=final),
        '#EXT-X-MAP:URI="init.mp4"',
    ]


def _text(lines: Sequence[str], *, final: bool) -> str:
    return "\n".join([*lines, "#EXT-X-ENDLIST"] if final else lines) + "\n"


def _start(*, final: bool) -> list[str]:
    """4.3.5.2: without it, a player takes a growing playlist for live and starts at its end."""
    return [] if final else ["#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"]


def _master_playlist(
    plan: Plan,
    video: Mapping[str, Track],
    sound: Mapping[str, Track],
    target_s: int,
    *,
    final: bool,
) -> str:
    lines = [*_HEADER, "#EXT-X-INDEPENDENT-SEGMENTS", *_start(final=final)]
    lines += [_audio_line(track, plan) for track in plan.audio]
    for rendition in _by_start(plan.video.renditions):
        own = video[rendition.name]
        lines.append(_variant_line(plan, rendition, own, sound, target_s, final=final))
        lines.append(media_path(rendition.name))
    for rendition in _by_start(plan.video.renditions):
        if video[rendition.name].has_iframes:
            own = video[rendition.name].iframes
            lines.append(_iframe_line(plan, rendition, own, target_s, final=final))
    return "\n".join(lines) + "\n"


def _by_start(renditions: Sequence[Rendition]) -> list[Rendition]:
    """The variant to start with first, the others in the plan's order. Players that do not look
    at CODECS take the first one: it is H.264 if there is any."""
    usual = [r for r in renditions if r.codec == "h264"]
    usual = usual or [r for r in renditions if r.codec == renditions[0].codec]
    first = next((r for r in usual if r.maxrate_bps <= _START_BELOW_BPS), usual[-1])
    return [first, *(rendition for rendition in renditions if rendition is not first)]


def _audio_line(track: AudioTrack, plan: Plan) -> str:
    """4.3.4.1; NAMEs are unique within the group (4.3.4.1.1)."""
    language = f'LANGUAGE="{track.language_tag}",' if track.language_tag else ""
    name = track.language_tag or track.name
    if sum(1 for other in plan.audio if other.language_tag == track.language_tag) > 1:
        name = f"{name} ({track.name.removeprefix('audio-')})"
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{_AUDIO_GROUP}",NAME="{name}",{language}'
        f"DEFAULT={'YES' if track.default else 'NO'},AUTOSELECT=YES,"
        f'CHANNELS="{track.channels}",URI="{media_path(track.name)}"'
    )


def _variant_line(
    plan: Plan,
    rendition: Rendition,
    own: Track,
    sound: Mapping[str, Track],
    target_s: int,
    *,
    final: bool,
) -> str:
    """4.3.4.2. BANDWIDTH is an upper bound for every playable combination; while the end is not
    made yet, it is at least what the encoder's buffer model allows a segment to be."""
    peak = max((rates.peak_bps(track, target_s) for track in sound.values()), default=0)
    average = max((rates.average_bps(track) for track in sound.values()), default=0)
    allowed = 0 if final else rendition.maxrate_bps + _buffer_bps(plan, rendition)
    own_peak = max(rates.peak_bps(own, target_s), allowed)
    codecs = list(dict.fromkeys([own.codecs, *(track.codecs for track in sound.values())]))
    rate = float(plan.frame_rate.value)
    line = (
        f"#EXT-X-STREAM-INF:BANDWIDTH={own_peak + peak},"
        f"AVERAGE-BANDWIDTH={rates.average_bps(own) + average},"
        f'CODECS="{",".join(codecs)}",RESOLUTION={rendition.width}x{rendition.height},'
        f"FRAME-RATE={rate:.3f},VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE"
    )
    return f'{line},AUDIO="{_AUDIO_GROUP}"' if sound else line


def _iframe_line(
    plan: Plan, rendition: Rendition, own: Track, target_s: int, *, final: bool
) -> str:
    """4.3.4.3: as for the variant, of the I-frames alone; no frame exceeds the buffer."""
    allowed = 0 if final else _buffer_bps(plan, rendition)
    return (
        f"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={max(rates.peak_bps(own, target_s), allowed)},"
        f'AVERAGE-BANDWIDTH={rates.average_bps(own)},CODECS="{own.codecs}",'
        f"RESOLUTION={rendition.width}x{rendition.height},VIDEO-RANGE=SDR,"
        f'URI="{iframes_path(rendition.name)}"'
    )


def _buffer_bps(plan: Plan, rendition: Rendition) -> int:
    """What the encoder's buffer model allows a segment beyond the capped rate."""
    return ceil(rendition.bufsize_bits / plan.segment_s)
