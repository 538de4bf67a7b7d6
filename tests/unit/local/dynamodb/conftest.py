"""A table as the pipeline has it, in a storage of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.dynamodb import reads, writes
from local.dynamodb.schema import Index, KeyPair, Schema
from local.dynamodb.storage import Storage

TABLE = "t"


def make_schema() -> Schema:
    string_keys = ("pk", "sk", "status_shard", "created_key", "due_shard", "due_at")
    return Schema(
        1,
        TABLE,
        f"arn:aws:dynamodb:us-east-1:000000000000:table/{TABLE}",
        KeyPair("pk", "sk"),
        dict.fromkeys(string_keys, "S") | {"ranking": "N"},
        {
            "by_status": Index("by_status", KeyPair("status_shard", "created_key"), True, None),
            "by_due": Index(
                "by_due",
                KeyPair("due_shard", "due_at"),
                True,
                frozenset(("pk", "sk", "due_shard", "due_at", "kind")),
            ),
            "by_rank": Index("by_rank", KeyPair("pk", "ranking"), False, None),
        },
        "ttl",
    )


class Table:
    """The API's operations on that one table; errors are raised."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.schema = make_schema()

    def _one(self, operation: Callable[..., dict[str, Any]], **request: Any) -> dict[str, Any]:
        with self.storage.transaction() as transaction:
            return operation(request, self.schema, transaction)

    def put(self, item: dict[str, Any], **request: Any) -> dict[str, Any]:
        return self._one(lambda *a: writes.single("Put", *a), Item=item, **request)

    def update(self, key: dict[str, Any], expression: str, **request: Any) -> dict[str, Any]:
        return self._one(
            lambda *a: writes.single("Update", *a), Key=key, UpdateExpression=expression, **request
        )

    def delete(self, key: dict[str, Any], **request: Any) -> dict[str, Any]:
        return self._one(lambda *a: writes.single("Delete", *a), Key=key, **request)

    def get(self, key: dict[str, Any], **request: Any) -> dict[str, Any] | None:
        return self._one(reads.get_item, Key=key, **request).get("Item")

    def query(self, condition: str, **request: Any) -> dict[str, Any]:
        return self._one(reads.query, KeyConditionExpression=condition, **request)

    def scan(self, **request: Any) -> dict[str, Any]:
        return self._one(reads.scan, **request)

    def transact(self, *entries: dict[str, Any], **request: Any) -> dict[str, Any]:
        named = [{kind: {"TableName": TABLE, **b} for kind, b in e.items()} for e in entries]
        with self.storage.transaction() as transaction:
            return writes.transact_write(
                {"TransactItems": named, **request}, lambda _name: self.schema, transaction
            )


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    storage = Storage(tmp_path / "tables.sqlite")
    yield Table(storage)
    storage.close()
