"""Rules of HLS that only decoding shows broken: what playlists promise, beside what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cli.media import hls_text, segments
from cli.media.facts import Facts, film
from cli.media.hls_rules import Playlist
from cli.media.hls_text import APPLE, Breach, Master, Tags

_EXTINF_OFF_S = 0.05
"""More than a picture is perceptible (§ 4.3.2.1)."""
_RATE_OFF_PART = Fraction(1, 100)
_RANGES = {"pq": "PQ", "hlg": "HLG", None: "SDR"}
_NAMES = {
    "h264": r"avc[13]\..*",
    "hevc": r"h(vc|ev)1\..*|dvh[1e]\..*",
    "av1": r"av01\..*",
    "vp9": r"vp09\..*",
    "aac": r"mp4a\.40\..*",
    "mp3": r"mp4a\.(40\.34|69|6[bB])",
    "ac3": r"ac-3|mp4a\.a5",
    "eac3": r"ec-3|mp4a\.a6",
    "opus": r"Opus|opus",
    "flac": r"fLaC|flac",
}
"""RFC 6381 of each codec, where the segments themselves do not tell more."""
_SOUND = r"(mp4a\.|ac-3|ec-3|opus|flac).*"
_OF_TEXTS = r"(stpp|wvtt).*"


@dataclass(frozen=True, slots=True)
class Measured:
    """A rendition as it decoded."""

    codecs: Sequence[str]
    """Patterns of their names in CODECS, one a track."""
    facts: Facts | None = None
    """None of sound alone."""
    channels: int | None = None
    in_mp4: bool = True

    @property
    def has_sound(self) -> bool:
        return self.facts is None or bool(self.facts["audio"])


def measured(playlist: Playlist, facts: Facts | None) -> Measured:
    """Args:
    facts: of all its segments behind each other; None if that is sound alone.
    """
    init = playlist.init.content() if playlist.init else None
    known = [re.escape(name) for name in segments.codecs(init)] if init else []
    found = [*facts["video"], *facts["audio"]] if facts else []
    told = [_NAMES.get(each["codec"], ".*") for each in found] or [_SOUND]
    missing = [name for name in told if not any(_alike(name, it) for it in known)]
    channels = segments.channels(init) if init else None
    return Measured([*known, *missing], facts, channels, init is not None)


def _alike(pattern: str, escaped: str) -> bool:
    return re.fullmatch(pattern, _plain(escaped)) is not None


def _plain(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern)


def lengths(playlist: Playlist) -> Iterator[Breach]:
    """§ 4.3.2.1: EXTINF is how long a segment is."""
    init = playlist.init.content() if playlist.init else None
    found = segments.lengths_s(init, (it.content() for it in playlist.segments))
    for number, (segment, length_s) in enumerate(zip(playlist.segments, found, strict=True)):
        if length_s is not None and abs(length_s - segment.duration_s) > _EXTINF_OFF_S:
            told = f"EXTINF {segment.duration_s:g}, but segment {number} lasts {length_s:.3f} s"
            yield Breach(playlist.name, "§ 4.3.2.1", told)


def check(name: str, lines: Sequence[str], found: Mapping[str, Measured]) -> Iterator[Breach]:
    """A master playlist's promises.

    Args:
        found: by the playlists' names; those that did not decode are missing.
    """
    master = hls_text.master(lines)
    for uri, tags in master.variants:
        if uri in found:
            yield from (Breach(name, *it) for it in _variant(uri, tags, master, found))
    for tags in master.media:
        if tags.get("TYPE") == "AUDIO" and tags.get("URI") in found:
            yield from (Breach(name, *it) for it in _channels(tags, found[tags["URI"]]))


def _variant(
    uri: str, tags: Tags, master: Master, found: Mapping[str, Measured]
) -> Iterator[tuple[str, str]]:
    own = found[uri]
    group = master.group("AUDIO", tags) if "AUDIO" in tags else []
    if any("URI" not in it for it in group) and not own.has_sound:
        yield "§ 4.3.4.2.1", f"{uri}: sound without URI, and none in it"
    heard = [found[it["URI"]] for it in group if it.get("URI") in found]
    yield from _codecs(uri, tags, [own, *heard])
    pictures = film(own.facts) if own.facts else None
    if pictures is not None:
        yield from _pictures(uri, tags, pictures)
        if pictures["codec"] == "hevc" and not own.in_mp4:
            yield APPLE, f"{uri}: HEVC in other than fragmented MP4"


def _codecs(uri: str, tags: Tags, parts: Sequence[Measured]) -> Iterator[tuple[str, str]]:
    """§ 4.3.4.2: those of all tracks, and no others."""
    if "CODECS" not in tags:
        return
    stated = [it.strip() for it in tags["CODECS"].split(",")]
    wanted = list(dict.fromkeys(name for part in parts for name in part.codecs))
    told = f"{uri}: CODECS {tags['CODECS']}"
    for pattern in wanted:
        if not any(re.fullmatch(pattern, it, re.IGNORECASE) for it in stated):
            yield "§ 4.3.4.2", f"{told} without {_plain(pattern)}"
    for it in stated:
        if not any(re.fullmatch(pattern, it, re.IGNORECASE) for pattern in [*wanted, _OF_TEXTS]):
            yield "§ 4.3.4.2", f"{told}, but nothing is {it}"


def _pictures(uri: str, tags: Tags, pictures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sizes = [f"{pictures['width']}x{pictures['height']}"]
    sizes += [f"{pictures['display_width']}x{pictures['display_height']}"]
    if tags.get("RESOLUTION", sizes[0]) not in sizes:
        yield "§ 4.3.4.2", f"{uri}: RESOLUTION {tags['RESOLUTION']}, but it is {sizes[0]}"
    rate = pictures["avg_frame_rate"]
    stated = _fraction(tags.get("FRAME-RATE"))
    if stated and rate["num"] and rate["den"] and not pictures["variable_frame_rate"]:
        real = Fraction(rate["num"], rate["den"])
        if abs(stated - real) > real * _RATE_OFF_PART:
            yield "§ 4.3.4.2", f"{uri}: FRAME-RATE {float(stated):g}, but it is {float(real):.3f}"
    real_range = _RANGES[pictures["hdr"]]
    if tags.get("VIDEO-RANGE", "SDR") != real_range:
        told = tags.get("VIDEO-RANGE", "none, which means SDR")
        yield APPLE, f"{uri}: VIDEO-RANGE {told}, but it is {real_range}"


def _channels(tags: Tags, rendition: Measured) -> Iterator[tuple[str, str]]:
    stated = tags.get("CHANNELS", "").partition("/")[0]
    if stated.isdigit() and rendition.channels not in (None, int(stated)):
        yield "§ 4.3.4.1", f"{tags['URI']}: CHANNELS {stated}, but it has {rendition.channels}"


def _fraction(text: str | None) -> Fraction | None:
    return Fraction(text) if text and re.fullmatch(r"\d+(\.\d+)?", text) else None
