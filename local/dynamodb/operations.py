"""The operations on items by their names, from request to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.dynamodb import reads, writes
from local.dynamodb.reads import Request, Tables
from local.dynamodb.schema import Schema
from local.dynamodb.storage import Storage, Transaction

OneTable = Callable[[Request, Schema, Transaction], dict[str, Any]]
ManyTables = Callable[[Request, Tables, Transaction], dict[str, Any]]

_ONE_TABLE: dict[str, OneTable] = {
    "GetItem": reads.get_item,
    "Query": reads.query,
    "Scan": reads.scan,
    "PutItem": lambda *arguments: writes.single("Put", *arguments),
    "UpdateItem": lambda *arguments: writes.single("Update", *arguments),
    "DeleteItem": lambda *arguments: writes.single("Delete", *arguments),
}
_MANY_TABLES: dict[str, ManyTables] = {
    "BatchGetItem": reads.batch_get,
    "BatchWriteItem": writes.batch_write,
    "TransactGetItems": reads.transact_get,
    "TransactWriteItems": writes.transact_write,
}
NAMES = frozenset(_ONE_TABLE) | frozenset(_MANY_TABLES)


def carry_out(name: str, request: Request, tables: Tables, storage: Storage) -> dict[str, Any]:
    """One operation, whole. Raises DynamoError; then nothing was written."""
    if name in _MANY_TABLES:
        with storage.transaction() as transaction:
            return _MANY_TABLES[name](request, tables, transaction)
    schema = tables(request.get("TableName", ""))
    with storage.transaction() as transaction:
        return _ONE_TABLE[name](request, schema, transaction)
