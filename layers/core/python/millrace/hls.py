"""Playlists and manifest, a pure function of the plan and of what the done tasks made.

Section numbers are those of RFC 8216. CMAF segments (fMP4) need EXT-X-MAP and with it
EXT-X-VERSION 6 at least (7.): 7 is what players of fMP4 expect. MPEG-TS segments need neither, so
that players which know only version 3 take them, and have no DASH manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from millrace import dash, rates
from millrace.outputs import Segment, Track
from millrace.plan import AudioTrack, Container, Plan, SubtitleTrack
from millrace.renditions import Rendition

MASTER = "master.m3u8"
MEDIA = "index.m3u8"
IFRAMES = "iframes.m3u8"
_AUDIO_GROUP, _SURROUND_GROUP, _SUBTITLES_GROUP = "audio", "surround", "subtitles"
_DIGEST_LETTERS = 16
_LEAST_VERSION_OF_GROUPS_AND_RANGES = 4
_START_BELOW_BPS = 3_000_000
"""A player starts with the variant named first; this much most connections carry."""


@dataclass(frozen=True, slots=True)
class Playlists:
    """Texts by path below the video's prefix, in the order to write them: a playlist is written
    after everything it names."""

    files: Mapping[str, str]

    @property
    def digests(self) -> dict[str, str]:
        """Beginnings of the texts' SHA-256, by path."""
        return {
            path: hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LETTERS]
            for path, text in self.files.items()
        }


@dataclass(frozen=True, slots=True)
class _Form:
    """How a media playlist names segments."""

    version: int
    extension: str
    map_lines: tuple[str, ...] = ()


_FORMS = {
    Container.CMAF: _Form(7, "m4s", ('#EXT-X-MAP:URI="init.mp4"',)),
    Container.MPEG_TS: _Form(3, "ts"),
}


@dataclass(frozen=True, slots=True)
class _AudioGroup:
    """A GROUP-ID (4.3.4.1.1) and the tracks in it."""

    id: str
    members: tuple[tuple[AudioTrack, AudioTrack], ...]
    """What is played, after the track that names it and says whether it is the default."""


def media_path(track: str) -> str:
    return f"{track}/{MEDIA}"


def iframes_path(rendition: str) -> str:
    return f"{rendition}/{IFRAMES}"


def manifest_path(plan: Plan) -> str | None:
    """Of the DASH manifest, if the video gets one."""
    return dash.MANIFEST if plan.container is Container.CMAF else None


def paths(plan: Plan) -> Iterator[str]:
    """Every path that `render` may give at any time, what names others before what is named."""
    yield MASTER
    if manifest_path(plan):
        yield dash.MANIFEST
    for rendition in plan.video.renditions:
        yield iframes_path(rendition.name)
        yield media_path(rendition.name)
    yield from map(media_path, _whole_tracks(plan))


def _whole_tracks(plan: Plan) -> list[str]:
    """Names of the tracks that a task makes as a whole."""
    return [*(track.name for track in plan.audio), *(track.name for track in plan.subtitles)]


def render(
    plan: Plan,
    chunks: Mapping[int, Mapping[str, Track]],
    audio: Mapping[int, Mapping[str, Track]],
    subtitles: Mapping[int, Mapping[str, Track]] | None = None,
    *,
    growing_chunks: Mapping[int, Mapping[str, Track]] | None = None,
    growing_audio: Mapping[int, Mapping[str, Track]] | None = None,
    final: bool,
) -> Playlists | None:
    """The playlists of what is made, and at the end the DASH manifest.

    They name what there is from the beginning without a gap: done chunks, what the next one has
    made so far, as far as there is sound to it. So a segment is never named before it is there, and
    never leaves again (6.2.1). Subtitles are named once they are done; playing does not wait for
    them.

    Args:
        chunks: tracks of the done transcode tasks, by index.
        audio: tracks of the done audio tasks, by index.
        subtitles: tracks of the done subtitle tasks, by index.
        growing_chunks: the beginnings that other transcode tasks have made so far.
        growing_audio: likewise of audio tracks.
        final: every task is done: VOD with an end instead of a growing EVENT.

    Returns:
        None while the video is not playable: chunk 0 is missing, or the sound to it.
    """
    growing = _by_name(growing_audio or {})
    others = {**_by_name(audio), **growing, **_by_name(subtitles or {})}
    if 0 not in chunks or any(track.name not in others for track in plan.audio):
        return None
    made = tuple(track for track in plan.subtitles if track.name in others)
    plan = replace(plan, subtitles=made)
    heard = min((len(track.segments) for track in growing.values()), default=None)
    video = {
        rendition.name: _joined(rendition.name, chunks, growing_chunks or {}, heard)
        for rendition in plan.video.renditions
    }
    end_s = None if final else max(track.duration_s for track in video.values())
    others = {name: _until(others[name], end_s) for name in _whole_tracks(plan)}
    tracks = {**video, **others}
    target_s = rates.target_duration_s(plan, tracks.values())
    texts = {track.name for track in plan.subtitles}
    media = _FORMS[plan.container]
    files = {
        media_path(name): _media_playlist(
            track, target_s, _text_form(media) if name in texts else media, final=final
        )
        for name, track in tracks.items()
    }
    for name, track in video.items():
        if track.has_iframes:
            files[iframes_path(name)] = _iframe_playlist(track, target_s, media, final=final)
    if final and manifest_path(plan):
        files[dash.MANIFEST] = dash.manifest(plan, video, others)
    files[MASTER] = _master_playlist(plan, video, others, target_s, final=final)
    return Playlists(files)


def _by_name(made: Mapping[int, Mapping[str, Track]]) -> dict[str, Track]:
    return {name: track for tracks in made.values() for name, track in tracks.items()}


def _joined(
    name: str,
    chunks: Mapping[int, Mapping[str, Track]],
    growing: Mapping[int, Mapping[str, Track]],
    most: int | None,
) -> Track:
    """The contiguous run of done chunks, and what there is of the one after them. All tracks share
    the segment grid, so where a sound has only so many segments yet, no more are named here."""
    segments: list[Segment] = []
    index = 0
    while index in chunks and chunks[index][name].first == len(segments):
        segments += chunks[index][name].segments
        index += 1
    if index in growing:
        segments += growing[index][name].segments
    return Track(chunks[0][name].codecs, 0, tuple(segments[:most]))


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


def _text_form(media: _Form) -> _Form:
    return _Form(media.version, "vtt")


def _media_playlist(track: Track, target_s: int, form: _Form, *, final: bool) -> str:
    lines = [*_head(target_s, form.version, final=final), *form.map_lines]
    for index, segment in enumerate(track.segments, start=track.first):
        lines += [f"#EXTINF:{float(segment.duration_s):.6f},", f"{index:05d}.{form.extension}"]
    return _text(lines, final=final)


def _iframe_playlist(track: Track, target_s: int, form: _Form, *, final: bool) -> str:
    """4.3.3.6: each entry is the beginning of a segment, up to the end of its one I-frame, and
    lasts until the next I-frame."""
    version = max(form.version, _LEAST_VERSION_OF_GROUPS_AND_RANGES)
    lines = [*_head(target_s, version, "#EXT-X-I-FRAMES-ONLY", final=final), *form.map_lines]
    for index, segment in enumerate(track.segments, start=track.first):
        lines += [
            f"#EXTINF:{float(segment.duration_s):.6f},",
            f"#EXT-X-BYTERANGE:{segment.iframe_bytes}@0",
            f"{index:05d}.{form.extension}",
        ]
    return _text(lines, final=final)


def _header(version: int) -> list[str]:
    return ["#EXTM3U", f"#EXT-X-VERSION:{version}"]


def _head(target_s: int, version: int, *more: str, final: bool) -> list[str]:
    return [
        *_header(version),
        f"#EXT-X-TARGETDURATION:{target_s}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if final else 'EVENT'}",
        *more,
        "#EXT-X-INDEPENDENT-SEGMENTS",
        *_start(final=final),
    ]


def _text(lines: Sequence[str], *, final: bool) -> str:
    return "\n".join([*lines, "#EXT-X-ENDLIST"] if final else lines) + "\n"


def _start(*, final: bool) -> list[str]:
    """4.3.5.2: without it, a player takes a growing playlist for live and starts at its end."""
    return [] if final else ["#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"]


def _master_playlist(
    plan: Plan,
    video: Mapping[str, Track],
    others: Mapping[str, Track],
    target_s: int,
    *,
    final: bool,
) -> str:
    groups = _audio_groups(plan)
    version = max(_FORMS[plan.container].version, _LEAST_VERSION_OF_GROUPS_AND_RANGES)
    lines = [*_header(version), "#EXT-X-INDEPENDENT-SEGMENTS", *_start(final=final)]
    for group in groups:
        lines += [_audio_line(sound, track, group) for sound, track in group.members]
    lines += [_subtitles_line(track, plan) for track in plan.subtitles]
    for group in groups or [_AudioGroup("", ())]:
        for rendition in _by_start(plan.video.renditions):
            own = video[rendition.name]
            lines.append(_variant_line(plan, rendition, own, group, others, target_s, final=final))
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


def _audio_groups(plan: Plan) -> list[_AudioGroup]:
    """One group of every sound; with surround sound a second one of the same members, each in more
    channels where there is such a track."""
    surround: dict[AudioTrack, AudioTrack] = {}
    sounds: list[AudioTrack] = []
    for track in plan.audio:
        downmix = plan.downmix_of(track)
        if downmix:
            surround[downmix] = track
        else:
            sounds.append(track)
    groups = [_AudioGroup(_AUDIO_GROUP, tuple((sound, sound) for sound in sounds))]
    if surround:
        full = tuple((sound, surround.get(sound, sound)) for sound in sounds)
        groups.append(_AudioGroup(_SURROUND_GROUP, full))
    return groups if plan.audio else []


def _audio_line(sound: AudioTrack, track: AudioTrack, group: _AudioGroup) -> str:
    """4.3.4.1; NAMEs are unique within the group (4.3.4.1.1)."""
    language = f'LANGUAGE="{sound.language_tag}",' if sound.language_tag else ""
    labels = [_label(other) for other, _ in group.members]
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group.id}",NAME="{_name(sound, labels)}",{language}'
        f"DEFAULT={'YES' if sound.default else 'NO'},AUTOSELECT=YES,"
        f'CHANNELS="{track.channels}",URI="{media_path(track.name)}"'
    )


def _subtitles_line(track: SubtitleTrack, plan: Plan) -> str:
    language = f'LANGUAGE="{track.language_tag}",' if track.language_tag else ""
    name = _name(track, [_label(other) for other in plan.subtitles])
    return (
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{_SUBTITLES_GROUP}",NAME="{name}",{language}'
        f"DEFAULT={'YES' if track.default else 'NO'},AUTOSELECT=YES,"
        f'FORCED={"YES" if track.forced else "NO"},URI="{media_path(track.name)}"'
    )


def _label(track: AudioTrack | SubtitleTrack) -> str:
    forced = " forced" if isinstance(track, SubtitleTrack) and track.forced else ""
    return f"{track.language_tag or track.name}{forced}"


def _name(track: AudioTrack | SubtitleTrack, labels: Sequence[str]) -> str:
    """`eng`, or `eng (1)` of `audio-1` where another track is called `eng`, too."""
    label = _label(track)
    if labels.count(label) < 2:
        return label
    return f"{label} ({track.name.partition('-')[2] or track.name})"


def _variant_line(
    plan: Plan,
    rendition: Rendition,
    own: Track,
    group: _AudioGroup,
    others: Mapping[str, Track],
    target_s: int,
    *,
    final: bool,
) -> str:
    """4.3.4.2. BANDWIDTH is an upper bound for every playable combination; while the end is not
    made yet, it is at least what the encoder's buffer model allows a segment to be."""
    sound = [others[track.name] for _, track in group.members]
    texts = [others[track.name] for track in plan.subtitles]
    peak = average = 0
    for tracks in (sound, texts):  # one of each plays
        peak += max((rates.peak_bps(track, target_s) for track in tracks), default=0)
        average += max((rates.average_bps(track) for track in tracks), default=0)
    allowed = 0 if final else rendition.maxrate_bps + _buffer_bps(plan, rendition)
    own_peak = max(rates.peak_bps(own, target_s), allowed)
    codecs = list(dict.fromkeys([own.codecs, *(track.codecs for track in sound)]))
    rate = float(plan.frame_rate.value)
    line = (
        f"#EXT-X-STREAM-INF:BANDWIDTH={own_peak + peak},"
        f"AVERAGE-BANDWIDTH={rates.average_bps(own) + average},"
        f'CODECS="{",".join(codecs)}",RESOLUTION={rendition.width}x{rendition.height},'
        f"FRAME-RATE={rate:.3f},VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE"
    )
    line += f',AUDIO="{group.id}"' if sound else ""
    return f'{line},SUBTITLES="{_SUBTITLES_GROUP}"' if texts else line


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
