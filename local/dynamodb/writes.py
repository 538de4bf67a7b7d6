"""PutItem, UpdateItem, DeleteItem, BatchWriteItem and TransactWriteItems."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.dynamodb import capacity
from local.dynamodb.binding import Binding, project
from local.dynamodb.conditions import Test, compile_test
from local.dynamodb.errors import ConditionFailedError, DynamoError, ValidationError
from local.dynamodb.reads import Request, Tables
from local.dynamodb.schema import Schema, checked_item, sized
from local.dynamodb.storage import Key, Transaction
from local.dynamodb.updates import Update
from local.dynamodb.values import Item, item_bytes

TOKEN_KEPT_S = 600.0  # "idempotent … for 10 minutes after the first request"
_RETURN_VALUES = {
    "Put": ("NONE", "ALL_OLD"),
    "Delete": ("NONE", "ALL_OLD"),
    "Update": ("NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"),
}


@dataclass
class Write:
    """One checked write, ready to be carried out."""

    schema: Schema
    key: Key
    test: Test | None
    return_old_on_failure: bool
    change: Callable[[Item | None], Item | None] | None
    """Old item → new item (None: deleted); None for a mere ConditionCheck."""
    update: Update | None = None
    old: Item | None = None
    new: Item | None = None
    moved: int = 0
    transactional: bool = False

    def carry_out(self, transaction: Transaction, transactional: bool = False) -> None:
        """Raises ConditionFailedError or ValidationError; then nothing was written."""
        self.old = transaction.get(self.schema, self.key)
        if self.test is not None and not self.test(self.old or {}):
            raise ConditionFailedError(self.old if self.return_old_on_failure else None)
        self.new = self.old if self.change is None else self.change(self.old)
        self.moved = self._store(transaction)
        self.transactional = transactional

    @property
    def consumed(self) -> capacity.Consumed:
        """Capacity that was used; only counted when somebody asks."""
        size = max(item_bytes(self.old or {}), item_bytes(self.new or {}))
        units = capacity.write_units(size, self.transactional)
        consumed = capacity.Consumed(self.schema)
        consumed.add(None, units)
        if self.moved:
            for name in self.schema.entries_of(self.new) | self.schema.entries_of(self.old):
                consumed.add(self.schema.indexes[name], units)
        return consumed

    def _store(self, transaction: Transaction) -> int:
        if self.change is None:
            return 0
        if self.new is None:
            return transaction.delete(self.schema, self.key, self.old)
        return transaction.put(self.schema, self.key, self.new, self.old)


def prepare(kind: str, request: Request, schema: Schema) -> Write:
    """Check a Put, Update, Delete or ConditionCheck against the table's schema."""
    binding = Binding(request)
    text = request.get("ConditionExpression")
    test = compile_test(text, binding) if text is not None else None
    return_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    if kind == "Put":
        item = checked_item(request.get("Item"))
        write = Write(schema, schema.key_of(item), test, return_old, lambda _old: item)
        schema.entries_of(item)  # raises for wrong index keys before anything is tested
    elif kind == "Update":
        write = _prepare_update(request, schema, binding, test, return_old)
    else:
        key = schema.key_from(request.get("Key"))
        change = (lambda _old: None) if kind == "Delete" else None
        write = Write(schema, key, test, return_old, change)
    binding.require_all_used()
    return write


def _prepare_update(
    request: Request, schema: Schema, binding: Binding, test: Test | None, return_old: bool
) -> Write:
    key = schema.key_from(request.get("Key"))
    given: Item = dict(request["Key"])
    text = request.get("UpdateExpression")
    update = None if text is None else Update(text, binding, schema.key.names)

    def change(old: Item | None) -> Item:
        base = given if old is None else old
        return sized(base if update is None else update.apply(base))

    return Write(schema, key, test, return_old, change, update)


def single(kind: str, request: Request, schema: Schema, transaction: Transaction) -> dict[str, Any]:
    """PutItem, UpdateItem or DeleteItem."""
    wanted = request.get("ReturnValues", "NONE")
    if wanted not in _RETURN_VALUES[kind]:
        raise ValidationError("Return values set to invalid value")
    write = prepare(kind, request, schema)
    write.carry_out(transaction)
    attributes = _returned(write, wanted)
    answer = {"Attributes": attributes} if attributes else {}
    return answer | capacity.one(request, lambda: write.consumed)


def _returned(write: Write, wanted: str) -> Item | None:
    item = write.old if wanted.endswith("OLD") else write.new if wanted.endswith("NEW") else None
    if item is not None and wanted.startswith("UPDATED"):
        return project(item, write.update.paths) if write.update else None
    return item


def batch_write(request: Request, tables: Tables, transaction: Transaction) -> dict[str, Any]:
    """All or nothing here, where DynamoDB promises it for each item only."""
    wanted: Mapping[str, list[dict[str, Any]]] = request.get("RequestItems") or {}
    if not 1 <= sum(map(len, wanted.values())) <= 25:
        raise ValidationError("Too many items requested for the BatchWriteItem call")
    writes = []
    for name, entries in wanted.items():
        schema = tables(name)
        for entry in entries:
            ((operation, body),) = entry.items()
            writes.append(prepare(operation.removesuffix("Request"), body, schema))
    places = [(write.schema.table_id, write.key) for write in writes]
    if len(set(places)) != len(places):
        raise ValidationError("Provided list of item keys contains duplicates")
    for write in writes:
        write.carry_out(transaction)
    return {"UnprocessedItems": {}} | capacity.several(
        request, (write.consumed for write in writes)
    )


def transact_write(request: Request, tables: Tables, transaction: Transaction) -> dict[str, Any]:
    """Raises TransactionCanceledException with one reason for each item; the caller rolls back."""
    entries = request.get("TransactItems") or []
    if not 1 <= len(entries) <= 100:
        raise ValidationError(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            "Member must have length less than or equal to 100"
        )
    if _done_before(request, transaction):
        return {}
    writes = [_prepare_entry(entry, tables) for entry in entries]
    places = [(write.schema.table_id, write.key) for write in writes]
    if len(set(places)) != len(places):
        raise ValidationError("Transaction request cannot include multiple operations on one item")
    reasons = [_reason(write, transaction) for write in writes]
    if any(reason["Code"] != "None" for reason in reasons):
        codes = ", ".join(reason["Code"] for reason in reasons)
        raise DynamoError(
            "TransactionCanceledException",
            "Transaction cancelled, please refer cancellation reasons for specific reasons "
            f"[{codes}]",
            CancellationReasons=reasons,
        )
    return capacity.several(request, (write.consumed for write in writes))


def _prepare_entry(entry: Mapping[str, Any], tables: Tables) -> Write:
    operations = ("ConditionCheck", "Put", "Delete", "Update")
    chosen = [name for name in operations if entry.get(name) is not None]
    if len(chosen) != 1:
        raise ValidationError("TransactItems can only contain one of Check, Put, Update or Delete")
    body = entry[chosen[0]]
    if chosen[0] == "ConditionCheck" and not body.get("ConditionExpression"):
        raise ValidationError("ConditionExpression must be specified for ConditionCheck")
    return prepare(chosen[0], body, tables(body["TableName"]))


def _reason(write: Write, transaction: Transaction) -> dict[str, Any]:
    try:
        write.carry_out(transaction, transactional=True)
    except ConditionFailedError as error:
        return {
            "Code": "ConditionalCheckFailed",
            "Message": error.message,
            **error.members,
        }
    except ValidationError as error:
        return {"Code": "ValidationError", "Message": error.message}
    return {"Code": "None"}


def _done_before(request: Request, transaction: Transaction) -> bool:
    """Whether a request with this ClientRequestToken has been carried out already.

    Remembered in the same transaction as the change, so a client that repeats its request after a
    crash between commit and answer does not change anything twice.
    """
    token = request.get("ClientRequestToken")
    if not token:
        return False
    content = json.dumps(request["TransactItems"], sort_keys=True).encode()
    digest = hashlib.sha256(content).digest()
    seen = transaction.seen(token)
    if seen is not None and seen != digest:
        raise DynamoError(
            "IdempotentParameterMismatchException",
            "The request with the same client token was received with different parameters",
        )
    if seen is None:
        transaction.remember(token, digest, time.time(), TOKEN_KEPT_S)
    return seen is not None
