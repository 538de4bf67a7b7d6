"""Unpacking: complete or not at all, and never outside its folder."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from local.executor.archive import CodeStore, UnsafeArchiveError, unpack

Entry = tuple[str, bytes, int]


def archive(*entries: Entry) -> io.BytesIO:
    """Entries are name, content, mode with its file type."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            target.writestr(info, content)
    file.seek(0)
    return file


def regular(name: str, content: bytes = b"x", mode: int = 0o644) -> Entry:
    return (name, content, stat.S_IFREG | mode)


def link(name: str, target: str) -> Entry:
    return (name, target.encode(), stat.S_IFLNK | 0o777)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    folder.mkdir()
    return folder


def test_files_are_there_with_their_modes_when_unpacked(folder: Path) -> None:
    given = archive(regular("a/b.py", b"1"), regular("bin/tool", b"2", 0o755), link("c", "a/b.py"))
    assert unpack(given, folder) == 2
    assert (folder / "a" / "b.py").read_bytes() == b"1"
    assert stat.S_IMODE((folder / "a" / "b.py").stat().st_mode) == 0o644
    assert stat.S_IMODE((folder / "bin" / "tool").stat().st_mode) == 0o755
    assert (folder / "c").readlink() == Path("a/b.py")


@pytest.mark.parametrize(
    "entries",
    [
        [regular("../evil")],
        [regular("a/../../evil")],
        [regular("/tmp/evil")],
        [regular("..\\evil")],
        [link("out", "..")],
        [link("out", "/etc")],
        [link("a", "b"), link("b", "..")],
        [("pipe", b"", stat.S_IFIFO | 0o644)],
    ],
)
def test_archive_is_refused_when_it_reaches_outside(folder: Path, entries: list[Entry]) -> None:
    with pytest.raises(UnsafeArchiveError):
        unpack(archive(*entries), folder)
    assert {path.name for path in folder.parent.iterdir()} == {"inside"}


def test_file_is_not_written_through_a_link_when_both_are_in_the_archive(folder: Path) -> None:
    (folder / "real").mkdir()
    with pytest.raises((UnsafeArchiveError, OSError)):
        unpack(archive(link("d", "real"), regular("d/f", b"x")), folder)


def test_second_archive_is_refused_when_it_writes_through_a_link_to_outside(folder: Path) -> None:
    (folder / "out").symlink_to(folder.parent)
    with pytest.raises(UnsafeArchiveError):
        unpack(archive(regular("out/evil")), folder)
    assert not (folder.parent / "evil").exists()


def test_archive_is_refused_when_it_unpacks_to_too_much(folder: Path) -> None:
    with pytest.raises(UnsafeArchiveError, match="bytes unpacked"):
        unpack(archive(regular("a", b"x" * 600), regular("b", b"x" * 600)), folder, max_bytes=1000)


def test_later_layer_wins_when_two_have_the_same_file(tmp_path: Path) -> None:
    store = CodeStore(tmp_path / "code")
    unpacked = store.unpacked(
        [
            ("1", writer(archive(regular("f", b"old"), regular("g", b"kept")))),
            ("2", writer(archive(regular("f", b"new")))),
        ]
    )
    assert (unpacked / "f").read_bytes() == b"new"
    assert (unpacked / "g").read_bytes() == b"kept"


def test_archive_is_fetched_once_when_asked_for_twice(tmp_path: Path) -> None:
    fetched: list[int] = []
    first = CodeStore(tmp_path / "code").unpacked([("h", writer(archive(regular("f")), fetched))])
    again = CodeStore(tmp_path / "code").unpacked([("h", writer(archive(regular("f")), fetched))])
    assert first == again
    assert fetched == [1]


def test_nothing_is_left_when_unpacking_fails(tmp_path: Path) -> None:
    store = CodeStore(tmp_path / "code")
    with pytest.raises(UnsafeArchiveError):
        store.unpacked([("h", writer(archive(regular("good"), regular("../evil"))))])
    assert list((tmp_path / "code").iterdir()) == []


def writer(content: io.BytesIO, calls: list[int] | None = None) -> Callable[[IO[bytes]], object]:
    def download(file: IO[bytes]) -> None:
        file.write(content.getvalue())
        if calls is not None:
            calls.append(1)

    return download
