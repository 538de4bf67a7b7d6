"""Rules of one playlist's text: those of `millrace verify`, and how the pipeline's are beyond."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cli.media import hls_text
from cli.media.hls_text import MASTER_TAGS, MEDIA_TAGS, tag_names

COMMON_TAGS = {"VERSION", "INDEPENDENT-SEGMENTS", "START"}
"""§ 4.3.1, § 4.3.5."""
FIRST = ("TARGETDURATION", "MEDIA-SEQUENCE", "PLAYLIST-TYPE", "MAP", "I-FRAMES-ONLY")
"""Before all segments."""


def check_text(path: str, content: bytes) -> list[str]:
    """The rules of every playlist; its lines."""
    lines, breaches = hls_text.check(path, content)
    for tag in tag_names(lines):
        assert tag in MASTER_TAGS | MEDIA_TAGS | COMMON_TAGS, f"{path}: no tag of RFC 8216: {tag}"
    assert not breaches, "\n".join(map(str, breaches))
    if hls_text.is_master(lines):
        _check_master(path, lines)
    else:
        _check_media(path, lines)
    return lines


def _check_master(path: str, lines: Sequence[str]) -> None:
    found = hls_text.master(lines)
    offers = [(uri, tags.get("AUDIO"), tags.get("SUBTITLES")) for uri, tags in found.variants]
    assert len(set(offers)) == len(offers), f"{path}: a variant twice"
    for uri, tags in found.variants:
        assert re.fullmatch(r"\d+\.\d{3}", tags["FRAME-RATE"]), f"{path}: § 4.2, FRAME-RATE: {uri}"
    for tags in found.media:
        assert tags.get("AUTOSELECT") == "YES", f"{path}: § 4.3.4.1, AUTOSELECT"
    for kind in ("AUDIO", "SUBTITLES"):
        named = {tags[kind] for _, tags in found.variants if kind in tags}
        defined = {tags["GROUP-ID"] for tags in found.media if tags["TYPE"] == kind}
        where = f"{path}: § 4.3.4.2, {kind} groups of {[uri for uri, _ in found.variants]}"
        assert named == defined, f"{where}: {named}, not {defined}"


def _check_media(path: str, lines: Sequence[str]) -> None:
    first = next((n for n, line in enumerate(lines) if line[:8] == "#EXTINF:"), len(lines))
    for tag in FIRST:
        assert tag not in tag_names(lines[first:]), f"{path}: § 4.3.3, {tag} after a segment"
