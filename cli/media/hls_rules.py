"""The rules an HLS package has to keep, as its playlists and the sizes of its files show: RFC 8216
(§ …) and Apple's "HLS Authoring Specification for Apple Devices". Each breach names its rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cli.media import hls_text
from cli.media.hls_text import APPLE, Breach, Master, Tags

_OFF_PART = 0.1
"""Of the rate that a playlist promises, so much may the measured one be off (Apple)."""
_ONLY_IN_MP4 = ("hvc1", "hev1", "dvh1", "dvhe", "av01")


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment or an init file: a file, or a range of its bytes."""

    path: Path
    duration_s: float
    size_bytes: int
    begin_byte: int = 0

    @property
    def end_byte(self) -> int:
        return self.begin_byte + self.size_bytes

    def content(self) -> bytes:
        with self.path.open("rb") as opened:
            opened.seek(self.begin_byte)
            return opened.read(self.size_bytes)


@dataclass(slots=True)
class Playlist:
    """A media playlist, as far as it could be read."""

    name: str
    root: Path
    """The package's folder; nothing outside of it is read."""
    target_s: int = 0
    init: Segment | None = None
    iframes_only: bool = False
    segments: list[Segment] = field(default_factory=list)

    @property
    def peak_bps(self) -> float:
        """RFC 8216 4.1: of any run of segments of half to one and a half target durations; of
        all that there is, where that is shorter."""
        peaks = (_run_peak(self, start) for start in range(len(self.segments)))
        return max(peaks, default=0.0) or self.average_bps

    @property
    def average_bps(self) -> float:
        total_s = sum(segment.duration_s for segment in self.segments)
        return sum(segment.size_bytes for segment in self.segments) * 8 / total_s if total_s else 0


def _run_peak(playlist: Playlist, start: int) -> float:
    size, length_s, peak = 0, 0.0, 0.0
    for segment in playlist.segments[start:]:
        size += segment.size_bytes
        length_s += segment.duration_s
        if length_s > 1.5 * playlist.target_s:
            break
        if length_s >= 0.5 * playlist.target_s:
            peak = max(peak, size * 8 / length_s)
    return peak


def check(master: Path) -> tuple[list[Breach], dict[str, Playlist]]:
    """All breaches of a package, and its media playlists by their names."""
    breaches: list[Breach] = []
    lines = _lines(master, master.name, breaches)
    if not hls_text.is_master(lines):
        breaches.clear()  # the same again
        return breaches, {master.name: _media(master.parent, master.name, breaches)}
    found = hls_text.master(lines)
    names = [uri for uri, _ in found.variants]
    names += [it.get("URI", "") for it in [*found.media, *found.iframes]]
    playlists = {
        name: _media(master.parent, name, breaches) for name in dict.fromkeys(filter(None, names))
    }
    breaches += _check_named(master.name, found)
    for uri, tags in found.variants:
        breaches += _check_variant(master.name, uri, tags, found, playlists)
    for tags in found.iframes:
        if "URI" in tags:
            breaches += _check_rates(master.name, tags["URI"], tags, [[playlists[tags["URI"]]]])
    breaches += _check_aligned([playlists[uri] for uri, _ in found.variants])
    return breaches, playlists


def _lines(path: Path, name: str, breaches: list[Breach]) -> list[str]:
    """Of a playlist whose text is checked."""
    try:
        content = path.read_bytes()
    except OSError as error:
        breaches.append(Breach(name, "§ 4.1", f"it cannot be read: {error.strerror}"))
        return []
    lines, found = hls_text.check(name, content)
    breaches += found
    return lines


def _check_named(name: str, found: Master) -> Iterator[Breach]:
    if not found.variants:
        yield Breach(name, "§ 4.3.4.2", "it names no variant")
    if not found.iframes and any("RESOLUTION" in tags for _, tags in found.variants):
        yield Breach(name, APPLE, "it has no I-frame playlists, for fast seeking")


def _check_variant(
    name: str, uri: str, tags: Tags, found: Master, playlists: Mapping[str, Playlist]
) -> Iterator[Breach]:
    together = [[playlists[uri]]]
    for kind in ("AUDIO", "SUBTITLES"):
        group = found.group(kind, tags) if kind in tags else []
        named = [playlists[it["URI"]] for it in group if it.get("URI")]
        together += [named] if named else []
    yield from _check_rates(name, uri, tags, together)
    codecs = tags.get("CODECS", "").split(",")
    foreign = [it for it in codecs if it.strip().startswith(_ONLY_IN_MP4)]
    if foreign and playlists[uri].segments and playlists[uri].init is None:
        yield Breach(name, APPLE, f"{uri}: {foreign[0]} in other than fragmented MP4")


def _check_rates(
    name: str, uri: str, tags: Tags, together: Sequence[Sequence[Playlist]]
) -> Iterator[Breach]:
    """What is promised of playlists that are played together, one of each group."""
    peak = sum(max(it.peak_bps for it in group) for group in together)
    average = sum(max(it.average_bps for it in group) for group in together)
    yield from _check_rate(name, uri, "BANDWIDTH", tags, peak)
    yield from _check_rate(name, uri, "AVERAGE-BANDWIDTH", tags, average)


def _check_rate(name: str, uri: str, key: str, tags: Tags, measured_bps: float) -> Iterator[Breach]:
    """§ 4.3.4.2: an upper bound; Apple: no more than a tenth off."""
    if key not in tags:
        return
    promised = float(tags[key]) if tags[key].isdigit() else 0.0
    told = f"{uri}: {key} is {promised:.0f}, measured are {measured_bps:.0f}"
    if key == "BANDWIDTH" and promised < measured_bps * 0.999:
        yield Breach(name, "§ 4.3.4.2", told)
    elif measured_bps and abs(promised - measured_bps) > _OFF_PART * measured_bps:
        yield Breach(name, APPLE, told)


def _media(folder: Path, name: str, breaches: list[Breach]) -> Playlist:
    """One media playlist with what it names."""
    path = _below(folder, name, folder)
    lines = _lines(path, name, breaches)
    playlist = Playlist(name, folder, iframes_only="#EXT-X-I-FRAMES-ONLY" in lines)
    if lines and not any(line.startswith("#EXTINF:") for line in lines):
        breaches.append(Breach(name, "§ 4.3.2.1", "there is no #EXTINF"))
    _read_entries(path.parent, lines, playlist, breaches)
    return playlist


def _read_entries(
    folder: Path, lines: Sequence[str], playlist: Playlist, breaches: list[Breach]
) -> None:
    duration_s: float | None = None
    wanted: str | None = None
    for line in lines:
        if line.startswith("#EXT-X-TARGETDURATION:"):
            playlist.target_s = _whole(line)
        elif line.startswith("#EXTINF:"):
            duration_s = _number(line)
            if int(duration_s + 0.5) > playlist.target_s:
                message = f"a segment of {duration_s:g} s, above the target duration"
                breaches.append(Breach(playlist.name, "§ 4.3.3.1", message))
        elif line.startswith("#EXT-X-BYTERANGE:"):
            wanted = line.partition(":")[2]
        elif line.startswith("#EXT-X-MAP:"):
            playlist.init = _init(folder, line, playlist, breaches)
        elif not line.startswith("#"):
            path = _below(folder, line, playlist.root)
            segment = None
            if duration_s is not None:
                segment = _segment(path, line, duration_s, wanted, playlist, breaches)
            if segment is not None:
                playlist.segments.append(segment)
            duration_s = wanted = None


def _init(folder: Path, line: str, playlist: Playlist, breaches: list[Breach]) -> Segment | None:
    """§ 4.3.2.5"""
    name = playlist.name
    tags = hls_text.attributes(line)
    uri = tags.get("URI", "")
    path = _below(folder, uri, playlist.root)
    if not path.is_file():
        breaches.append(Breach(name, "§ 4.3.2.5", f"{uri} is missing"))
        return None
    size = path.stat().st_size
    begin, count = _range(tags.get("BYTERANGE"), size, 0, uri, name, breaches)
    return Segment(path, 0.0, count, begin)


def _segment(
    path: Path,
    uri: str,
    duration_s: float,
    wanted: str | None,
    playlist: Playlist,
    breaches: list[Breach],
) -> Segment | None:
    if not path.is_file():
        breaches.append(Breach(playlist.name, "§ 6.2.1", f"{uri} is missing"))
        return None
    size = path.stat().st_size
    if size == 0:
        breaches.append(Breach(playlist.name, "§ 6.2.1", f"{uri} is empty"))
    last = playlist.segments[-1] if playlist.segments else None
    following = last.end_byte if last and last.path == path else None
    begin, count = _range(wanted, size, following, uri, playlist.name, breaches)
    return Segment(path, duration_s, count, begin)


def _range(
    wanted: str | None,
    size: int,
    following: int | None,
    uri: str,
    name: str,
    breaches: list[Breach],
) -> tuple[int, int]:
    """§ 4.3.2.2: first byte and count of `N@O`, or of `N` behind the range before it.

    Args:
        wanted: None: the whole file of `size` bytes.
        following: where the range before it ended, if it is of the same file.
    """
    if wanted is None:
        return 0, size
    found = re.fullmatch(r"(\d+)(?:@(\d+))?", wanted)
    begin = int(found[2]) if found and found[2] else following
    if found is None or begin is None:
        breaches.append(Breach(name, "§ 4.3.2.2", f"{wanted} is no range of {uri}"))
        return 0, size
    if begin + int(found[1]) > size:
        breaches.append(Breach(name, "§ 4.3.2.2", f"a range beyond the end of {uri}"))
    return begin, int(found[1])


def _check_aligned(variants: Sequence[Playlist]) -> Iterator[Breach]:
    """§ 6.2.4: matching content, so that a player may switch at any segment."""
    for other in variants[1:]:
        first = [round(it.duration_s, 2) for it in variants[0].segments]
        if [round(it.duration_s, 2) for it in other.segments] != first:
            message = f"its segments are not those of {variants[0].name}"
            yield Breach(other.name, "§ 6.2.4", message)


def _below(folder: Path, uri: str, root: Path) -> Path:
    """A file of the package; of another host, or outside of its folder, one that is not there."""
    parts = urlsplit(uri)
    if parts.scheme or parts.netloc or not parts.path:
        return root / "_elsewhere_"
    path = folder / unquote(parts.path)
    inside = path.resolve().is_relative_to(root.resolve())
    return path if inside else root / "_elsewhere_"


def _number(line: str) -> float:
    try:
        return float(line.partition(":")[2].partition(",")[0])
    except ValueError:
        return 0.0


def _whole(line: str) -> int:
    return int(_number(line))
