"""Consumed capacity units. Developer Guide, "Read and write operations on-demand capacity"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.dynamodb.errors import ValidationError
from local.dynamodb.schema import Index, Schema

READ_BYTES = 4096
WRITE_BYTES = 1024


def read_units(size: int, consistent: bool, transactional: bool = False) -> float:
    """One unit reads 4 KB consistently, half a unit eventually, two in a transaction."""
    factor = 2.0 if transactional else 1.0 if consistent else 0.5
    return max(1, -(-size // READ_BYTES)) * factor


def write_units(size: int, transactional: bool = False) -> float:
    return max(1, -(-size // WRITE_BYTES)) * (2.0 if transactional else 1.0)


@dataclass
class Consumed:
    """What one operation used of one table."""

    schema: Schema
    table: float = 0.0
    indexes: dict[str, float] = field(default_factory=dict)

    def add(self, index: Index | None, units: float) -> None:
        if index is None:
            self.table += units
        else:
            self.indexes[index.name] = self.indexes.get(index.name, 0.0) + units

    def report(self, detail: str) -> dict[str, Any]:
        """ConsumedCapacity as the API returns it for `TOTAL` or `INDEXES`."""
        total = self.table + sum(self.indexes.values())
        report: dict[str, Any] = {"TableName": self.schema.name, "CapacityUnits": total}
        if detail == "INDEXES":
            report["Table"] = {"CapacityUnits": self.table}
            for is_global, name in ((True, "Global"), (False, "Local")):
                units = {
                    index: {"CapacityUnits": used}
                    for index, used in self.indexes.items()
                    if self.schema.indexes[index].is_global is is_global
                }
                if units:
                    report[f"{name}SecondaryIndexes"] = units
        return report


def detail_of(request: Mapping[str, Any]) -> str | None:
    """The wanted detail, or None. Raises ValidationError for an unknown one."""
    detail = request.get("ReturnConsumedCapacity", "NONE")
    if detail not in ("NONE", "TOTAL", "INDEXES"):
        raise ValidationError(
            f"1 validation error detected: Value '{detail}' at 'returnConsumedCapacity' failed to "
            "satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
        )
    return None if detail == "NONE" else str(detail)


def one(request: Mapping[str, Any], consumed: Callable[[], Consumed]) -> dict[str, Any]:
    """`ConsumedCapacity` of a single-table answer, when it was asked for."""
    detail = detail_of(request)
    return {"ConsumedCapacity": consumed().report(detail)} if detail else {}


def several(request: Mapping[str, Any], all_consumed: Iterable[Consumed]) -> dict[str, Any]:
    """`ConsumedCapacity` of an answer about several tables, summed by table."""
    detail = detail_of(request)
    if not detail:
        return {}
    by_table: dict[str, Consumed] = {}
    for consumed in all_consumed:
        total = by_table.setdefault(consumed.schema.name, Consumed(consumed.schema))
        total.table += consumed.table
        for name, units in consumed.indexes.items():
            total.indexes[name] = total.indexes.get(name, 0.0) + units
    return {"ConsumedCapacity": [total.report(detail) for total in by_table.values()]}
