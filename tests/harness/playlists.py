"""Rules of one playlist's text, from RFC 8216 (§ …) and Apple's HLS authoring specification."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

MASTER_TAGS = {"MEDIA", "STREAM-INF", "I-FRAME-STREAM-INF", "SESSION-DATA", "SESSION-KEY"}
"""§ 4.3.4, without EXT-X-."""
MEDIA_TAGS = {"TARGETDURATION", "MEDIA-SEQUENCE", "DISCONTINUITY-SEQUENCE", "ENDLIST"} | {
    *("PLAYLIST-TYPE", "I-FRAMES-ONLY", "BYTERANGE", "DISCONTINUITY", "KEY", "MAP"),
    *("PROGRAM-DATE-TIME", "DATERANGE"),
}
"""§ 4.3.2, § 4.3.3."""
COMMON_TAGS = {"VERSION", "INDEPENDENT-SEGMENTS", "START"}
"""§ 4.3.1, § 4.3.5."""
ONCE = {"VERSION", "INDEPENDENT-SEGMENTS", "START", "TARGETDURATION", "MEDIA-SEQUENCE"} | {
    *("DISCONTINUITY-SEQUENCE", "ENDLIST", "PLAYLIST-TYPE", "I-FRAMES-ONLY"),
}
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
_INTEGER, _NUMBER, _QUOTED = r"\d{1,20}", r"\d+(\.\d+)?", r'"[^"]*"'
VALUES = {
    "BANDWIDTH": _INTEGER,
    "AVERAGE-BANDWIDTH": _INTEGER,
    "RESOLUTION": r"\d+x\d+",
    "FRAME-RATE": r"\d+\.\d{3}",
    "DEFAULT": "YES|NO",
    "AUTOSELECT": "YES|NO",
    "FORCED": "YES|NO",
    "TYPE": "AUDIO|VIDEO|SUBTITLES|CLOSED-CAPTIONS",
    "CLOSED-CAPTIONS": f"NONE|{_QUOTED}",
} | dict.fromkeys(
    ("CODECS", "AUDIO", "SUBTITLES", "GROUP-ID", "NAME", "LANGUAGE", "URI", "CHANNELS"), _QUOTED
)
"""§ 4.2: how the value of each attribute is written."""
APPLE_WANTS = ("AVERAGE-BANDWIDTH", "CODECS", "RESOLUTION", "FRAME-RATE")
"""On every variant (Apple, "Master Playlist")."""


def check_text(path: str, content: bytes) -> list[str]:
    """The rules of every playlist; its lines."""
    text = content.decode("utf-8")
    assert not text.startswith("\ufeff"), f"{path}: § 4.1, a byte order mark"
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]", text), f"{path}: § 4.1, control"
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "#EXTM3U", f"{path}: § 4.3.1.1"
    assert not any(line != line.strip() for line in lines), f"{path}: § 4.1, white space"
    tags = tag_names(lines)
    _check_tags(path, tags)
    for line in lines:
        if re.match(r"#EXT-X-(MAP|MEDIA|STREAM-INF|I-FRAME-STREAM-INF):", line):
            _check_attributes(path, line)
    if MASTER_TAGS & set(tags):
        _check_master(path, lines)
    else:
        _check_media(path, lines)
    return lines


def tag_names(lines: Iterable[str]) -> list[str]:
    return [
        line.partition(":")[0].removeprefix("#EXT-X-") for line in lines if line[:7] == "#EXT-X-"
    ]


def _check_tags(path: str, tags: Sequence[str]) -> None:
    for tag in tags:
        assert tag in MASTER_TAGS | MEDIA_TAGS | COMMON_TAGS, f"{path}: no tag of RFC 8216: {tag}"
    mixed = set(tags) & MASTER_TAGS and set(tags) & MEDIA_TAGS
    assert not mixed, f"{path}: § 4.1, tags of both kinds of playlist"
    for tag, count in Counter(tags).items():
        assert count == 1 or tag not in ONCE, f"{path}: § 4.3, {tag} {count} times"


def _check_attributes(path: str, line: str) -> None:
    """§ 4.2"""
    rest = line.partition(":")[2]
    pairs = _ATTRIBUTE.findall(rest)
    rebuilt = ",".join(f"{name}={value}" for name, value in pairs)
    assert rebuilt == rest, f"{path}: § 4.2, an attribute list: {line}"
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"{path}: § 4.2, an attribute twice: {line}"
    for name, value in pairs:
        assert re.fullmatch(VALUES.get(name, ".+"), value), f"{path}: § 4.2, {name}={value}"


def _check_master(path: str, lines: Sequence[str]) -> None:
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in lines, f"{path}: § 4.3.5.1"
    renditions: list[dict[str, str]] = []
    variants: list[tuple[str, dict[str, str]]] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        found = dict(_ATTRIBUTE.findall(line.partition(":")[2]))
        if line.startswith("#EXT-X-MEDIA:"):
            _check_rendition(path, found)
            renditions.append(found)
        elif line.startswith("#EXT-X-STREAM-INF:"):
            assert following[:1] not in ("", "#"), f"{path}: § 4.3.4.2, no URI follows {line}"
            variants.append((following, found))
        elif line.startswith("#EXT-X-I-FRAME-STREAM-INF:"):
            assert {"BANDWIDTH", "URI"} <= set(found), f"{path}: § 4.3.4.3: {line}"
            assert not {"FRAME-RATE", "AUDIO", "SUBTITLES"} & set(found), f"{path}: § 4.3.4.3"
        elif line[:1] != "#":
            known = [uri for uri, _ in variants]
            assert line in known, f"{path}: {line} follows no EXT-X-STREAM-INF"
    _check_variants(path, variants, renditions)


def _check_variants(
    path: str, variants: Sequence[tuple[str, dict[str, str]]], renditions: Sequence[dict[str, str]]
) -> None:
    """§ 4.3.4.2"""
    for uri, found in variants:
        for name in ("BANDWIDTH", *APPLE_WANTS):
            assert name in found, f"{path}: {uri}, a variant without {name}"
    offers = [(uri, found.get("AUDIO"), found.get("SUBTITLES")) for uri, found in variants]
    assert len(set(offers)) == len(offers), f"{path}: a variant twice"
    for kind in ("AUDIO", "SUBTITLES"):
        named = {found[kind] for _, found in variants if kind in found}
        defined = {found["GROUP-ID"] for found in renditions if found["TYPE"] == kind}
        where = f"{path}: § 4.3.4.2, {kind} groups of {[uri for uri, _ in variants]}"
        assert named == defined, f"{where}: {named}, not {defined}"


def _check_rendition(path: str, found: dict[str, str]) -> None:
    """§ 4.3.4.1"""
    assert {"TYPE", "GROUP-ID", "NAME"} <= set(found), f"{path}: § 4.3.4.1: {found}"
    preferred = found.get("DEFAULT") == "YES"
    assert not preferred or found.get("AUTOSELECT") == "YES", f"{path}: § 4.3.4.1, AUTOSELECT"
    assert "FORCED" not in found or found["TYPE"] == "SUBTITLES", f"{path}: § 4.3.4.1, FORCED"


def _check_media(path: str, lines: Sequence[str]) -> None:
    tags = tag_names(lines)
    assert "TARGETDURATION" in tags, f"{path}: § 4.3.3.1"
    _check_version(path, lines, set(tags))
    first = next((n for n, line in enumerate(lines) if line[:8] == "#EXTINF:"), len(lines))
    for tag in ("TARGETDURATION", "MEDIA-SEQUENCE", "PLAYLIST-TYPE", "MAP", "I-FRAMES-ONLY"):
        where = [n for n, line in enumerate(lines) if tag_names([line]) == [tag]]
        assert all(n < first for n in where), f"{path}: § 4.3.3, {tag} after a segment"
    waiting = False
    for line in lines:
        if line.startswith("#EXTINF:"):
            assert not waiting, f"{path}: § 4.3.2.1, two EXTINF for one segment"
            assert re.fullmatch(rf"#EXTINF:{_NUMBER},[^\n]*", line), f"{path}: § 4.3.2.1: {line}"
            waiting = True
        elif not line.startswith("#"):
            assert waiting, f"{path}: § 4.3.2.1, {line} has no EXTINF"
            waiting = False
    assert not waiting, f"{path}: § 4.3.2.1, an EXTINF without a segment"


def _check_version(path: str, lines: Sequence[str], tags: set[str]) -> None:
    """§ 7"""
    stated = next(
        (line for line in lines if line.startswith("#EXT-X-VERSION:")), "#EXT-X-VERSION:1"
    )
    version = int(stated.partition(":")[2])
    needed = 3 if any(re.match(r"#EXTINF:\d+\.", line) for line in lines) else 1
    if tags & {"BYTERANGE", "I-FRAMES-ONLY"}:
        needed = 4
    if "MAP" in tags:
        needed = 5 if "I-FRAMES-ONLY" in tags else 6
    assert version >= needed, f"{path}: § 7, version {version} where {needed} is needed"
