"""Messages of queues, on disk before they are acknowledged. Plain SQLite; the values are opaque.

A message has one row, whatever queue it is in: moving it to a dead-letter queue is one change.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from local.persistence.database import committed, open_database

FORMAT = 1
DEDUPLICATION_S = 300.0
_TABLES = """
CREATE TABLE IF NOT EXISTS messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, queue TEXT, message BLOB);
CREATE INDEX IF NOT EXISTS by_queue ON messages (queue);
CREATE TABLE IF NOT EXISTS deduplication (
    queue TEXT, id TEXT, at REAL, message BLOB, PRIMARY KEY (queue, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_age ON deduplication (at);
"""


class MessageJournal:
    """The file; every method is one commit and safe to call from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = open_database(path, _TABLES, FORMAT)

    def add(
        self, queue: str, message_id: str, message: bytes, deduplication_id: str | None = None
    ) -> None:
        """A new message of the queue, or one that moves there from another queue."""
        with self._lock, committed(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO messages (id, queue, message) VALUES (?,?,?)",
                (message_id, queue, message),
            )
            if deduplication_id is not None:
                now = time.time()
                self._db.execute("DELETE FROM deduplication WHERE at<?", (now - DEDUPLICATION_S,))
                self._db.execute(
                    "INSERT OR REPLACE INTO deduplication VALUES (?,?,?,?)",
                    (queue, deduplication_id, now, message),
                )

    def remove(self, queue: str, message_id: str) -> None:
        """The message was deleted from this queue; one that moved on meanwhile stays."""
        with self._lock:
            self._db.execute("DELETE FROM messages WHERE id=? AND queue=?", (message_id, queue))

    def clear(self, queue: str) -> None:
        with self._lock:
            self._db.execute("DELETE FROM messages WHERE queue=?", (queue,))
            self._db.execute("DELETE FROM deduplication WHERE queue=?", (queue,))

    def keep_only(self, queues: set[str]) -> None:
        """Forget the messages of queues that are gone."""
        with self._lock:
            found = self._db.execute("SELECT DISTINCT queue FROM messages").fetchall()
        for (queue,) in found:
            if queue not in queues:
                self.clear(queue)

    def messages(self, queue: str) -> list[bytes]:
        """In the order they arrived."""
        with self._lock:
            rows = self._db.execute(
                "SELECT message FROM messages WHERE queue=? ORDER BY position", (queue,)
            ).fetchall()
        return [row[0] for row in rows]

    def deduplication(self, queue: str) -> list[tuple[str, bytes]]:
        """Deduplication ids of the last five minutes, with the message that used each."""
        with self._lock:
            return self._db.execute(
                "SELECT id, message FROM deduplication WHERE queue=? AND at>=?",
                (queue, time.time() - DEDUPLICATION_S),
            ).fetchall()
