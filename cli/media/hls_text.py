"""The rules that a playlist's text alone can keep or break: RFC 8216 (§ …), and Apple's "HLS
Authoring Specification for Apple Devices". Each breach names its rule.

The tests judge what the pipeline makes by the same rules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

APPLE = "Apple's authoring specification"
MASTER_TAGS = {"MEDIA", "STREAM-INF", "I-FRAME-STREAM-INF", "SESSION-DATA", "SESSION-KEY"}
"""§ 4.3.4, without EXT-X-."""
MEDIA_TAGS = {"TARGETDURATION", "MEDIA-SEQUENCE", "DISCONTINUITY-SEQUENCE", "ENDLIST"} | {
    *("PLAYLIST-TYPE", "I-FRAMES-ONLY", "BYTERANGE", "DISCONTINUITY", "KEY", "MAP"),
    *("PROGRAM-DATE-TIME", "DATERANGE"),
}
"""§ 4.3.2, § 4.3.3."""
_ONCE = {"VERSION", "INDEPENDENT-SEGMENTS", "START", "TARGETDURATION", "MEDIA-SEQUENCE"} | {
    *("DISCONTINUITY-SEQUENCE", "ENDLIST", "PLAYLIST-TYPE", "I-FRAMES-ONLY"),
}
_WITH_ATTRIBUTES = re.compile(r"#EXT-X-(MAP|MEDIA|STREAM-INF|I-FRAME-STREAM-INF):")
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
_INTEGER, _NUMBER, _QUOTED = r"\d{1,20}", r"\d+(\.\d+)?", r'"[^"]*"'
_VALUES = {
    "BANDWIDTH": _INTEGER,
    "AVERAGE-BANDWIDTH": _INTEGER,
    "RESOLUTION": r"\d+x\d+",
    "FRAME-RATE": _NUMBER,
    "DEFAULT": "YES|NO",
    "AUTOSELECT": "YES|NO",
    "FORCED": "YES|NO",
    "TYPE": "AUDIO|VIDEO|SUBTITLES|CLOSED-CAPTIONS",
    "CLOSED-CAPTIONS": f"NONE|{_QUOTED}",
    "VIDEO-RANGE": "SDR|HLG|PQ",
    "LANGUAGE": r'"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"',
    "CHANNELS": r'"[1-9]\d*(/[^"]*)?"',
} | dict.fromkeys(("CODECS", "AUDIO", "SUBTITLES", "GROUP-ID", "NAME", "URI"), _QUOTED)
"""§ 4.2: how the value of each attribute is written; § 4.3.4.1 of languages (RFC 5646)."""
_WANTED_BY_APPLE = ("AVERAGE-BANDWIDTH", "CODECS", "FRAME-RATE", "RESOLUTION")
_NOT_OF_IFRAMES = {"FRAME-RATE", "AUDIO", "SUBTITLES", "CLOSED-CAPTIONS"}

Tags = Mapping[str, str]
_Found = Iterator[tuple[str, str]]
"""Rules, and what breaks them."""


@dataclass(frozen=True, slots=True)
class Breach:
    file: str
    """Below the package's folder."""
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}: {self.message}"


@dataclass(frozen=True, slots=True)
class Master:
    """What a master playlist names."""

    variants: Sequence[tuple[str, Tags]]
    """URI and attributes of each."""
    media: Sequence[Tags]
    iframes: Sequence[Tags]

    def group(self, kind: str, tags: Tags) -> list[Tags]:
        """The renditions of a type that a variant names."""
        found = [it for it in self.media if it.get("TYPE") == kind]
        return [it for it in found if it.get("GROUP-ID") == tags.get(kind)]


def check(name: str, content: bytes) -> tuple[list[str], list[Breach]]:
    """A playlist's lines, and what is wrong with them."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return [], [Breach(name, "§ 4.1", "it is not UTF-8")]
    lines = [line for line in re.split("\r?\n", text) if line]
    return lines, [Breach(name, rule, message) for rule, message in _found(text, lines)]


def is_master(lines: Iterable[str]) -> bool:
    return bool(MASTER_TAGS & set(tag_names(lines)))


def tag_names(lines: Iterable[str]) -> list[str]:
    """Without EXT-X-."""
    return [
        line.partition(":")[0].removeprefix("#EXT-X-") for line in lines if line[:7] == "#EXT-X-"
    ]


def attributes(line: str) -> dict[str, str]:
    """Of a tag, without quotation marks."""
    pairs = _ATTRIBUTE.findall(line.partition(":")[2])
    return {key: value.strip('"') for key, value in pairs}


def master(lines: Sequence[str]) -> Master:
    variants = [
        (uri, attributes(line))
        for line, uri in zip(lines, [*lines[1:], ""], strict=True)
        if line.startswith("#EXT-X-STREAM-INF:") and uri[:1] not in ("", "#")
    ]
    media = [attributes(line) for line in lines if line.startswith("#EXT-X-MEDIA:")]
    iframes = [attributes(line) for line in lines if line.startswith("#EXT-X-I-FRAME-STREAM-INF:")]
    return Master(variants, media, iframes)


def _found(text: str, lines: Sequence[str]) -> _Found:
    if text.startswith("\ufeff"):
        yield "§ 4.1", "it begins with a byte order mark"
    if re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]", text):
        yield "§ 4.1", "it has control characters"
    if any(line != line.strip() for line in lines):
        yield "§ 4.1", "a line begins or ends with white space"
    if lines[:1] != ["#EXTM3U"]:
        yield "§ 4.3.1.1", "its first line is not #EXTM3U"
    tags = tag_names(lines)
    if mixed := sorted(set(tags) & MEDIA_TAGS) if is_master(lines) else []:
        yield "§ 4.1", f"tags of both kinds of playlist: {', '.join(mixed)} in a master"
    for tag, count in Counter(tags).items():
        if count > 1 and tag in _ONCE:
            yield "§ 4.3", f"EXT-X-{tag} {count} times"
    for line in filter(_WITH_ATTRIBUTES.match, lines):
        yield from _attribute_list(line)
    yield from _of_master(lines) if is_master(lines) else _of_media(lines)


def _attribute_list(line: str) -> _Found:
    """§ 4.2"""
    rest = line.partition(":")[2]
    pairs = _ATTRIBUTE.findall(rest)
    if ",".join(f"{key}={value}" for key, value in pairs) != rest:
        yield "§ 4.2", f"no attribute list: {line}"
    if len({key for key, _ in pairs}) < len(pairs):
        yield "§ 4.2", f"an attribute twice: {line}"
    for key, value in pairs:
        if not re.fullmatch(_VALUES.get(key, ".+"), value):
            yield "§ 4.2", f"{key}={value}"


def _of_master(lines: Sequence[str]) -> _Found:
    found = master(lines)
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("#EXT-X-STREAM-INF:") and following[:1] in ("", "#"):
            yield "§ 4.3.4.2", f"no URI follows {line}"
    known = {uri for uri, _ in found.variants}
    for line in lines:
        if line[:1] != "#" and line not in known:
            yield "§ 4.3.4.2", f"{line} follows no EXT-X-STREAM-INF"
    if "#EXT-X-INDEPENDENT-SEGMENTS" not in lines:
        yield APPLE, "EXT-X-INDEPENDENT-SEGMENTS is missing"
    yield from _renditions(found.media)
    for uri, tags in found.variants:
        yield from _variant(uri, tags, found)
    yield from _iframes(found)


def _renditions(media: Sequence[Tags]) -> _Found:
    """§ 4.3.4.1, § 4.3.4.1.1"""
    seen: Counter[tuple[str, ...]] = Counter()
    for tags in media:
        yield from _rendition(tags)
        group = (tags.get("TYPE", ""), tags.get("GROUP-ID", ""))
        seen[(*group, "name", tags.get("NAME", ""))] += 1
        seen[(*group, "default")] += tags.get("DEFAULT") == "YES"
    for (_, group_id, what, *name), count in seen.items():
        if count > 1 and what == "name":
            yield "§ 4.3.4.1.1", f"the NAME {name[0]} is in group {group_id} {count} times"
        if count > 1 and what == "default":
            yield "§ 4.3.4.1.1", f"two defaults in group {group_id}"


def _rendition(tags: Tags) -> _Found:
    """§ 4.3.4.1, § 4.3.4.2.1 of URI"""
    kind = tags.get("TYPE")
    name = tags.get("NAME", "without a name")
    wanted = ["TYPE", "GROUP-ID", "NAME"]
    wanted += ["CHANNELS"] if kind == "AUDIO" else []
    wanted += ["INSTREAM-ID"] if kind == "CLOSED-CAPTIONS" else []
    for each in wanted:
        if each not in tags:
            yield "§ 4.3.4.1", f"an EXT-X-MEDIA ({name}) without {each}"
    if kind == "SUBTITLES" and "URI" not in tags:
        yield "§ 4.3.4.2.1", f"subtitles ({name}) without URI"
    if kind == "CLOSED-CAPTIONS" and "URI" in tags:
        yield "§ 4.3.4.1", f"closed captions ({name}) with a URI"
    if tags.get("DEFAULT") == "YES" and tags.get("AUTOSELECT") == "NO":
        yield "§ 4.3.4.1", f"a default ({name}) that is not to be selected: AUTOSELECT"
    if "FORCED" in tags and kind != "SUBTITLES":
        yield "§ 4.3.4.1", f"FORCED for other than subtitles ({name})"


def _variant(uri: str, tags: Tags, found: Master) -> _Found:
    """§ 4.3.4.2"""
    if "BANDWIDTH" not in tags:
        yield "§ 4.3.4.2", f"{uri}: BANDWIDTH is missing"
    for wanted in _WANTED_BY_APPLE:
        if wanted not in tags:
            yield APPLE, f"{uri}: {wanted} is missing"
    for kind in ("AUDIO", "SUBTITLES"):
        if kind in tags and not found.group(kind, tags):
            yield "§ 4.3.4.2", f"{uri}: there is no group {tags[kind]} of {kind}"


def _iframes(found: Master) -> _Found:
    """§ 4.3.4.3"""
    for tags in found.iframes:
        for wanted in {"BANDWIDTH", "URI"} - tags.keys():
            yield "§ 4.3.4.3", f"an I-frame playlist without {wanted}"
        for foreign in _NOT_OF_IFRAMES & tags.keys():
            yield "§ 4.3.4.3", f"an I-frame playlist with {foreign}"


def _of_media(lines: Sequence[str]) -> _Found:
    tags = set(tag_names(lines))
    if "TARGETDURATION" not in tags:
        yield "§ 4.3.3.1", "there is no #EXT-X-TARGETDURATION"
    yield from _version(lines, tags)
    first = next((n for n, line in enumerate(lines) if line[:8] == "#EXTINF:"), len(lines))
    late = {"MEDIA-SEQUENCE", "DISCONTINUITY-SEQUENCE"} & set(tag_names(lines[first:]))
    for tag in sorted(late):
        yield "§ 4.3.3", f"EXT-X-{tag} after a segment"
    if "#EXT-X-PLAYLIST-TYPE:VOD" in lines and "ENDLIST" not in tags:
        yield "§ 6.2.1", "a VOD playlist without EXT-X-ENDLIST"
    yield from _durations(lines)


def _durations(lines: Sequence[str]) -> _Found:
    """§ 4.3.2.1"""
    waiting = False
    for line in lines:
        if line.startswith("#EXTINF:"):
            if waiting:
                yield "§ 4.3.2.1", "two EXTINF for one segment"
            if not re.fullmatch(rf"#EXTINF:{_NUMBER},.*", line):
                yield "§ 4.3.2.1", f"no duration: {line}"
            waiting = True
        elif not line.startswith("#"):
            if not waiting:
                yield "§ 4.3.2.1", f"{line} has no EXTINF"
            waiting = False
    if waiting:
        yield "§ 4.3.2.1", "an EXTINF without a segment"


def _version(lines: Sequence[str], tags: set[str]) -> _Found:
    """§ 7"""
    stated = [line.partition(":")[2] for line in lines if line.startswith("#EXT-X-VERSION:")]
    version = int(stated[0]) if stated and stated[0].isdigit() else 1
    needed = {"decimal EXTINF": 3} if any(re.match(r"#EXTINF:\d+\.", it) for it in lines) else {}
    needed |= {f"EXT-X-{tag}": 4 for tag in ("BYTERANGE", "I-FRAMES-ONLY") if tag in tags}
    needed |= {"EXT-X-MAP": 5 if "I-FRAMES-ONLY" in tags else 6} if "MAP" in tags else {}
    for what, least in needed.items():
        if version < least:
            yield "§ 7", f"version {version} where {least} is needed: {what}"
