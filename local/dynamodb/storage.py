"""Items and index entries in one SQLite file: ordered, transactional, and safe across kill -9.

A change is committed before its answer goes out.
One lock serialises everything: each operation sees and leaves a whole number of other operations.
"""

# ruff: noqa: S608 - what is put into SQL texts is constant; values are always bound

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from local.dynamodb.schema import Schema
from local.dynamodb.values import Item, item_bytes
from local.persistence.database import committed, open_database

FORMAT = 1
_PARSED = 4096
"""Items that are kept as they were parsed, of at most 400 KB each: the few that are busy."""
_TABLES = """
CREATE TABLE IF NOT EXISTS tables (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT, region TEXT, name TEXT, definition BLOB,
    UNIQUE (account, region, name));
CREATE TABLE IF NOT EXISTS items (
    table_id INTEGER, hash BLOB, range BLOB, item TEXT, bytes INTEGER, expires INTEGER,
    PRIMARY KEY (table_id, hash, range)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS expiring ON items (table_id, expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS entries (
    table_id INTEGER, name TEXT, hash BLOB, range BLOB, item_hash BLOB, item_range BLOB,
    PRIMARY KEY (table_id, name, hash, range, item_hash, item_range)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    token TEXT PRIMARY KEY, digest BLOB, at REAL) WITHOUT ROWID;
"""

Key = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which range keys of one hash key are meant; `high` may be excluded, as may `low`."""

    low: bytes = b""
    low_included: bool = True
    high: bytes | None = None
    high_included: bool = True


@dataclass(frozen=True, slots=True)
class Position:
    """Where a listing goes on: just after this index (or table) range key and item."""

    range: bytes
    item: Key


class Storage:
    """The file. Every access is inside `transaction`."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = open_database(path, _TABLES, FORMAT)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All of the block's changes, or none when it raises."""
        with self._lock, committed(self._db):
            yield Transaction(self._db)

    def close(self) -> None:
        with self._lock:
            self._db.close()


class Transaction:
    """Reads and writes of one transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, schema: Schema, key: Key) -> Item | None:
        row = self._db.execute(
            "SELECT item FROM items WHERE table_id=? AND hash=? AND range=?",
            (schema.table_id, *key),
        ).fetchone()
        return _item(row[0]) if row else None

    def put(self, schema: Schema, key: Key, item: Item, old: Item | None) -> int:
        """Store an item; `old` is what is there now. The number of index entries changed."""
        changed = self._move_entries(schema, key, old, item)
        self._db.execute(
            "INSERT OR REPLACE INTO items VALUES (?,?,?,?,?,?)",
            (schema.table_id, *key, _text(item), item_bytes(item), schema.expiry_of(item)),
        )
        return changed

    def delete(self, schema: Schema, key: Key, old: Item | None) -> int:
        changed = self._move_entries(schema, key, old, None)
        self._db.execute(
            "DELETE FROM items WHERE table_id=? AND hash=? AND range=?", (schema.table_id, *key)
        )
        return changed

    def _move_entries(self, schema: Schema, key: Key, old: Item | None, new: Item | None) -> int:
        if not schema.indexes:
            return 0
        before, after = schema.entries_of(old), schema.entries_of(new)
        gone = [(name, at) for name, at in before.items() if after.get(name) != at]
        come = [(name, at) for name, at in after.items() if before.get(name) != at]
        self._db.executemany(
            "DELETE FROM entries WHERE table_id=? AND name=? AND hash=? AND range=? "
            "AND item_hash=? AND item_range=?",
            [(schema.table_id, name, *at, *key) for name, at in gone],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO entries VALUES (?,?,?,?,?,?)",
            [(schema.table_id, name, *at, *key) for name, at in come],
        )
        return len(gone) + len(come)

    def query(
        self, schema: Schema, hash_key: bytes, bounds: Bounds, after: Position | None, forward: bool
    ) -> Iterator[Item]:
        """Items of one hash key of the table, by range key."""
        where = ["table_id=?", "hash=?"]
        values: list[Any] = [schema.table_id, hash_key]
        _add_bounds(where, values, bounds)
        if after is not None:
            where.append("range>?" if forward else "range<?")
            values.append(after.range)
        yield from self._items(
            f"SELECT item FROM items WHERE {' AND '.join(where)} "
            f"ORDER BY range {_direction(forward)}",
            values,
        )

    def query_index(
        self,
        schema: Schema,
        index: str,
        hash_key: bytes,
        bounds: Bounds,
        after: Position | None,
        forward: bool,
    ) -> Iterator[Item]:
        """Items of one hash key of an index, by the index's range key, then by primary key."""
        where = ["e.table_id=?", "e.name=?", "e.hash=?"]
        values: list[Any] = [schema.table_id, index, hash_key]
        _add_bounds(where, values, bounds, "e.")
        if after is not None:
            sign = ">" if forward else "<"
            where.append(f"(e.range, e.item_hash, e.item_range) {sign} (?,?,?)")
            values += [after.range, *after.item]
        way = _direction(forward)
        yield from self._items(
            "SELECT i.item FROM entries e CROSS JOIN items i ON i.table_id=e.table_id "
            "AND i.hash=e.item_hash AND i.range=e.item_range "
            f"WHERE {' AND '.join(where)} "
            f"ORDER BY e.range {way}, e.item_hash {way}, e.item_range {way}",
            values,
        )

    def scan(self, schema: Schema, after: Key | None) -> Iterator[Item]:
        yield from self._items(
            "SELECT item FROM items WHERE table_id=? AND (hash, range) > (?,?) "
            "ORDER BY hash, range",
            [schema.table_id, *(after or (b"", b""))],
        )

    def scan_index(
        self, schema: Schema, index: str, after: tuple[bytes, Position] | None
    ) -> Iterator[Item]:
        start = (after[0], after[1].range, *after[1].item) if after else (b"", b"", b"", b"")
        yield from self._items(
            "SELECT i.item FROM entries e CROSS JOIN items i ON i.table_id=e.table_id "
            "AND i.hash=e.item_hash AND i.range=e.item_range WHERE e.table_id=? AND e.name=? "
            "AND (e.hash, e.range, e.item_hash, e.item_range) > (?,?,?,?) "
            "ORDER BY e.hash, e.range, e.item_hash, e.item_range",
            [schema.table_id, index, *start],
        )

    def _items(self, sql: str, values: list[Any]) -> Iterator[Item]:
        for (text,) in self._db.execute(sql, values):
            yield _item(text)

    def size(self, table_id: int) -> tuple[int, int]:
        """Number of items and their bytes."""
        count, size = self._db.execute(
            "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM items WHERE table_id=?", (table_id,)
        ).fetchone()
        return int(count), int(size)

    def expired(self, schema: Schema, now_s: float, limit: int) -> list[Key]:
        return self._db.execute(
            "SELECT hash, range FROM items WHERE table_id=? AND expires IS NOT NULL "
            "AND expires<=? LIMIT ?",
            (schema.table_id, int(now_s), limit),
        ).fetchall()

    def seen(self, token: str) -> bytes | None:
        """The digest of the request that used this token already, if any."""
        row = self._db.execute("SELECT digest FROM requests WHERE token=?", (token,)).fetchone()
        return row[0] if row else None

    def remember(self, token: str, digest: bytes, now_s: float, keep_s: float) -> None:
        self._db.execute("DELETE FROM requests WHERE at<?", (now_s - keep_s,))
        self._db.execute("INSERT INTO requests VALUES (?,?,?)", (token, digest, now_s))

    def tables(self) -> list[tuple[int, str, str, str, bytes]]:
        """Every table: id, account, region, name, definition."""
        return self._db.execute(
            "SELECT id, account, region, name, definition FROM tables"
        ).fetchall()

    def put_table(self, account: str, region: str, name: str, definition: bytes) -> int:
        """Create a table or replace its definition; its id."""
        (table_id,) = self._db.execute(
            "INSERT INTO tables (account, region, name, definition) VALUES (?,?,?,?) "
            "ON CONFLICT DO UPDATE SET definition=excluded.definition RETURNING id",
            (account, region, name, definition),
        ).fetchone()
        return int(table_id)

    def drop_table(self, table_id: int) -> None:
        for table, column in (("items", "table_id"), ("entries", "table_id"), ("tables", "id")):
            self._db.execute(f"DELETE FROM {table} WHERE {column}=?", (table_id,))

    def drop_index(self, table_id: int, index: str) -> None:
        self._db.execute("DELETE FROM entries WHERE table_id=? AND name=?", (table_id, index))

    def reindex(self, schema: Schema) -> None:
        """Write every item again, after a change of the indexes or of the expiry attribute."""
        self._db.execute("DELETE FROM entries WHERE table_id=?", (schema.table_id,))
        for text in self._db.execute(
            "SELECT item FROM items WHERE table_id=?", (schema.table_id,)
        ).fetchall():
            item = _item(text[0])
            self.put(schema, schema.key_of(item), item, None)


@lru_cache(_PARSED)
def _item(text: str) -> Item:
    """Nobody may change it: a running task's video is read again and again, and parsing its plan
    takes as long as all the rest of a small write."""
    item: Item = json.loads(text)
    return item


def _text(item: Item) -> str:
    return json.dumps(item, separators=(",", ":"), ensure_ascii=False)


def _direction(forward: bool) -> str:
    return "ASC" if forward else "DESC"


def _add_bounds(where: list[str], values: list[Any], bounds: Bounds, prefix: str = "") -> None:
    if bounds.low:
        where.append(f"{prefix}range{'>=' if bounds.low_included else '>'}?")
        values.append(bounds.low)
    if bounds.high is not None:
        where.append(f"{prefix}range{'<=' if bounds.high_included else '<'}?")
        values.append(bounds.high)
