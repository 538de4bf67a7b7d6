"""LocalStack's in-memory collections of S3, each change of which goes to the journal first.

A collection tells the journal, then changes itself, then gives up the body it no longer needs.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from localstack.services.s3.models import (
    KeyStore,
    S3Bucket,
    S3DeleteMarker,
    S3Multipart,
    S3Object,
    S3Part,
    VersionedKeyStore,
)

from local.persistence.s3_bodies import Bodies
from local.persistence.s3_journal import Journal

Stored: TypeAlias = S3Object | S3DeleteMarker
UNVERSIONED = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """Where S3 keeps what it knows and what it holds."""

    journal: Journal
    bodies: Bodies

    def save(self, bucket: str, value: Stored) -> None:
        """Commit an object or delete marker, and the end of the upload it was made from."""
        upload_id = value.__dict__.pop("upload_id", None)
        version = value.version_id or UNVERSIONED
        self.journal.save_object(bucket, value.key, version, pickle.dumps(value), upload_id)

    def give_up(self, old: Stored | None, new: Stored | None = None) -> None:
        body = getattr(old, "body", None)
        if body != getattr(new, "body", None):
            self.bodies.discard(body)


class JournaledKeyStore(KeyStore):
    """Objects of a bucket without versions."""

    def __init__(self, bucket: str, disk: Disk) -> None:
        super().__init__()
        self.bucket = bucket
        self.disk = disk

    def set(self, object_key: str, s3_object: S3Object) -> None:
        self.disk.save(self.bucket, s3_object)
        old = self.get(object_key)
        super().set(object_key, s3_object)
        self.disk.give_up(old, s3_object)

    def pop(self, object_key: str, default: Any = None) -> Any:
        if object_key in self:
            self.disk.journal.drop_object(self.bucket, object_key, UNVERSIONED)
        return super().pop(object_key, default)

    def restore(self, s3_object: S3Object) -> None:
        super().set(s3_object.key, s3_object)


class JournaledVersions(VersionedKeyStore):
    """Objects of a bucket that has, or had, versions."""

    def __init__(self, bucket: str, disk: Disk) -> None:
        super().__init__()
        self.bucket = bucket
        self.disk = disk

    @classmethod
    def from_key_store(cls, keystore: JournaledKeyStore) -> JournaledVersions:
        """What switching versions on does: every object becomes version "null"."""
        versions = cls(keystore.bucket, keystore.disk)
        keystore.disk.journal.rename_versions(keystore.bucket, "null")
        for s3_object in keystore.values():
            s3_object.version_id = "null"
            versions.restore(s3_object)
        return versions

    def set(self, object_key: str, s3_object: Stored) -> None:
        self.disk.save(self.bucket, s3_object)
        old = self.get(object_key, s3_object.version_id)
        super().set(object_key, s3_object)
        self.disk.give_up(old, s3_object)

    def pop(self, object_key: str, version_id: str | None = None, default: Any = None) -> Any:
        if object_key in self:
            self.disk.journal.drop_object(self.bucket, object_key, version_id or UNVERSIONED)
        return super().pop(object_key, version_id, default)

    def restore(self, value: Stored) -> None:
        if isinstance(value, S3Object) and value.version_id is None:
            value.version_id = "null"  # saved before the versions were switched on
        value.is_current = True
        super().set(value.key, value)


class JournaledParts(dict[int, S3Part]):
    """Parts of one upload."""

    def __init__(self, upload_id: str, disk: Disk) -> None:
        super().__init__()
        self._upload_id = upload_id
        self._disk = disk

    def __setitem__(self, number: int, part: S3Part) -> None:
        self._disk.journal.save_part(self._upload_id, number, pickle.dumps(part))
        old = self.get(number)
        super().__setitem__(number, part)
        if old is not None and old.body != part.body:
            self._disk.bodies.discard(old.body)

    def restore(self, number: int, part: S3Part) -> None:
        super().__setitem__(number, part)


class JournaledUploads(dict[str, S3Multipart]):
    """Multipart uploads of one bucket that have not ended."""

    def __init__(self, bucket: str, disk: Disk) -> None:
        super().__init__()
        self._bucket = bucket
        self._disk = disk

    def __setitem__(self, upload_id: str, upload: S3Multipart) -> None:
        state = {**upload.__dict__, "parts": {}}
        self._disk.journal.save_upload(self._bucket, upload_id, pickle.dumps(state))
        self.restore(upload_id, upload)

    def restore(self, upload_id: str, upload: S3Multipart) -> None:
        upload.parts = JournaledParts(upload_id, self._disk)
        upload.object.upload_id = upload_id  # its commit ends the upload, see Disk.save
        super().__setitem__(upload_id, upload)

    def pop(self, upload_id: str, *default: Any) -> Any:
        if upload_id in self:
            self._disk.journal.drop_upload(upload_id)
        return super().pop(upload_id, *default)


class JournaledTags(dict[str, dict[str, str]]):
    """Tags by resource. The inner dictionaries are changed in place: call `sync` afterwards."""

    def __init__(self, journal: Journal, tags: Iterable[tuple[str, str]]) -> None:
        super().__init__((resource, json.loads(text)) for resource, text in tags)
        self._journal = journal
        self._saved = {resource: dict(tags) for resource, tags in self.items()}

    def __setitem__(self, resource: str, tags: dict[str, str]) -> None:
        super().__setitem__(resource, tags)
        self._save(resource)

    def __delitem__(self, resource: str) -> None:
        super().__delitem__(resource)
        self._drop(resource)

    def pop(self, resource: str, *default: Any) -> Any:
        if resource in self:
            self._drop(resource)
        return super().pop(resource, *default)

    def sync(self) -> None:
        """Write down what was changed within the dictionaries."""
        for resource, tags in list(self.items()):
            if self._saved.get(resource) != tags:
                self._save(resource)

    def _save(self, resource: str) -> None:
        self._journal.save_tags(resource, json.dumps(self[resource]))
        self._saved[resource] = dict(self[resource])

    def _drop(self, resource: str) -> None:
        self._journal.drop_tags(resource)
        self._saved.pop(resource, None)


def settings_of(bucket: S3Bucket) -> bytes:
    """A bucket without what it holds, as the journal keeps it."""
    held = ("objects", "multiparts")
    return pickle.dumps({k: v for k, v in bucket.__dict__.items() if k not in held})


def adopt(bucket: S3Bucket, disk: Disk) -> None:
    """Give a new bucket collections that write themselves down."""
    versioned = isinstance(bucket.objects, VersionedKeyStore)
    bucket.objects = (JournaledVersions if versioned else JournaledKeyStore)(bucket.name, disk)
    bucket.multiparts = JournaledUploads(bucket.name, disk)
