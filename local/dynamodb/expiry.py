"""Time to live: expired items are deleted in the background, as AWS does within days."""

from __future__ import annotations

import threading
import time

from local.dynamodb.storage import Storage
from local.dynamodb.tables import Tables

INTERVAL_S = 30.0
BATCH = 200  # items deleted under one hold of the storage's lock


class Expiry:
    """A daemon thread that deletes what has expired."""

    def __init__(self, storage: Storage, tables: Tables) -> None:
        self._storage = storage
        self._tables = tables
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dynamodb-expiry", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            self.delete_expired(time.time())

    def delete_expired(self, now_s: float) -> int:
        """Delete every item whose time was before `now_s` (s since 1970); how many they were."""
        deleted = 0
        for schema in self._tables.all():
            if schema.ttl_attribute is None:
                continue
            while True:
                with self._storage.transaction() as transaction:
                    keys = transaction.expired(schema, now_s, BATCH)
                    for key in keys:
                        transaction.delete(schema, key, transaction.get(schema, key))
                deleted += len(keys)
                if len(keys) < BATCH:
                    break
        return deleted
