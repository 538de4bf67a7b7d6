"""Checks a whole output against the rules: every playlist, manifest, init and media segment.

Written from RFC 8216 (§ …), ISO/IEC 23009-1 and ISO/IEC 14496-12, independent of what makes it;
what a playlist's text alone shows is judged by the rules of `millrace verify`. A breach is an
AssertionError that names the file.
"""

from __future__ import annotations

import itertools
import math
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import urljoin

import requests

from tests.harness import transport, webvtt
from tests.harness.boxes import Fragment, Init, read_fragment, read_init
from tests.harness.cmaf import check_samples
from tests.harness.hls import attributes
from tests.harness.playlists import check_text

Read = Callable[[str], bytes]
"""A file's content by its path below the master playlist's folder; fails when it is not there."""

_AVERAGE_TOLERANCE = 0.1
_EXTINF_ROUNDING_S = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class Entry:
    uri: str
    duration_s: Fraction
    range_bytes: int | None


@dataclass(frozen=True)
class Playlist:
    path: str
    target_s: int
    iframes_only: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Track:
    """A media playlist with everything it names."""

    playlist: Playlist
    init: Init
    fragments: tuple[Fragment, ...]
    sizes: tuple[int, ...]

    @property
    def begins(self) -> list[Fraction]:
        """When each segment is shown, seconds."""
        scale, begin = self.init.timescale, self.init.begin
        return [Fraction(fragment.first_shown - begin, scale) for fragment in self.fragments]

    @property
    def durations(self) -> list[Fraction]:
        return [Fraction(sum(each.durations), self.init.timescale) for each in self.fragments]

    @property
    def length_s(self) -> Fraction:
        return sum(self.durations, Fraction(0))

    @property
    def sample_rate(self) -> Fraction:
        """Samples a second: of pictures, the frame rate."""
        return sum(len(each.durations) for each in self.fragments) / self.length_s


@dataclass(frozen=True)
class TextTrack:
    """The playlist of a subtitle track with everything it names."""

    playlist: Playlist
    cues: tuple[webvtt.Cue, ...]
    sizes: tuple[int, ...]

    @property
    def durations(self) -> list[Fraction]:
        return [entry.duration_s for entry in self.playlist.entries]


@dataclass(frozen=True)
class Presentation:
    video: dict[str, Track]
    """By the playlist's path, as the master names them."""
    audio: dict[str, Track]
    subtitles: dict[str, TextTrack]


def from_folder(folder: Path) -> Read:
    return lambda path: (folder / path).read_bytes()


def from_url(master_url: str) -> Read:
    def read(path: str) -> bytes:
        response = requests.get(urljoin(master_url, path), timeout=30)
        assert response.status_code == 200, f"{path}: {response.status_code}"
        return response.content

    return read


def check_hls(read: Read, scratch: Path) -> Presentation:
    """Check `master.m3u8` and all it leads to, of a finished video.

    Args:
        scratch: an existing folder for pictures cut out of segments.
    """
    lines = check_text("master.m3u8", read("master.m3u8"))
    media = [attributes(line) for line in lines if line.startswith("#EXT-X-MEDIA:")]
    _check_groups(media)
    variants = [
        (uri, attributes(line))
        for line, uri in itertools.pairwise(lines)
        if line.startswith("#EXT-X-STREAM-INF:")
    ]
    audio = {uri: _track(read, uri, scratch) for uri in _uris(media, "AUDIO")}
    video = {uri: _track(read, uri, scratch) for uri in dict.fromkeys(uri for uri, _ in variants)}
    zero = 0 if has_map(next(iter(video.values())).playlist) else transport.ZERO
    texts = {uri: _text_track(read, uri, zero) for uri in _uris(media, "SUBTITLES")}
    _check_aligned(list(video.values()), list(audio.values()))
    for text in texts.values():
        _check_text_grid(text, next(iter(video.values())))
    _check_every_group_has_all(variants, media)
    for uri, tags in variants:
        heard = [audio[each] for each in _uris(media, "AUDIO", tags.get("AUDIO"))]
        read_along = [texts[each] for each in _uris(media, "SUBTITLES", tags.get("SUBTITLES"))]
        _check_variant(tags, video[uri], heard, read_along)
    _check_channels(media, audio)
    iframes = [attributes(line) for line in lines if line.startswith("#EXT-X-I-FRAME-STREAM-INF:")]
    _check_iframe_streams(read, iframes, video, scratch)
    return Presentation(video, audio, texts)


def _uris(media: Sequence[dict[str, str]], kind: str, group: str | None = "") -> list[str]:
    """Of the renditions of a type, in one group or ("") in any."""
    found = [tags for tags in media if tags["TYPE"] == kind and group in ("", tags["GROUP-ID"])]
    return list(dict.fromkeys(tags["URI"] for tags in found))


def _check_groups(media: Sequence[dict[str, str]]) -> None:
    """§ 4.3.4.1.1"""
    names = [(tags["TYPE"], tags["GROUP-ID"], tags["NAME"]) for tags in media]
    assert len(set(names)) == len(names), "NAMEs are unique within a group"
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for tags in media:
        groups.setdefault((tags["TYPE"], tags["GROUP-ID"]), []).append(tags)
    for (kind, _), members in groups.items():
        defaults = sum(tags["DEFAULT"] == "YES" for tags in members)
        assert defaults == 1 if kind == "AUDIO" else defaults <= 1
    alike = [
        [(tags["NAME"], tags.get("LANGUAGE"), tags["DEFAULT"]) for tags in members]
        for (kind, _), members in groups.items()
        if kind == "AUDIO"
    ]
    assert all(members == alike[0] for members in alike), "§ 4.3.4.2.1: groups of equal members"
    for tags in media:
        assert tags["AUTOSELECT"] == "YES"
        assert re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", tags.get("LANGUAGE", "xx"))


def _check_every_group_has_all(
    variants: Sequence[tuple[str, dict[str, str]]], media: Sequence[dict[str, str]]
) -> None:
    """Each rendition is offered with each group, once."""
    groups: set[str | None] = {tags["GROUP-ID"] for tags in media if tags["TYPE"] == "AUDIO"}
    offered = [(uri, tags.get("AUDIO")) for uri, tags in variants]
    names = {uri for uri, _ in variants}
    texts = {tags["GROUP-ID"] for tags in media if tags["TYPE"] == "SUBTITLES"}
    for uri, tags in variants:
        named = {tags["SUBTITLES"]} if "SUBTITLES" in tags else set()
        assert named == texts, uri
    assert sorted(offered, key=str) == sorted(itertools.product(names, groups or {None}), key=str)


def _check_channels(media: Sequence[dict[str, str]], audio: dict[str, Track]) -> None:
    for tags in media:
        if tags["TYPE"] == "AUDIO":
            assert int(tags["CHANNELS"]) == audio[tags["URI"]].init.channels, tags["URI"]


def has_map(playlist: Playlist) -> bool:
    """Whether there is an init file: for all but MPEG-TS and WebVTT."""
    return not playlist.entries[0].uri.endswith((".ts", ".vtt"))


def read_playlist(read: Read, path: str) -> Playlist:
    lines = check_text(path, read(path))
    assert lines[-1] == "#EXT-X-ENDLIST", f"{path} has no end"
    tags = {name: value for name, _, value in (line.partition(":") for line in lines)}
    assert tags["#EXT-X-PLAYLIST-TYPE"] == "VOD", path
    assert tags["#EXT-X-MEDIA-SEQUENCE"] == "0", path
    target_s = int(tags["#EXT-X-TARGETDURATION"])
    entries: list[Entry] = []
    duration_s, length = Fraction(0), None
    for line in lines:
        if line.startswith("#EXTINF:"):
            duration_s = Fraction(line.removeprefix("#EXTINF:").removesuffix(","))
            assert math.floor(duration_s + Fraction(1, 2)) <= target_s, f"{path}: § 4.3.3.1"
        elif line.startswith("#EXT-X-BYTERANGE:"):
            size, _, offset = line.removeprefix("#EXT-X-BYTERANGE:").partition("@")
            assert offset == "0", path
            length = int(size)
        elif not line.startswith("#"):
            assert duration_s > 0, f"{path}: {line} has no EXTINF"
            entries.append(Entry(line, duration_s, length))
            duration_s, length = Fraction(0), None
    assert entries, path
    assert len({entry.uri for entry in entries}) == len(entries), path
    playlist = Playlist(path, target_s, "#EXT-X-I-FRAMES-ONLY" in lines, tuple(entries))
    _check_version(playlist, tags)
    return playlist


def _check_version(playlist: Playlist, tags: dict[str, str]) -> None:
    """§ 7; MPEG-TS is for players that know the older versions only."""
    path, version = playlist.path, int(tags["#EXT-X-VERSION"])
    mapped = attributes(f"x:{tags['#EXT-X-MAP']}") if "#EXT-X-MAP" in tags else {}
    assert mapped == ({"URI": "init.mp4"} if has_map(playlist) else {}), path
    if has_map(playlist):
        assert version >= 6, f"{path}: EXT-X-MAP needs version 6, § 7"
    elif playlist.entries[0].uri.endswith(".ts"):
        assert version == (4 if playlist.iframes_only else 3), path


def _track(read: Read, path: str, scratch: Path) -> Track:
    playlist = read_playlist(read, path)
    assert not playlist.iframes_only, path
    folder = path.rpartition("/")[0]
    contents = [read(f"{folder}/{entry.uri}") for entry in playlist.entries]
    if has_map(playlist):
        fragments = tuple(read_fragment(content) for content in contents)
        init = read_init(read(f"{folder}/init.mp4"))
    else:
        init, fragments = transport.read_track(contents, scratch)
    track = Track(playlist, init, fragments, tuple(len(content) for content in contents))
    _check_timeline(track)
    if has_map(playlist):
        check_samples(path, read(f"{folder}/init.mp4"), contents, fragments, track.sample_rate)
    return track


def _text_track(read: Read, path: str, zero: int) -> TextTrack:
    """§ 3.5: every segment has all cues that are shown in it, and is itself a WebVTT file."""
    playlist = read_playlist(read, path)
    folder = path.rpartition("/")[0]
    contents = [read(f"{folder}/{entry.uri}") for entry in playlist.entries]
    whole = webvtt.read(read(f"{folder}/subtitles.vtt"))
    assert whole.mpegts is None
    begin_s = Fraction(0)
    for entry, content in zip(playlist.entries, contents, strict=True):
        text, end_s = webvtt.read(content), begin_s + entry.duration_s
        assert text.mpegts == zero, f"{folder}/{entry.uri}"
        shown = [cue for cue in whole.cues if cue.begin_s < end_s and cue.end_s > begin_s]
        assert list(text.cues) == shown, f"{folder}/{entry.uri} has other cues than are shown"
        begin_s = end_s
    assert all(cue.begin_s < begin_s for cue in whole.cues), path
    return TextTrack(playlist, whole.cues, tuple(len(content) for content in contents))


def _check_text_grid(text: TextTrack, video: Track) -> None:
    path = text.playlist.path
    assert text.playlist.target_s == video.playlist.target_s, path
    assert [entry.duration_s for entry in text.playlist.entries] == [
        entry.duration_s for entry in video.playlist.entries
    ], path


def _check_timeline(track: Track) -> None:
    """Shown from zero on without a gap; every segment begins with a sync sample, and its duration
    is the one the playlist states."""
    expected = Fraction(0)
    decode_time = track.fragments[0].decode_time
    for number, (begin, duration) in enumerate(zip(track.begins, track.durations, strict=True)):
        where = f"{track.playlist.path}, segment {number}"
        fragment = track.fragments[number]
        assert begin == expected, f"{where} begins at {begin}, not {expected}"
        assert fragment.decode_time == decode_time, f"{where}: decode times are not continuous"
        assert fragment.sync[0], f"{where} begins with no key frame"
        stated = track.playlist.entries[number].duration_s
        assert abs(stated - duration) <= _EXTINF_ROUNDING_S, f"{where} lasts {duration}"
        assert track.sizes[number] == fragment.data_at + sum(fragment.sizes), where
        expected += duration
        decode_time += sum(fragment.durations)


def _check_aligned(video: Sequence[Track], audio: Sequence[Track]) -> None:
    """§ 6.2.4: renditions have the same segments, and one target duration goes for all."""
    assert video, "there is no variant"
    for track in video[1:]:
        assert track.begins == video[0].begins, track.playlist.path
        assert track.durations == video[0].durations, track.playlist.path
    targets = {track.playlist.target_s for track in [*video, *audio]}
    assert len(targets) == 1, f"target durations {targets}"


def peak_bps(sizes: Sequence[int], durations: Sequence[Fraction], target_s: int) -> Fraction:
    """§ 4.1: the largest rate of a run of segments that lasts 0.5 to 1.5 target durations."""
    rates: list[Fraction] = []
    for first in range(len(sizes)):
        for last in range(first + 1, len(sizes) + 1):
            length_s = sum(durations[first:last], Fraction(0))
            if 2 * length_s > 3 * target_s:
                break
            if 2 * length_s >= target_s:
                rates.append(8 * sum(sizes[first:last]) / length_s)
    return max(rates) if rates else average_bps(sizes, durations)


def average_bps(sizes: Sequence[int], durations: Sequence[Fraction]) -> Fraction:
    return 8 * sum(sizes) / sum(durations, Fraction(0))


def _peak_of(track: Track | TextTrack) -> Fraction:
    return peak_bps(track.sizes, track.durations, track.playlist.target_s)


def _check_variant(
    tags: dict[str, str], track: Track, audio: Sequence[Track], texts: Sequence[TextTrack]
) -> None:
    """§ 4.3.4.2"""
    path = track.playlist.path
    peak, average = _peak_of(track), average_bps(track.sizes, track.durations)
    for others in (audio, texts):
        peak += max((_peak_of(each) for each in others), default=Fraction(0))
        average += max(
            (average_bps(each.sizes, each.durations) for each in others), default=Fraction(0)
        )
    _check_rates(path, tags, peak, average)
    codecs = {track.init.codecs, *(each.init.codecs for each in audio)}
    assert set(tags["CODECS"].split(",")) == codecs, f"{path}: {tags['CODECS']}, not {codecs}"
    assert tags["RESOLUTION"] == f"{track.init.width}x{track.init.height}", path
    assert abs(Fraction(tags["FRAME-RATE"]) - track.sample_rate) <= Fraction(1, 2000), path
    assert ("AUDIO" in tags) == bool(audio), path
    assert ("SUBTITLES" in tags) == bool(texts), path


def _check_rates(path: str, tags: dict[str, str], peak: Fraction, average: Fraction) -> None:
    assert int(tags["BANDWIDTH"]) >= peak, f"{path}: BANDWIDTH below {math.ceil(peak)}"
    stated = int(tags["AVERAGE-BANDWIDTH"])
    assert abs(stated / average - 1) <= _AVERAGE_TOLERANCE, f"{path}: {stated}, not {average}"


def _check_iframe_streams(
    read: Read, streams: Sequence[dict[str, str]], video: dict[str, Track], scratch: Path
) -> None:
    """§ 4.3.3.6, § 4.3.4.3: one for every variant."""
    expected = {path.replace("index.m3u8", "iframes.m3u8"): path for path in video}
    assert sorted(tags["URI"] for tags in streams) == sorted(expected)
    for tags in streams:
        track = video[expected[tags["URI"]]]
        playlist = read_playlist(read, tags["URI"])
        assert playlist.iframes_only, tags["URI"]
        assert playlist.target_s == track.playlist.target_s, tags["URI"]
        assert [(entry.uri, entry.duration_s) for entry in playlist.entries] == [
            (entry.uri, entry.duration_s) for entry in track.playlist.entries
        ], tags["URI"]
        sizes = [entry.range_bytes or 0 for entry in playlist.entries]
        _check_ranges(playlist, track, sizes)
        _check_pictures(read, playlist, scratch)
        peak = peak_bps(sizes, track.durations, playlist.target_s)
        _check_rates(tags["URI"], tags, peak, average_bps(sizes, track.durations))
        assert tags["CODECS"] == track.init.codecs, tags["URI"]
        assert tags["RESOLUTION"] == f"{track.init.width}x{track.init.height}", tags["URI"]


def _check_ranges(playlist: Playlist, track: Track, sizes: Sequence[int]) -> None:
    """A range ends with the segment's first sample."""
    for entry, size, fragment in zip(playlist.entries, sizes, track.fragments, strict=True):
        end = fragment.data_at + fragment.sizes[0]
        assert size == end, f"{playlist.path}: {entry.uri} up to {size}, not {end}"


def _check_pictures(read: Read, playlist: Playlist, scratch: Path) -> None:
    """Each range with the init segment decodes to exactly one picture."""
    folder = playlist.path.rpartition("/")[0]
    init = read(f"{folder}/init.mp4") if has_map(playlist) else b""
    for entry in playlist.entries:
        cut = scratch / "iframe"
        cut.write_bytes(init + read(f"{folder}/{entry.uri}")[: entry.range_bytes])
        assert decoded_pictures(cut) == ["I"], f"{playlist.path}: {entry.uri}"


def decoded_pictures(path: Path) -> list[str]:
    """Types of the pictures that ffprobe decodes."""
    command = ["ffprobe", "-v", "fatal", "-threads", "1", "-select_streams", "v"]
    command += ["-show_entries", "frame=pict_type", "-of", "csv=p=0", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [line.strip(",") for line in done.stdout.split()]
