"""LocalStack's object store on `Bodies`. An object or part carries its file's name as `body`."""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

import base64
import hashlib
import os
import threading
import time
import weakref
from collections.abc import Iterator
from io import BytesIO, UnsupportedOperation
from typing import IO, Any, Literal

from localstack.services.s3.constants import S3_CHUNK_SIZE
from localstack.services.s3.models import S3Multipart, S3Object, S3Part
from localstack.services.s3.storage.core import (
    LimitedStream,
    S3ObjectStore,
    S3StoredMultipart,
    S3StoredObject,
)
from localstack.services.s3.utils import ObjectRange, get_s3_checksum

from local.persistence.s3_bodies import Bodies

COPY_BYTES = 8 * 1024 * 1024


class DiskObject(S3StoredObject):
    """An open body. Reads need no lock: a body never changes once it is committed."""

    def __init__(
        self,
        bodies: Bodies,
        s3_object: S3Object | S3Part,
        mode: Literal["r", "w"],
        lock: _Lock | None = None,
    ) -> None:
        super().__init__(s3_object, mode)
        self.closed = False
        self._bodies = bodies
        self._lock = lock
        self._position = 0
        self._etag: str | None = None
        self._checksum: str | None = None
        if mode == "w":
            s3_object.body = bodies.new_name()
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        else:
            flags = os.O_RDONLY
        self._fd = os.open(bodies.path(s3_object.body), flags, 0o644)

    def __exit__(self, *error: Any) -> None:
        self.close()
        if self._mode == "w" and error[0] is not None:  # never committed
            self._bodies.discard(self.s3_object.body)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self._fd)
            if self._lock is not None:
                self._lock.release()

    def read(self, s: int | None = -1) -> bytes:
        size = os.fstat(self._fd).st_size - self._position if s is None or s < 0 else s
        data = os.pread(self._fd, max(0, size), self._position)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: self._position, 2: os.fstat(self._fd).st_size}[whence]
        self._position = base + offset
        return self._position

    def truncate(self, size: int | None = None) -> int:
        self._require_writable()
        wanted = self._position if size is None else size
        os.ftruncate(self._fd, wanted)
        return wanted

    def write(self, s: IO[bytes] | S3StoredObject | None) -> int:
        """Everything the stream has to give. Straight to the file, so that it is complete, as far
        as the operating system is concerned, before the object is committed."""
        self._require_writable()
        stream = BytesIO() if s is None else s
        algorithm = self.s3_object.checksum_algorithm
        digest, checksum = hashlib.md5(usedforsecurity=False), None
        if algorithm:
            checksum = get_s3_checksum(algorithm)
        size = 0
        while data := stream.read(S3_CHUNK_SIZE):
            _write_all(self._fd, data, size)
            digest.update(data)
            if checksum:
                checksum.update(data)
            size += len(data)
        self._etag = self.s3_object.etag = digest.hexdigest()
        if checksum:
            self._checksum = base64.b64encode(checksum.digest()).decode()
        self._written(size)
        return size

    def append(self, part: DiskObject) -> int:
        """Add a part's body at the end, copied inside the kernel."""
        self._require_writable()
        start = end = os.fstat(self._fd).st_size
        while copied := _copy_range(part._fd, end - start, self._fd, end):
            end += copied
        self._written(end)
        return end - start

    def _require_writable(self) -> None:
        if self._mode != "w":
            raise UnsupportedOperation("S3 object is not in write mode")

    def _written(self, size: int) -> None:
        self.s3_object.size = size
        self.s3_object.internal_last_modified = time.time_ns()
        self._position = 0

    @property
    def last_modified(self) -> int:
        """Equal to the object's own: a body belongs to one object only."""
        return int(self.s3_object.internal_last_modified)

    @property
    def checksum(self) -> str | None:
        algorithm = self.s3_object.checksum_algorithm
        if algorithm and self._checksum is None:
            digest = get_s3_checksum(algorithm)
            for data in self._chunks():
                digest.update(data)
            self._checksum = base64.b64encode(digest.digest()).decode()
        return self._checksum if algorithm else None

    @property
    def etag(self) -> str:
        if self._etag is None:
            digest = hashlib.md5(usedforsecurity=False)
            for data in self._chunks():
                digest.update(data)
            self._etag = digest.hexdigest()
        return self._etag

    def _chunks(self) -> Iterator[bytes]:
        position = 0
        while data := os.pread(self._fd, S3_CHUNK_SIZE, position):
            position += len(data)
            yield data

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read(S3_CHUNK_SIZE):
            yield data


def _write_all(fd: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, position)
        view, position = view[written:], position + written


def _copy_range(source: int, source_position: int, target: int, position: int) -> int:
    """Copy up to COPY_BYTES; 0 at the end of the source."""
    try:
        return os.copy_file_range(source, target, COPY_BYTES, source_position, position)
    except OSError:  # not every file system can; a real error shows again below
        data = os.pread(source, COPY_BYTES, source_position)
        _write_all(target, data, position)
        return len(data)


class DiskMultipart(S3StoredMultipart):
    """The parts of one upload; it has no state of its own beyond them."""

    _s3_store: DiskObjectStore

    def open(self, s3_part: S3Part, mode: Literal["r", "w"] = "r") -> DiskObject:
        return DiskObject(self._s3_store.bodies, s3_part, mode)

    def remove_part(self, s3_part: S3Part) -> None:
        self._s3_store.bodies.discard(s3_part.body)

    def complete_multipart(self, parts: list[S3Part]) -> None:
        with self._s3_store.open(self.bucket, self.s3_multipart.object, mode="w") as whole:
            for s3_part in parts:
                with self.open(s3_part) as part:
                    whole.append(part)

    def copy_from_object(
        self,
        s3_part: S3Part,
        src_bucket: str,
        src_s3_object: S3Object,
        range_data: ObjectRange | None,
    ) -> None:
        with (
            self._s3_store.open(src_bucket, src_s3_object) as source,
            self.open(s3_part, mode="w") as part,
        ):
            part.write(LimitedStream(source, range_data) if range_data else source)
            if s3_part.checksum_algorithm:
                s3_part.checksum_value = part.checksum

    def close(self) -> None:
        """Nothing is held open."""


class DiskObjectStore(S3ObjectStore):
    """What LocalStack's provider opens, copies and removes bodies through."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        # A second writer of a key waits for the first, so that "only if it does not exist yet"
        # is decided by what the first one did.
        self._locks: weakref.WeakValueDictionary[tuple[str, str], _Lock]
        self._locks = weakref.WeakValueDictionary()
        self._mutex = threading.Lock()

    def open(self, bucket: str, s3_object: S3Object, mode: Literal["r", "w"] = "r") -> DiskObject:
        if mode == "r":
            return DiskObject(self.bodies, s3_object, mode)
        with self._mutex:
            lock = self._locks.setdefault((bucket, s3_object.key), _Lock())
        lock.acquire()
        try:
            return DiskObject(self.bodies, s3_object, mode, lock)
        except BaseException:
            lock.release()
            raise

    def remove(self, bucket: str, s3_object: S3Object | list[S3Object]) -> None:  # noqa: ARG002
        for removed in s3_object if isinstance(s3_object, list) else [s3_object]:
            self.bodies.discard(removed.body)

    def copy(
        self, src_bucket: str, src_object: S3Object, dest_bucket: str, dest_object: S3Object
    ) -> DiskObject:
        with self.open(src_bucket, src_object) as source:
            copied = self.open(dest_bucket, dest_object, mode="w")
            try:
                copied.write(source)
            except BaseException as error:
                copied.__exit__(type(error), error, None)
                raise
        return copied

    def get_multipart(self, bucket: str, upload_id: S3Multipart) -> DiskMultipart:
        return DiskMultipart(self, bucket, upload_id)

    def remove_multipart(self, bucket: str, s3_multipart: S3Multipart) -> None:  # noqa: ARG002
        for part in s3_multipart.parts.values():
            self.bodies.discard(part.body)


class _Lock:
    """A lock that can be held weakly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.acquire = self._lock.acquire
        self.release = self._lock.release
