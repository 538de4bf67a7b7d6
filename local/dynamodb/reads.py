"""GetItem, Query, Scan, BatchGetItem and TransactGetItems."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from local.dynamodb import capacity, keyconditions, syntax
from local.dynamodb.binding import Binding, Steps, project
from local.dynamodb.conditions import Test, compile_test
from local.dynamodb.errors import ValidationError
from local.dynamodb.schema import Index, KeyPair, Schema
from local.dynamodb.storage import Position, Transaction
from local.dynamodb.values import Item, checked, item_bytes, key_bytes, type_of

PAGE_BYTES = 1024 * 1024
BATCH_BYTES = 16 * 1024 * 1024
Request = Mapping[str, Any]
Tables = Callable[[str], Schema]
"""Table name or ARN → schema; raises ResourceNotFoundException."""


def get_item(request: Request, schema: Schema, transaction: Transaction) -> dict[str, Any]:
    item, consumed = _get(request, schema, transaction)
    return ({"Item": item} if item is not None else {}) | capacity.one(request, lambda: consumed)


def _get(
    request: Request, schema: Schema, transaction: Transaction, transactional: bool = False
) -> tuple[Item | None, capacity.Consumed]:
    binding = Binding(request)
    paths = projection_of(request, binding)
    binding.require_all_used()
    item = transaction.get(schema, schema.key_from(request.get("Key")))
    consumed = capacity.Consumed(schema)
    size = item_bytes(item) if item else 0
    consistent = bool(request.get("ConsistentRead"))
    consumed.add(None, capacity.read_units(size, consistent, transactional))
    if item is None or paths is None:
        return item, consumed
    return project(item, paths), consumed


def projection_of(request: Request, binding: Binding) -> list[Steps] | None:
    text = request.get("ProjectionExpression")
    if text is None:
        return None
    paths = [binding.steps(p, "ProjectionExpression") for p in syntax.projection(text)]
    for position, first in enumerate(paths):
        for second in paths[position + 1 :]:
            short = min(len(first), len(second))
            if first[:short] == second[:short]:
                raise ValidationError(
                    "Invalid ProjectionExpression: Two document paths overlap with each other; "
                    "must remove or rewrite one of these paths; path one: "
                    f"{list(first)}, path two: {list(second)}"
                )
    return paths


def batch_get(request: Request, tables: Tables, transaction: Transaction) -> dict[str, Any]:
    wanted = request.get("RequestItems") or {}
    count = sum(len(part.get("Keys", ())) for part in wanted.values())
    if count > 100:
        raise ValidationError("Too many items requested for the BatchGetItem call")
    answer = _Batch()
    for name, part in wanted.items():
        answer.add_table(name, part, tables(name), transaction)
    return {
        "Responses": answer.found,
        "UnprocessedKeys": answer.unprocessed,
    } | capacity.several(request, answer.consumed)


class _Batch:
    """Collects the answer of a BatchGetItem until it is 16 MB large."""

    def __init__(self) -> None:
        self.found: dict[str, list[Item]] = {}
        self.unprocessed: dict[str, Any] = {}
        self.consumed: list[capacity.Consumed] = []
        self._bytes = 0

    def add_table(self, name: str, part: Request, schema: Schema, transaction: Transaction) -> None:
        keys = part.get("Keys", [])
        encoded = [schema.key_from(key) for key in keys]
        if len(set(encoded)) != len(encoded):
            raise ValidationError("Provided list of item keys contains duplicates")
        self.found[name] = []
        for position, key in enumerate(keys):
            if self._bytes > BATCH_BYTES:
                self.unprocessed[name] = {**part, "Keys": keys[position:]}
                return
            item, consumed = _get({**part, "Key": key}, schema, transaction)
            self.consumed.append(consumed)
            if item is not None:
                self._bytes += item_bytes(item)
                self.found[name].append(item)


def transact_get(request: Request, tables: Tables, transaction: Transaction) -> dict[str, Any]:
    gets = [entry.get("Get") or {} for entry in request.get("TransactItems", [])]
    if len(gets) > 100:
        raise ValidationError(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            "Member must have length less than or equal to 100"
        )
    answers = [_get(get, tables(get["TableName"]), transaction, True) for get in gets]
    return {
        "Responses": [{"Item": item} if item is not None else {} for item, _ in answers]
    } | capacity.several(request, [consumed for _, consumed in answers])


@dataclass(frozen=True, slots=True)
class _Listing:
    """What Query and Scan have in common."""

    schema: Schema
    index: Index | None
    filter: Test | None
    paths: list[Steps] | None
    count_only: bool
    whole: bool
    """Return whole items although the index does not hold them (local indexes only)."""

    @property
    def key(self) -> KeyPair:
        return self.index.key if self.index else self.schema.key

    @property
    def start_names(self) -> set[str]:
        return {*self.schema.key.names, *self.key.names}

    def visible(self, item: Item) -> Item:
        if self.index is None or self.whole:
            return item
        return self.schema.visible(self.index, item)


def query(request: Request, schema: Schema, transaction: Transaction) -> dict[str, Any]:
    binding = Binding(request)
    index = _index(request, schema)
    key = index.key if index else schema.key
    text = request.get("KeyConditionExpression")
    if text is None:
        raise ValidationError(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
            "request."
        )
    hash_key, bounds = keyconditions.parse(text, binding, schema, key)
    listing = _listing(request, schema, index, binding, filter_excludes=key)
    forward = request.get("ScanIndexForward", True) is not False
    start = _start(request, listing)
    after = start[1] if start else None
    if index is None:
        items = transaction.query(schema, hash_key, bounds, after, forward)
    else:
        items = transaction.query_index(schema, index.name, hash_key, bounds, after, forward)
    return _page(request, listing, items)


def scan(request: Request, schema: Schema, transaction: Transaction) -> dict[str, Any]:
    listing = _listing(request, schema, _index(request, schema), Binding(request), None)
    start = _start(request, listing)
    if listing.index is None:
        items = transaction.scan(schema, start[1].item if start else None)
    else:
        items = transaction.scan_index(schema, listing.index.name, start)
    return _page(request, listing, _segment(request, listing, items))


def _segment(request: Request, listing: _Listing, items: Iterator[Item]) -> Iterator[Item]:
    total = request.get("TotalSegments")
    if total is None:
        yield from items
        return
    segment = request.get("Segment")
    if segment is None or not 0 <= segment < total:
        raise ValidationError(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments"
        )
    name = listing.key.hash
    for item in items:
        if zlib.crc32(key_bytes(item[name])) % total == segment:
            yield item


def _index(request: Request, schema: Schema) -> Index | None:
    name = request.get("IndexName")
    if name is None:
        return None
    if name not in schema.indexes:
        raise ValidationError(f"The table does not have the specified index: {name}")
    index = schema.indexes[name]
    if index.is_global and request.get("ConsistentRead"):
        raise ValidationError("Consistent reads are not supported on global secondary indexes")
    return index


def _listing(
    request: Request,
    schema: Schema,
    index: Index | None,
    binding: Binding,
    filter_excludes: KeyPair | None,
) -> _Listing:
    paths = projection_of(request, binding)
    text = request.get("FilterExpression")
    test = compile_test(text, binding, "FilterExpression") if text is not None else None
    if text is not None and filter_excludes is not None:
        _reject_keys_in_filter(text, binding, filter_excludes)
    binding.require_all_used()
    select = request.get("Select")
    if select == "COUNT" and paths is not None:
        raise ValidationError(
            "Cannot specify the ProjectionExpression when choosing to get only the Count"
        )
    _require_projected(index, paths, select)
    whole = (
        index is not None
        and not index.is_global
        and (select == "ALL_ATTRIBUTES" or paths is not None)
    )
    return _Listing(schema, index, test, paths, select == "COUNT", whole)


def _require_projected(index: Index | None, paths: list[Steps] | None, select: str | None) -> None:
    if index is None or not index.is_global or index.projected is None:
        return
    if select == "ALL_ATTRIBUTES":
        raise ValidationError(
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not "
            f"supported for global secondary index {index.name} because its projection type is "
            "not ALL"
        )
    missing = [str(path[0]) for path in paths or () if path[0] not in index.projected]
    if missing:
        raise ValidationError(
            "One or more parameter values were invalid: Global secondary index "
            f"{index.name} does not project [{', '.join(missing)}]"
        )


def _reject_keys_in_filter(text: str, binding: Binding, key: KeyPair) -> None:
    for path in _paths_in(syntax.condition(text, "FilterExpression")):
        name = binding.steps(path, "FilterExpression")[0]
        if name in key.names:
            raise ValidationError(
                "Filter Expression can only contain non-primary key attributes: Primary key "
                f"attribute: {name}"
            )


def _paths_in(node: syntax.Node) -> Iterable[syntax.Path]:
    if isinstance(node, syntax.Path):
        yield node
    for name in getattr(node, "__slots__", ()):
        part = getattr(node, name)
        for child in part if isinstance(part, tuple) else (part,):
            if hasattr(child, "__slots__"):
                yield from _paths_in(child)


def _start(request: Request, listing: _Listing) -> tuple[bytes, Position] | None:
    """Where ExclusiveStartKey points: hash key of the listing, and the position in it."""
    given = request.get("ExclusiveStartKey")
    if given is None:
        return None
    start = {name: checked(value) for name, value in given.items()}
    types = listing.schema.types
    if start.keys() != listing.start_names or any(
        type_of(value) != types[name] for name, value in start.items()
    ):
        raise ValidationError("The provided starting key is invalid")
    key = listing.key
    item_key = listing.schema.key_of(start)
    range_key = key_bytes(start[key.range]) if key.range else b""
    return key_bytes(start[key.hash]), Position(range_key, item_key)


def _page(request: Request, listing: _Listing, items: Iterator[Item]) -> dict[str, Any]:
    limit = request.get("Limit")
    if limit is not None and limit < 1:
        raise ValidationError(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy "
            "constraint: Member must have value greater than or equal to 1"
        )
    page, last, scanned, read = [], None, 0, 0
    with closing(items):  # type: ignore[type-var]
        for item in items:
            shown = listing.visible(item)
            size = item_bytes(shown)
            if scanned and read + size > PAGE_BYTES:
                break
            scanned, read, last = scanned + 1, read + size, item
            if listing.filter is None or listing.filter(shown):
                page.append(shown)
            if scanned == limit:
                break
        else:
            last = None
    return _answer(request, listing, page, last, scanned, read)


def _answer(
    request: Request,
    listing: _Listing,
    page: list[Item],
    last: Item | None,
    scanned: int,
    read: int,
) -> dict[str, Any]:
    """`last` is the item the page ended at, or None when the listing is complete."""
    answer: dict[str, Any] = {"Count": len(page), "ScannedCount": scanned}
    if not listing.count_only:
        paths = listing.paths
        answer["Items"] = page if paths is None else [project(item, paths) for item in page]
    if last is not None:
        answer["LastEvaluatedKey"] = {name: last[name] for name in sorted(listing.start_names)}
    consumed = capacity.Consumed(listing.schema)
    units = capacity.read_units(read, bool(request.get("ConsistentRead")))
    consumed.add(listing.index, units)
    return answer | capacity.one(request, lambda: consumed)
