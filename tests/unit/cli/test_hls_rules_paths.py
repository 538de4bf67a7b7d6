"""A package names files of its own: what it names beside them is not opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.media import hls_rules

MEDIA = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="{init}"
#EXTINF:4.000,
{segment}
#EXT-X-ENDLIST
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("not of the package")
    package = tmp_path / "package"
    (package / "720p").mkdir(parents=True)
    for name in ("init.mp4", "00000.m4s", "720p/00000.m4s"):
        (package / name).write_bytes(b"x")
    return package


def listed(package: Path, init: str, segment: str, name: str = "index.m3u8") -> list[str]:
    (package / name).write_text(MEDIA.format(init=init, segment=segment))
    breaches, playlists = hls_rules.check(package / name)
    opened = [str(part.path) for playlist in playlists.values() for part in playlist.segments]
    assert not any("secret" in path for path in opened)
    return [breach.message for breach in breaches]


@pytest.mark.parametrize(
    "uri",
    ["../secret", "%2e%2e/secret", "720p/../../secret", "file:///etc/passwd", "//host/x", "{out}"],
)
def test_file_is_missing_when_it_lies_outside_of_the_package(package: Path, uri: str) -> None:
    uri = uri.replace("{out}", str(package.parent / "secret"))
    assert listed(package, "init.mp4", uri) == [f"{uri} is missing"]
    assert listed(package, uri, "00000.m4s") == [f"{uri} is missing"]


def test_file_is_missing_when_a_link_of_the_package_leads_outside(package: Path) -> None:
    (package / "link").symlink_to(package.parent / "secret")
    assert listed(package, "init.mp4", "link") == ["link is missing"]


def test_file_is_found_when_it_lies_beside_the_playlists_folder(package: Path) -> None:
    assert listed(package, "init.mp4", "720p/../00000.m4s") == []
