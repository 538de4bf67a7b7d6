"""The rules an HLS package has to keep: RFC 8216 (§ …), and Apple's "HLS Authoring Specification
for Apple Devices" where a rule of it can be seen in the files. Each breach names its rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
_APPLE = "Apple's authoring specification"
_WANTED_BY_APPLE = ("AVERAGE-BANDWIDTH", "CODECS", "FRAME-RATE", "RESOLUTION")
_OFF_PART = 0.1
"""Of the rate that a playlist promises, so much may the measured one be off (Apple)."""
_OF_MEDIA = ("#EXTINF:", "#EXT-X-TARGETDURATION:", "#EXT-X-MAP:", "#EXT-X-BYTERANGE:")
_LEAST_VERSIONS = {"#EXT-X-BYTERANGE:": 4, "#EXT-X-I-FRAMES-ONLY": 4, "#EXT-X-MAP:": 6}


@dataclass(frozen=True, slots=True)
class Breach:
    file: str
    """Below the package's folder."""
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}: {self.message}"


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
        """RFC 8216 4.1: of any run of segments of half to one and a half target durations."""
        return max((_run_peak(self, start) for start in range(len(self.segments))), default=0.0)

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
    if any(line.startswith(_OF_MEDIA) for line in lines):
        alone = _media(master.parent, master.name, breaches)
        return breaches, {master.name: alone}
    playlists: dict[str, Playlist] = {}
    variants, media, iframes = _master_tags(lines, master.name, breaches)
    breaches += _check_media(master.name, media)
    names = [uri for uri, _ in variants] + [it.get("URI", "") for it in [*media, *iframes]]
    for name in dict.fromkeys(filter(None, names)):
        playlists[name] = _media(master.parent, name, breaches)
    for uri, tags in variants:
        breaches += _check_variant(master.name, uri, tags, media, playlists)
    breaches += _check_master(master.name, lines, variants, iframes)
    breaches += _check_aligned([playlists[uri] for uri, _ in variants])
    return breaches, playlists


def _lines(path: Path, name: str, breaches: list[Breach]) -> list[str]:
    """§ 4.1, § 4.3.1.1"""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        breaches.append(Breach(name, "§ 4.1", f"it cannot be read: {error.strerror}"))
        return []
    except UnicodeDecodeError:
        breaches.append(Breach(name, "§ 4.1", "it is not UTF-8"))
        return []
    if text.startswith("\ufeff"):
        breaches.append(Breach(name, "§ 4.1", "it begins with a byte order mark"))
    lines = [line for line in text.splitlines() if line]
    if not lines or lines[0] != "#EXTM3U":
        breaches.append(Breach(name, "§ 4.3.1.1", "its first line is not #EXTM3U"))
    return lines


def _attributes(line: str, name: str, breaches: list[Breach]) -> dict[str, str]:
    """§ 4.2"""
    rest = line.partition(":")[2]
    pairs = _ATTRIBUTE.findall(rest)
    if ",".join(f"{key}={value}" for key, value in pairs) != rest:
        breaches.append(Breach(name, "§ 4.2", f"no attribute list: {line}"))
    if len({key for key, _ in pairs}) < len(pairs):
        breaches.append(Breach(name, "§ 4.2", f"an attribute twice: {line}"))
    return {key: value.strip('"') for key, value in pairs}


_Tags = Mapping[str, str]


def _master_tags(
    lines: Sequence[str], name: str, breaches: list[Breach]
) -> tuple[list[tuple[str, _Tags]], list[_Tags], list[_Tags]]:
    """Variants with their playlists, renditions, I-frame playlists."""
    variants: list[tuple[str, _Tags]] = []
    media: list[_Tags] = []
    iframes: list[_Tags] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("#EXT-X-STREAM-INF:"):
            if following[:1] in ("", "#"):
                breaches.append(Breach(name, "§ 4.3.4.2", f"no playlist follows {line}"))
                continue
            variants.append((following, _attributes(line, name, breaches)))
        elif line.startswith("#EXT-X-MEDIA:"):
            media.append(_attributes(line, name, breaches))
        elif line.startswith("#EXT-X-I-FRAME-STREAM-INF:"):
            iframes.append(_attributes(line, name, breaches))
    return variants, media, iframes


def _check_media(name: str, media: Sequence[_Tags]) -> Iterator[Breach]:
    """§ 4.3.4.1, § 4.3.4.1.1"""
    seen: set[tuple[str, ...]] = set()
    defaults: set[tuple[str, str]] = set()
    for tags in media:
        for wanted in ("TYPE", "GROUP-ID", "NAME"):
            if wanted not in tags:
                yield Breach(name, "§ 4.3.4.1", f"an EXT-X-MEDIA without {wanted}")
        group = (tags.get("TYPE", ""), tags.get("GROUP-ID", ""))
        if (*group, tags.get("NAME", "")) in seen:
            yield Breach(name, "§ 4.3.4.1.1", f"the NAME {tags.get('NAME')} is in a group twice")
        seen.add((*group, tags.get("NAME", "")))
        if tags.get("DEFAULT") == "YES":
            if group in defaults:
                yield Breach(name, "§ 4.3.4.1.1", f"two defaults in group {group[1]}")
            if tags.get("AUTOSELECT") == "NO":
                yield Breach(name, "§ 4.3.4.1", "a default that is not to be selected")
            defaults.add(group)


def _check_master(
    name: str, lines: Sequence[str], variants: Sequence[tuple[str, _Tags]], iframes: Sequence[_Tags]
) -> Iterator[Breach]:
    if not variants:
        yield Breach(name, "§ 4.3.4.2", "it names no variant")
    if "#EXT-X-INDEPENDENT-SEGMENTS" not in lines:
        yield Breach(name, _APPLE, "EXT-X-INDEPENDENT-SEGMENTS is missing")
    if any("RESOLUTION" in tags for _, tags in variants) and not iframes:
        yield Breach(name, _APPLE, "it has no I-frame playlists, for fast seeking")
    for tags in iframes:
        for wanted in ("BANDWIDTH", "URI"):
            if wanted not in tags:
                yield Breach(name, "§ 4.3.4.3", f"an I-frame playlist without {wanted}")


def _check_variant(
    name: str,
    uri: str,
    tags: _Tags,
    media: Sequence[_Tags],
    playlists: Mapping[str, Playlist],
) -> Iterator[Breach]:
    for wanted in _WANTED_BY_APPLE:
        if wanted not in tags:
            yield Breach(name, _APPLE, f"{uri}: {wanted} is missing")
    peak, average = playlists[uri].peak_bps, playlists[uri].average_bps
    for kind in ("AUDIO", "SUBTITLES"):
        if kind not in tags:
            continue
        group = [it for it in media if it.get("TYPE") == kind and it.get("GROUP-ID") == tags[kind]]
        if not group:
            yield Breach(name, "§ 4.3.4.2", f"{uri}: there is no group {tags[kind]} of {kind}")
        named = [playlists[it["URI"]] for it in group if it.get("URI")]
        peak += max((it.peak_bps for it in named), default=0.0)
        average += max((it.average_bps for it in named), default=0.0)
    yield from _check_rate(name, uri, "BANDWIDTH", tags, peak)
    yield from _check_rate(name, uri, "AVERAGE-BANDWIDTH", tags, average)


def _check_rate(
    name: str, uri: str, key: str, tags: _Tags, measured_bps: float
) -> Iterator[Breach]:
    """§ 4.3.4.2: an upper bound; Apple: no more than a tenth off."""
    if key not in tags:
        if key == "BANDWIDTH":
            yield Breach(name, "§ 4.3.4.2", f"{uri}: BANDWIDTH is missing")
        return
    promised = float(tags[key]) if tags[key].isdigit() else 0.0
    told = f"{uri}: {key} is {promised:.0f}, measured are {measured_bps:.0f}"
    if key == "BANDWIDTH" and promised < measured_bps * 0.999:
        yield Breach(name, "§ 4.3.4.2", told)
    elif measured_bps and abs(promised - measured_bps) > _OFF_PART * measured_bps:
        yield Breach(name, _APPLE, told)


def _media(folder: Path, name: str, breaches: list[Breach]) -> Playlist:
    """One media playlist with what it names."""
    path = _below(folder, name, folder)
    lines = _lines(path, name, breaches)
    playlist = Playlist(name, folder, iframes_only="#EXT-X-I-FRAMES-ONLY" in lines)
    for key, rule in (("#EXT-X-TARGETDURATION:", "§ 4.3.3.1"), ("#EXTINF:", "§ 4.3.2.1")):
        if lines and not any(line.startswith(key) for line in lines):
            breaches.append(Breach(name, rule, f"there is no {key.strip(':')}"))
    version = max((_whole(line) for line in lines if line.startswith("#EXT-X-VERSION:")), default=1)
    for tag, least in _LEAST_VERSIONS.items():
        if version < least and any(line.startswith(tag) for line in lines):
            message = f"{tag.strip(':')} needs EXT-X-VERSION {least} at least"
            breaches.append(Breach(name, "§ 7", message))
    if "#EXT-X-PLAYLIST-TYPE:VOD" in lines and "#EXT-X-ENDLIST" not in lines:
        breaches.append(Breach(name, "§ 6.2.1", "a VOD playlist without EXT-X-ENDLIST"))
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
            if round(duration_s) > playlist.target_s:
                message = f"a segment of {duration_s:g} s, above the target duration"
                breaches.append(Breach(playlist.name, "§ 4.3.3.1", message))
        elif line.startswith("#EXT-X-BYTERANGE:"):
            wanted = line.partition(":")[2]
        elif line.startswith("#EXT-X-MAP:"):
            playlist.init = _init(folder, line, playlist, breaches)
        elif not line.startswith("#"):
            path = _below(folder, line, playlist.root)
            if duration_s is None:
                breaches.append(Breach(playlist.name, "§ 4.3.2.1", f"{line} has no EXTINF"))
            elif segment := _segment(path, line, duration_s, wanted, playlist, breaches):
                playlist.segments.append(segment)
            duration_s = wanted = None


def _init(folder: Path, line: str, playlist: Playlist, breaches: list[Breach]) -> Segment | None:
    """§ 4.3.2.5"""
    name = playlist.name
    tags = _attributes(line, name, breaches)
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
