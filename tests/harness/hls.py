"""A small strict reader of HLS playlists, written from RFC 8216 and independent of the product."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from urllib.parse import urljoin

import requests

ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


@dataclass(frozen=True)
class Segment:
    url: str
    duration_s: float


@dataclass(frozen=True)
class MediaPlaylist:
    url: str
    kind: str
    target_duration_s: int
    ended: bool
    init_url: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Variant:
    url: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class MasterPlaylist:
    variants: tuple[Variant, ...]
    audio: tuple[dict[str, str], ...]
    subtitles: tuple[dict[str, str], ...]


def attributes(line: str) -> dict[str, str]:
    """RFC 8216 §4.2."""
    return {name: value.strip('"') for name, value in ATTRIBUTE.findall(line.partition(":")[2])}


def _fetch(url: str) -> list[str]:
    response = requests.get(url, timeout=30)
    assert response.status_code == 200, f"{url}: {response.status_code}"
    assert response.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    lines = response.text.splitlines()
    assert lines[0] == "#EXTM3U", "RFC 8216 §4.3.1.1"
    return lines


def read_master(url: str) -> MasterPlaylist:
    lines = _fetch(url)
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in lines
    variants = [
        Variant(urljoin(url, following), attributes(line))
        for line, following in itertools.pairwise(lines)
        if line.startswith("#EXT-X-STREAM-INF:")
    ]
    media = [attributes(line) for line in lines if line.startswith("#EXT-X-MEDIA:")]
    for rendition in media:
        rendition["URI"] = urljoin(url, rendition["URI"])
    audio = tuple(rendition for rendition in media if rendition["TYPE"] == "AUDIO")
    subtitles = tuple(rendition for rendition in media if rendition["TYPE"] == "SUBTITLES")
    return MasterPlaylist(tuple(variants), audio, subtitles)


def read_media(url: str) -> MediaPlaylist:
    lines = _fetch(url)
    tags = {
        name: value for name, _, value in (line.partition(":") for line in lines if line[:1] == "#")
    }
    assert int(tags["#EXT-X-VERSION"]) >= 6, "EXT-X-MAP in a media playlist, RFC 8216 §7"
    target = int(tags["#EXT-X-TARGETDURATION"])
    segments = []
    for line, following in itertools.pairwise(lines):
        if line.startswith("#EXTINF:"):
            duration = float(line.removeprefix("#EXTINF:").split(",")[0])
            # RFC 8216 §4.3.3.1: rounded to the nearest integer, at most the target duration.
            assert math.floor(duration + 0.5) <= target, line
            segments.append(Segment(urljoin(url, following), duration))
    return MediaPlaylist(
        url=url,
        kind=tags["#EXT-X-PLAYLIST-TYPE"],
        target_duration_s=target,
        ended="#EXT-X-ENDLIST" in tags,
        init_url=urljoin(url, attributes(f"x:{tags['#EXT-X-MAP']}")["URI"]),
        segments=tuple(segments),
    )
