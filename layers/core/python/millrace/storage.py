"""S3: what is written how, and how everything of a video is found and removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from millrace.errors import Reason, RetryableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

IMMUTABLE = "public, max-age=31536000, immutable"
"""Segments, init files and pictures: their keys never get other bytes."""
GROWING = "no-cache"
"""Playlists of a video that is still being made: kept, but asked for each time."""
FINISHED = "public, max-age=60"
"""Playlists at the end; short, so that a deleted video vanishes from caches, too."""

CONTENT_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".ts": "video/mp2t",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".vtt": "text/vtt",
}

_OTHERWISE = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
"""S3 found another object than the writer expected, is about to store one, or found none."""
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchVersion"})


@dataclass(frozen=True, slots=True)
class StoredObject:
    key: str
    etag: str
    """Without quotes."""
    size_bytes: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    """As it was given when the object was stored; not in listings."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket."""

    s3: S3Client
    name: str

    def head(self, key: str) -> StoredObject | None:
        """What is stored under `key` now, or None."""
        try:
            answer = self.s3.head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise
        etag, size = answer["ETag"].strip('"'), answer["ContentLength"]
        return StoredObject(key, etag, size, answer.get("Metadata", {}))

    def put_text(self, key: str, text: str, cache_control: str) -> None:
        self.put_bytes(key, text.encode(), cache_control)

    def put_bytes(self, key: str, content: bytes, cache_control: str) -> None:
        """Store `content` in one request; the content type follows from the key's ending."""
        self.s3.put_object(
            Bucket=self.name,
            Key=key,
            Body=content,
            ContentType=CONTENT_TYPES[PurePosixPath(key).suffix],
            CacheControl=cache_control,
        )

    def put_file(self, key: str, path: Path, **options: Any) -> None:
        """Store one immutable file in one request: it is there whole, or not at all.

        Args:
            options: further parameters of S3's PutObject.

        Raises:
            RetryableError: OUTPUT_FAILED, the file cannot be read.
        """
        try:
            with path.open("rb") as file:
                self.s3.put_object(
                    Bucket=self.name,
                    Key=key,
                    Body=file,
                    ContentType=CONTENT_TYPES[PurePosixPath(key).suffix],
                    CacheControl=IMMUTABLE,
                    **options,
                )
        except OSError as error:
            message = f"A finished file could not be read back: {error.strerror}."
            raise RetryableError(Reason.OUTPUT_FAILED, message) from error

    def put_file_once(
        self, key: str, path: Path, metadata: Mapping[str, str], *, replacing: str | None = None
    ) -> bool:
        """`put_file`, unless there is something else under `key` than expected. S3 decides, so of
        several writers that expect the same one alone succeeds, however late the others are.

        Args:
            metadata: names and values, ASCII, to be read by `head`.
            replacing: ETag of what is to be replaced; None if there is to be nothing yet.

        Returns:
            Whether it was stored.

        Raises:
            RetryableError: OUTPUT_FAILED, the file cannot be read.
        """
        expected: Any = {"IfMatch": replacing} if replacing else {"IfNoneMatch": "*"}
        try:
            self.put_file(key, path, Metadata=dict(metadata), **expected)
        except ClientError as error:
            if _code(error) in _OTHERWISE:
                return False
            raise
        return True

    def presigned_get(self, key: str, expires_s: int) -> str:
        """A URL that reads this one object for a while. Never log it."""
        return self.s3.generate_presigned_url(
            "get_object", Params={"Bucket": self.name, "Key": key}, ExpiresIn=expires_s
        )

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Everything below `prefix`, page by page."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        for page in pages:
            for found in page.get("Contents", []):
                yield StoredObject(found["Key"], found["ETag"].strip('"'), found["Size"])

    def delete_prefix(self, prefix: str) -> int:
        """Remove every object, version and delete marker below `prefix`. Repeatable.

        Args:
            prefix: ends with a slash, so that it never covers a neighbour.

        Returns:
            How many were removed.
        """
        if not prefix.endswith("/"):
            raise ValueError(f"a prefix to delete must end with a slash: {prefix!r}")
        return self._delete_versions(prefix, exact=False)

    def delete_key(self, key: str) -> int:
        """Remove every version of one object. Repeatable."""
        return self._delete_versions(key, exact=True)

    def abort_multipart_uploads(self, prefix: str) -> int:
        """Abort every multipart upload begun below `prefix`, known to the table or not."""
        aborted = 0
        pages = self.s3.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self.name, Prefix=prefix):
            for upload in page.get("Uploads", []):
                self._abort(upload["Key"], upload["UploadId"])
                aborted += 1
        return aborted

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            self.s3.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload_id)
        except ClientError as error:
            if _code(error) != "NoSuchUpload":  # somebody else aborted or completed it
                raise

    def _delete_versions(self, prefix: str, *, exact: bool) -> int:
        # Again until nothing is left: a listing goes on at a key that may be gone by then, and
        # somebody may be writing still.
        removed = 0
        while found := self._delete_pass(prefix, exact=exact):
            removed += found
        return removed

    def _delete_pass(self, prefix: str, *, exact: bool) -> int:
        removed = 0
        pages = self.s3.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.name, Prefix=prefix):
            found: list[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            doomed = [
                {"Key": item["Key"], "VersionId": item["VersionId"]}
                for item in found
                if not exact or item["Key"] == prefix
            ]
            if doomed:
                self._delete_batch(doomed)
            removed += len(doomed)
        return removed

    def _delete_batch(self, doomed: list[Any]) -> None:
        answer = self.s3.delete_objects(Bucket=self.name, Delete={"Objects": doomed, "Quiet": True})
        if errors := answer.get("Errors"):
            message = f"{len(errors)} objects could not be deleted ({errors[0].get('Code')})."
            raise RetryableError(Reason.OUTPUT_FAILED, message)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
