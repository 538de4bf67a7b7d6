"""Table definitions: moto's `Table` objects, kept in the storage and read as `Schema`.

moto does what a definition needs (CreateTable and its checks, GSI updates, tags, TTL, backups'
settings, DescribeTable). Its items are not used: they live in memory, a GSI query reads them all,
and concurrent conditional writes are not atomic.
"""

from __future__ import annotations

import pickle
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from local.dynamodb.errors import table_not_found
from local.dynamodb.schema import Index, KeyPair, Schema
from local.dynamodb.storage import Storage

_Place = tuple[str, str, str]
"""Account, region and name of a table."""


class Tables:
    """Every table of every account and region, restored when this is made."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._schemas: dict[_Place, Schema] = {}
        self._saved: dict[_Place, bytes] = {}
        with storage.transaction() as transaction:
            rows = transaction.tables()
        for table_id, account, region, name, definition in rows:
            table: Table = pickle.loads(definition)  # noqa: S301 - our own file
            dynamodb_backends[account][region].tables[name] = table
            place = (account, region, name)
            self._saved[place] = definition
            self._schemas[place] = _schema(table_id, table)

    def schema(self, account: str, region: str, name_or_arn: str) -> Schema:
        """Raises ResourceNotFoundException."""
        name = name_or_arn.rpartition("/")[2]
        schema = self._schemas.get((account, region, name))
        if schema is None:
            raise table_not_found()
        return schema

    def all(self) -> list[Schema]:
        return list(self._schemas.values())

    def synchronize(self, account: str, region: str) -> None:
        """Write down what moto changed in the definitions, before the caller hears of it."""
        tables = dict(dynamodb_backends[account][region].tables)
        here = [place for place in self._schemas if place[:2] == (account, region)]
        for place in here:
            if place[2] not in tables:
                self._drop(place)
        for name, table in tables.items():
            self._keep((account, region, name), table)

    def _drop(self, place: _Place) -> None:
        with self._storage.transaction() as transaction:
            transaction.drop_table(self._schemas.pop(place).table_id)
        del self._saved[place]

    def _keep(self, place: _Place, table: Table) -> None:
        definition = pickle.dumps(table)
        if self._saved.get(place) == definition:
            return
        before = self._schemas.get(place)
        with self._storage.transaction() as transaction:
            schema = _schema(transaction.put_table(*place, definition), table)
            if before is not None and _differs(before, schema):
                transaction.reindex(schema)
        self._schemas[place] = schema
        self._saved[place] = definition


def _differs(before: Schema, after: Schema) -> bool:
    return before.indexes != after.indexes or before.ttl_attribute != after.ttl_attribute


def _schema(table_id: int, table: Table) -> Schema:
    types = {part["AttributeName"]: part["AttributeType"] for part in table.attr}
    key = _key_pair(table.schema)
    indexes = [_index(index, key, True) for index in table.global_indexes]
    indexes += [_index(index, key, False) for index in table.indexes]
    enabled = table.ttl.get("TimeToLiveStatus") == "ENABLED"
    return Schema(
        table_id,
        table.name,
        table.table_arn,
        key,
        types,
        {index.name: index for index in indexes},
        str(table.ttl["AttributeName"]) if enabled else None,
    )


def _key_pair(elements: list[dict[str, Any]]) -> KeyPair:
    names = {element["KeyType"]: element["AttributeName"] for element in elements}
    return KeyPair(names["HASH"], names.get("RANGE"))


def _index(index: Any, table_key: KeyPair, is_global: bool) -> Index:
    key = _key_pair(index.schema)
    projection = index.projection or {"ProjectionType": "ALL"}
    if projection.get("ProjectionType", "ALL") == "ALL":
        projected = None
    else:
        extra = projection.get("NonKeyAttributes") or ()
        projected = frozenset((*table_key.names, *key.names, *extra))
    return Index(index.name, key, is_global, projected)
