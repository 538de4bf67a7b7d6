"""Unpacks function code and layers, once for each content hash."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

MAX_UNPACKED_BYTES = 262_144_000
"""Lambda quota: 250 MB for the code and its layers, unpacked."""
_UNUSED_S = 7 * 86_400
"""Unpacked code nobody asked for in this time is deleted."""

Download = Callable[[IO[bytes]], object]
"""Writes a zip archive into the file it is given."""


class UnsafeArchiveError(Exception):
    """The archive holds something that must not be unpacked; the message names the entry."""


class CodeStore:
    """A folder of unpacked archives. A folder is complete or not there. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        root.mkdir(parents=True, exist_ok=True)
        self._prune()

    def unpacked(self, archives: Sequence[tuple[str, Download]]) -> Path:
        """Folder with the archives unpacked over one another, in order.

        `archives` are (content hash, download) pairs; the download is not called when the folder
        is there from earlier. Raises `UnsafeArchiveError`.
        """
        hashes = "\n".join(content_hash for content_hash, _ in archives)
        name = hashlib.sha256(hashes.encode()).hexdigest()
        target = self._root / name
        with self._locks[name]:
            if not target.exists():
                self._unpack(archives, target)
            os.utime(target)
        return target

    def _unpack(self, archives: Sequence[tuple[str, Download]], target: Path) -> None:
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=self._root))
        try:
            left = MAX_UNPACKED_BYTES
            for _, download in archives:
                with tempfile.TemporaryFile() as file:
                    download(file)
                    left -= unpack(file, building, left)
            building.chmod(0o755)
            building.rename(target)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    def _prune(self) -> None:
        limit = time.time() - _UNUSED_S
        for folder in self._root.iterdir():
            if folder.name.startswith(".building-") or folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)


def unpack(file: IO[bytes], target: Path, max_bytes: int = MAX_UNPACKED_BYTES) -> int:
    """Unpacks a zip archive below `target` and returns the bytes written.

    Nothing is written outside `target`, whatever the names and links in the archive say. Raises
    `UnsafeArchiveError`.
    """
    written = 0
    links: list[zipfile.ZipInfo] = []
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            path = _safe_path(target, entry.filename)
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if entry.is_dir():
                path.mkdir(parents=True, exist_ok=True)
            elif kind == stat.S_IFLNK:
                links.append(entry)
            elif kind in (0, stat.S_IFREG):
                written += _write(archive, entry, path, max_bytes - written)
            else:
                raise UnsafeArchiveError(f"{entry.filename} is neither a file nor a folder")
        # Last, so that no entry of this archive can be written through a link of it.
        for entry in links:
            _link(target, _safe_path(target, entry.filename), archive.read(entry).decode())
    return written


def _safe_path(target: Path, name: str) -> Path:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or "\0" in name:
        raise UnsafeArchiveError(f"{name} points outside the archive")
    path = target / parts
    # An archive unpacked here before may have left links.
    if not path.parent.resolve().is_relative_to(target.resolve()):
        raise UnsafeArchiveError(f"{name} would be written through a link")
    return path


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, room: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    written = 0
    with archive.open(entry) as source, path.open("wb") as destination:
        while data := source.read(1 << 20):
            written += len(data)
            if written > room:
                raise UnsafeArchiveError(f"more than {MAX_UNPACKED_BYTES} bytes unpacked")
            destination.write(data)
    mode = entry.external_attr >> 16
    path.chmod(0o755 if mode & 0o111 else 0o644)
    return written


def _link(target: Path, path: Path, points_to: str) -> None:
    resolved = (path.parent / points_to).resolve()
    if not resolved.is_relative_to(target.resolve()):
        raise UnsafeArchiveError(f"{path.name} is a link out of the archive")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(points_to)
