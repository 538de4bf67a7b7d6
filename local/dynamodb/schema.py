"""Keys and indexes of a table, and what an item must be to fit them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.dynamodb.errors import ValidationError
from local.dynamodb.values import MAX_ITEM_BYTES, Item, checked, item_bytes, key_bytes, type_of

MAX_HASH_BYTES = 2048
MAX_RANGE_BYTES = 1024
_WRONG = "One or more parameter values were invalid: "


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The key attributes of a table or index; `range` is None when there is only a hash key."""

    hash: str
    range: str | None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.hash,) if self.range is None else (self.hash, self.range)


@dataclass(frozen=True, slots=True)
class Index:
    name: str
    key: KeyPair
    is_global: bool
    projected: frozenset[str] | None
    """Attributes the index holds; None = all."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A table's definition, as far as its items are concerned."""

    table_id: int
    name: str
    arn: str
    key: KeyPair
    types: Mapping[str, str]
    indexes: Mapping[str, Index]
    ttl_attribute: str | None = None

    def key_of(self, item: Item) -> tuple[bytes, bytes]:
        """The primary key of a whole item. Raises ValidationError when it lacks or mistypes it."""
        for name in self.key.names:
            if name not in item:
                raise ValidationError(f"{_WRONG}Missing the key {name} in the item")
            found = type_of(item[name])
            if found != self.types[name]:
                raise ValidationError(
                    f"{_WRONG}Type mismatch for key {name} expected: {self.types[name]} "
                    f"actual: {found}"
                )
        return self._encoded(item)

    def key_from(self, given: Any) -> tuple[bytes, bytes]:
        """A key as a request names it: exactly the key attributes, of their types."""
        if not isinstance(given, dict):
            raise ValidationError("The provided key element does not match the schema")
        key = {name: checked(value) for name, value in given.items()}
        matches = key.keys() == set(self.key.names) and all(
            type_of(key[name]) == self.types[name] for name in key
        )
        if not matches:
            raise ValidationError("The provided key element does not match the schema")
        return self._encoded(key)

    def _encoded(self, item: Item) -> tuple[bytes, bytes]:
        parts = []
        for name, limit in zip(self.key.names, (MAX_HASH_BYTES, MAX_RANGE_BYTES), strict=False):
            encoded = key_bytes(item[name])
            if not encoded:
                raise ValidationError(
                    "One or more parameter values are not valid. The AttributeValue for a key "
                    f"attribute cannot contain an empty {_word(item[name])} value. Key: {name}"
                )
            if len(encoded) > limit:
                which = "hashkey" if name == self.key.hash else "aggregated size of all range keys"
                raise ValidationError(
                    f"{_WRONG}Size of {which} has exceeded the maximum size limit of {limit} bytes"
                )
            parts.append(encoded)
        return parts[0], parts[1] if len(parts) > 1 else b""

    def entries_of(self, item: Item | None) -> dict[str, tuple[bytes, bytes]]:
        """Index name → key, for every index the item is in: those whose keys it has (sparse)."""
        if item is None:
            return {}
        entries = {}
        for index in self.indexes.values():
            if all(name in item for name in index.key.names):
                encoded = [self._index_key(index, name, item) for name in index.key.names]
                entries[index.name] = (encoded[0], encoded[1] if len(encoded) > 1 else b"")
            else:
                for name in index.key.names:
                    if name in item:
                        self._index_key(index, name, item)
        return entries

    def _index_key(self, index: Index, name: str, item: Item) -> bytes:
        value = item[name]
        if type_of(value) != self.types[name]:
            raise ValidationError(
                f"{_WRONG}Type mismatch for Index Key {name} Expected: {self.types[name]} "
                f"Actual: {type_of(value)} IndexName: {index.name}"
            )
        encoded = key_bytes(value)
        if not encoded:
            raise ValidationError(
                "One or more parameter values are not valid. A value specified for a secondary "
                "index key is not supported. The AttributeValue for a key attribute cannot contain "
                f"an empty {_word(value)} value. IndexName: {index.name}, IndexKey: {name}"
            )
        return encoded

    def expiry_of(self, item: Item) -> int | None:
        """When the item expires, s since 1970, or None."""
        value = item.get(self.ttl_attribute) if self.ttl_attribute else None
        return int(float(value["N"])) if value and "N" in value else None

    def visible(self, index: Index, item: Item) -> Item:
        """The part of an item that an index holds."""
        if index.projected is None:
            return item
        return {name: value for name, value in item.items() if name in index.projected}


def _word(value: Mapping[str, Any]) -> str:
    return "string" if "S" in value else "binary"


def checked_item(item: Any) -> Item:
    """An item with every value checked. Raises ValidationError, also when it is too large."""
    if not isinstance(item, dict):
        raise ValidationError("Item must be a map of attribute names to values")
    return sized({name: checked(value) for name, value in item.items()})


def sized(item: Item) -> Item:
    if item_bytes(item) > MAX_ITEM_BYTES:
        raise ValidationError("Item size has exceeded the maximum allowed size")
    return item
