"""What S3 knows about its buckets and objects, on disk before it is acknowledged.

The values are opaque here (pickles made by the stores). Each call is one commit; the death of the
process at any instant loses none that returned.
"""

from __future__ import annotations

import threading
from pathlib import Path

from local.persistence.database import committed, open_database

FORMAT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, account TEXT, region TEXT, settings BLOB);
CREATE TABLE IF NOT EXISTS objects (
    id INTEGER PRIMARY KEY, bucket TEXT, key TEXT, version TEXT, object BLOB,
    UNIQUE (bucket, key, version));
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT, upload BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
    upload_id TEXT, number INTEGER, part BLOB, PRIMARY KEY (upload_id, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tags (resource TEXT PRIMARY KEY, tags TEXT) WITHOUT ROWID;
"""


class Journal:
    """The file; every method is safe to call from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = open_database(path, _TABLES, FORMAT)

    def _commit(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        with self._lock, committed(self._db):
            for sql, values in statements:
                self._db.execute(sql, values)

    def save_bucket(self, name: str, account: str, region: str, settings: bytes) -> None:
        self._commit(
            ("INSERT OR REPLACE INTO buckets VALUES (?,?,?,?)", (name, account, region, settings))
        )

    def drop_bucket(self, name: str) -> None:
        self._commit(
            (
                "DELETE FROM parts WHERE upload_id IN (SELECT id FROM uploads WHERE bucket=?)",
                (name,),
            ),
            ("DELETE FROM uploads WHERE bucket=?", (name,)),
            ("DELETE FROM objects WHERE bucket=?", (name,)),
            ("DELETE FROM buckets WHERE name=?", (name,)),
        )

    def save_object(
        self, bucket: str, key: str, version: str, value: bytes, upload_id: str | None = None
    ) -> None:
        """Commit an object; the upload it was made from ends in the same commit."""
        save = (
            "INSERT INTO objects (bucket, key, version, object) VALUES (?,?,?,?) "
            "ON CONFLICT DO UPDATE SET object=excluded.object",
            (bucket, key, version, value),
        )
        self._commit(save, *(_end_of(upload_id) if upload_id else ()))

    def drop_object(self, bucket: str, key: str, version: str) -> None:
        where = "bucket=? AND key=? AND version=?"
        self._commit((f"DELETE FROM objects WHERE {where}", (bucket, key, version)))  # noqa: S608

    def rename_versions(self, bucket: str, version: str) -> None:
        """Give every object of an until now unversioned bucket this version."""
        self._commit(("UPDATE objects SET version=? WHERE bucket=?", (version, bucket)))

    def save_upload(self, bucket: str, upload_id: str, value: bytes) -> None:
        self._commit(("INSERT OR REPLACE INTO uploads VALUES (?,?,?)", (upload_id, bucket, value)))

    def save_part(self, upload_id: str, number: int, value: bytes) -> None:
        self._commit(("INSERT OR REPLACE INTO parts VALUES (?,?,?)", (upload_id, number, value)))

    def drop_upload(self, upload_id: str) -> None:
        self._commit(*_end_of(upload_id))

    def save_tags(self, resource: str, tags: str) -> None:
        self._commit(("INSERT OR REPLACE INTO tags VALUES (?,?)", (resource, tags)))

    def drop_tags(self, resource: str) -> None:
        self._commit(("DELETE FROM tags WHERE resource=?", (resource,)))

    def buckets(self) -> list[tuple[str, str, str, bytes]]:
        """Name, account, region, settings."""
        return self._all("SELECT name, account, region, settings FROM buckets")

    def objects(self) -> list[tuple[str, bytes]]:
        """Bucket and object, the oldest version of a key first."""
        return self._all("SELECT bucket, object FROM objects ORDER BY id")

    def uploads(self) -> list[tuple[str, str, bytes]]:
        """Id, bucket, upload."""
        return self._all("SELECT id, bucket, upload FROM uploads")

    def parts(self) -> list[tuple[str, int, bytes]]:
        """Upload id, part number, part."""
        return self._all("SELECT upload_id, number, part FROM parts")

    def tags(self) -> list[tuple[str, str]]:
        """Resource and its tags as JSON."""
        return self._all("SELECT resource, tags FROM tags")

    def _all(self, sql: str) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._db.execute(sql).fetchall()


def _end_of(upload_id: str) -> tuple[tuple[str, tuple[object, ...]], ...]:
    return (
        ("DELETE FROM parts WHERE upload_id=?", (upload_id,)),
        ("DELETE FROM uploads WHERE id=?", (upload_id,)),
    )
