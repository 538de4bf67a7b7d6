"""LocalStack's S3 with its state on disk, plug-in `s3:millrace`.

Only what keeps the state is changed here; what S3 answers stays LocalStack's.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.skeleton import Skeleton, create_dispatch_table
from localstack.aws.spec import load_service
from localstack.services.plugins import Service
from localstack.services.s3 import models
from localstack.services.s3 import provider as original
from localstack.services.s3.models import S3Bucket, S3Multipart, s3_stores
from localstack.state import StateVisitor

from local.persistence.location import state_dir
from local.persistence.s3_bodies import Bodies
from local.persistence.s3_journal import Journal
from local.persistence.s3_objects import DiskObjectStore
from local.persistence.s3_stores import (
    Disk,
    JournaledTags,
    JournaledVersions,
    adopt,
    settings_of,
)

Handler = Callable[[RequestContext, Any], Any]

_OBJECT_SETTINGS = (
    "PutObjectAcl", "PutObjectRetention", "PutObjectLegalHold", "RestoreObject",
)  # fmt: skip
_BUCKET_SETTINGS = (
    "PutPublicAccessBlock", "DeletePublicAccessBlock", "PutObjectLockConfiguration",
    "PutObjectTagging", "DeleteObjectTagging", "TagResource", "UntagResource",
)  # fmt: skip
_BUCKET_VERBS = ("CreateBucket", "PutBucket", "DeleteBucket")


class S3Provider(original.S3Provider):
    """Restored when it is made; afterwards every change is on disk before it is acknowledged."""

    def __init__(self) -> None:
        root = state_dir() / "s3"
        self._disk = Disk(Journal(root / "journal.sqlite"), Bodies(root / "bodies"))
        super().__init__(DiskObjectStore(self._disk.bodies))
        self._saved: dict[str, bytes] = {}
        self._tags = JournaledTags(self._disk.journal, self._disk.journal.tags())
        self._restore()
        _patch_models(self._disk)

    def accept_state_visitor(self, visitor: StateVisitor) -> None:
        """Nothing to visit: the journal has it all."""

    def operations(self) -> dict[str, Handler]:
        """LocalStack's operations, those that change settings followed by writing them down."""
        table: dict[str, Handler] = dict(create_dispatch_table(self))
        for name, handler in table.items():
            if name in _OBJECT_SETTINGS:
                table[name] = self._then(handler, self._save_object)
            elif name in _BUCKET_SETTINGS or name.startswith(_BUCKET_VERBS):
                table[name] = self._then(handler, self._save_bucket)
        return table

    @staticmethod
    def _then(handler: Handler, save: Callable[[RequestContext, Any], None]) -> Handler:
        def handle(context: RequestContext, request: Any) -> Any:
            answer = handler(context, request)
            save(context, request)
            return answer

        return handle

    def _save_bucket(self, context: RequestContext, request: Any) -> None:
        self._tags.sync()
        name = request.get("Bucket")
        try:
            _, bucket = self._get_cross_account_bucket(context, name)
        except original.NoSuchBucket:
            self._saved.pop(name, None)
            self._disk.journal.drop_bucket(name)
            return
        settings = settings_of(bucket)
        if self._saved.get(name) != settings:
            self._disk.journal.save_bucket(
                name, bucket.bucket_account_id, bucket.bucket_region, settings
            )
            self._saved[name] = settings

    def _save_object(self, context: RequestContext, request: Any) -> None:
        _, bucket = self._get_cross_account_bucket(context, request["Bucket"])
        self._disk.save(bucket.name, bucket.get_object(request["Key"], request.get("VersionId")))

    def _restore(self) -> None:
        journal, buckets = self._disk.journal, {}
        universal = s3_stores._universal
        universal["global_bucket_map"] = {}
        for name, account, region, settings in journal.buckets():
            buckets[name] = bucket = S3Bucket.__new__(S3Bucket)
            bucket.__dict__.update(pickle.loads(settings))  # noqa: S301 - our own file
            versions = bucket.versioning_status is not None
            bucket.objects = models.VersionedKeyStore() if versions else models.KeyStore()
            adopt(bucket, self._disk)
            store = s3_stores[account][region]
            store.buckets[name] = bucket
            store.global_bucket_map[name] = account
            self._saved[name] = settings
        used = self._restore_objects(buckets) | self._restore_uploads(buckets)
        self._disk.bodies.collect(used)
        self._restore_tags()

    def _restore_tags(self) -> None:
        service = models.TaggingService()
        service.tags = self._tags
        s3_stores._universal["TAGS"] = service

    def _restore_objects(self, buckets: dict[str, S3Bucket]) -> set[str]:
        used = set()
        for bucket, pickled in self._disk.journal.objects():
            value = pickle.loads(pickled)  # noqa: S301
            if bucket in buckets:
                buckets[bucket].objects.restore(value)
                used.add(getattr(value, "body", ""))
        return used

    def _restore_uploads(self, buckets: dict[str, S3Bucket]) -> set[str]:
        used, uploads = set(), {}
        for upload_id, bucket, pickled in self._disk.journal.uploads():
            uploads[upload_id] = upload = S3Multipart.__new__(S3Multipart)
            upload.__dict__.update(pickle.loads(pickled))  # noqa: S301
            if bucket in buckets:
                buckets[bucket].multiparts.restore(upload_id, upload)
        for upload_id, number, pickled in self._disk.journal.parts():
            part = pickle.loads(pickled)  # noqa: S301
            used.add(part.body)
            uploads[upload_id].parts.restore(number, part)
        return used


def _patch_models(disk: Disk) -> None:
    """Buckets made from now on, and buckets that get versions, write themselves down."""
    make = S3Bucket.__init__

    def init(self: S3Bucket, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        adopt(self, disk)

    S3Bucket.__init__ = init
    original.VersionedKeyStore = JournaledVersions


def service() -> Service:
    """The plug-in's factory."""
    provider = S3Provider()
    made = Service(
        name=provider.service,
        skeleton=Skeleton(load_service(provider.service), provider.operations()),
        lifecycle_hook=provider,
    )
    made._provider = provider
    return made
