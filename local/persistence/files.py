"""Snapshot files: one a service, replaced as a whole, refused when another version wrote them."""

from __future__ import annotations

import json
from pathlib import Path

FORMAT = 1


class VersionError(Exception):
    """A snapshot was written by another version; the text says what to do."""


class SnapshotFiles:
    """`<state>/services/<service>.pickle`: one line of JSON that says what it is, then the data."""

    def __init__(self, directory: Path, cloud_version: str) -> None:
        self._directory = directory
        self._cloud_version = cloud_version
        directory.mkdir(parents=True, exist_ok=True)

    def _path(self, service: str) -> Path:
        return self._directory / f"{service}.pickle"

    def services(self) -> list[str]:
        return sorted(path.stem for path in self._directory.glob("*.pickle"))

    def write(self, service: str, data: bytes) -> None:
        """A crash at any moment leaves the old file or the new one."""
        header = {"format": FORMAT, "localstack": self._cloud_version, "service": service}
        temporary = self._directory / f".{service}.new"
        with temporary.open("wb") as file:
            file.write(json.dumps(header).encode() + b"\n")
            file.write(data)
        temporary.replace(self._path(service))

    def read(self, service: str) -> bytes | None:
        """Raises VersionError when another version wrote it."""
        try:
            header, _, data = self._path(service).read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        found = json.loads(header)
        here = {"format": FORMAT, "localstack": self._cloud_version}
        if {key: found.get(key) for key in here} != here:
            raise VersionError(
                f"{self._path(service)} was written by LocalStack {found.get('localstack')}, state "
                f"format {found.get('format')}; this is LocalStack {self._cloud_version}, format "
                f"{FORMAT}. Use the version that wrote it, or start afresh with `./millrace reset`"
            )
        return data
