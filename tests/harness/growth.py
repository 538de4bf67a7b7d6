"""A video's playlists, looked at again and again while it is made and published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join
from urllib.parse import urljoin

import requests

from tests.harness.playlists import check_text

_URI = re.compile(r'URI="([^"]+)"')


@dataclass
class Growth:
    """The rules between one look and the next (RFC 8216, 6.2.1): segments are added and nothing is
    removed, the media sequence stays, and after the end nothing changes."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    """Of every playlist, as seen last."""

    def see(self, path: str, content: bytes) -> Iterator[str]:
        """Check one playlist. Gives the paths of the segments and init files that it names, unless
        it is as it was."""
        now, before = check_text(path, content), self.lines.get(path, [])
        if now == before:
            return
        old, new = ([line for line in each if line[:1] != "#"] for each in (before, now))
        assert new[: len(old)] == old, f"{path}: segments were removed"
        assert "#EXT-X-ENDLIST" not in before, f"{path}: changed after its end"
        self.lines[path] = now
        if not any("STREAM-INF" in line for line in now):
            assert "#EXT-X-MEDIA-SEQUENCE:0" in now, path
            yield from _named(path, now)

    def forget(self, path: str) -> None:
        """It was withdrawn."""
        del self.lines[path]

    def is_ended(self, path: str) -> bool:
        """Whether it is VOD with an end (else EVENT without)."""
        vod, ended = (
            line in self.lines[path] for line in ("#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-ENDLIST")
        )
        assert vod == ended, path
        assert vod != ("#EXT-X-PLAYLIST-TYPE:EVENT" in self.lines[path]), path
        return ended

    def media(self) -> list[str]:
        """Paths of all but the master playlist."""
        return [path for path in self.lines if path != "master.m3u8"]


@dataclass
class Watcher:
    """Looks at a video's playlists as players do, over HTTP."""

    master_url: str
    growth: Growth = field(default_factory=Growth)
    files: dict[str, str] = field(default_factory=dict)
    """ETags of all that was named so far."""
    segments_seen: list[int] = field(default_factory=list)
    """How many segments all playlists together named, whenever that changed."""

    def look(self) -> None:
        """Check what there is now; nothing, before the video is playable."""
        response = requests.get(self.master_url, timeout=30)
        if response.status_code == 404:
            assert not self.files, "the playlists are gone"
            return
        paths = ["master.m3u8", *_playlists(response.content.decode())]
        for path in paths:
            content = response.content if path == paths[0] else self._fetch(path)
            for name in list(self.growth.see(path, content)):
                self.files.setdefault(name, self._etag(name))
        if self.segments_seen[-1:] != [len(self.files)]:
            self.segments_seen.append(len(self.files))

    def check_end(self) -> None:
        """All is complete, and whatever was named on the way is as it was."""
        self.look()
        assert all(self.growth.is_ended(path) for path in self.growth.media())
        for name, etag in self.files.items():
            assert self._etag(name) == etag, f"{name} was published and has changed"

    def _fetch(self, path: str) -> bytes:
        response = requests.get(urljoin(self.master_url, path), timeout=30)
        assert response.status_code == 200, f"{path}: {response.status_code}"
        return response.content

    def _etag(self, path: str) -> str:
        response = requests.head(urljoin(self.master_url, path), timeout=30)
        assert response.status_code == 200, f"{path} is named and not there"
        return response.headers["ETag"]


def _named(path: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        uri = _URI.search(line) if line.startswith("#EXT-X-MAP:") else None
        name = uri[1] if uri else line
        if not name.startswith("#"):
            yield join(dirname(path), name)


def _playlists(master: str) -> list[str]:
    lines = master.splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    others = [_URI.search(line) for line in lines if line.startswith("#EXT-X-")]
    return list(dict.fromkeys([*named, *(uri[1] for uri in others if uri)]))
