"""What `#name` and `:value` stand for in one request, and whether each of them is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local.dynamodb import syntax
from local.dynamodb.errors import ValidationError
from local.dynamodb.values import Item, Value, checked, type_of

Steps = tuple[str | int, ...]
"""A document path with every name put in: `("a", "b", 3)`."""


_LEGACY = (
    "Expected", "AttributeUpdates", "ConditionalOperator", "KeyConditions", "QueryFilter",
    "ScanFilter", "AttributesToGet",
)  # fmt: skip


class Binding:
    """ExpressionAttributeNames and ExpressionAttributeValues of one request.

    Raises ValidationError for a parameter that expressions have replaced: to ignore it would be to
    do something else than what was asked for.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        for parameter in _LEGACY:
            if parameter in request:
                raise ValidationError(f"{parameter} is not supported here: use an expression")
        self._names: dict[str, str] = request.get("ExpressionAttributeNames") or {}
        values = request.get("ExpressionAttributeValues")
        if values == {}:
            raise ValidationError("ExpressionAttributeValues must not be empty")
        self._values = {name: self._checked(name, value) for name, value in (values or {}).items()}
        self._used: set[str] = set()

    @staticmethod
    def _checked(name: str, value: Any) -> Value:
        try:
            return checked(value)
        except ValidationError as error:
            raise ValidationError(
                f"ExpressionAttributeValues contains invalid value: {error.message} for key {name}"
            ) from None

    def steps(self, path: syntax.Path, kind: str) -> Steps:
        return tuple(self._step(part, kind) for part in path.parts)

    def _step(self, part: str | int, kind: str) -> str | int:
        if isinstance(part, int) or not part.startswith("#"):
            return part
        self._used.add(part)
        try:
            return self._names[part]
        except KeyError:
            raise ValidationError(
                f"Invalid {kind}: An expression attribute name used in the document path is not "
                f"defined; attribute name: {part}"
            ) from None

    def value(self, placeholder: syntax.Placeholder, kind: str) -> Value:
        self._used.add(placeholder.name)
        try:
            return self._values[placeholder.name]
        except KeyError:
            raise ValidationError(
                f"Invalid {kind}: An expression attribute value used in expression is not defined; "
                f"attribute value: {placeholder.name}"
            ) from None

    def require_all_used(self) -> None:
        """Raises ValidationError for a name or value no expression of the request mentions."""
        for what, given in (("Names", self._names), ("Values", self._values)):
            unused = [name for name in given if name not in self._used]
            if unused:
                raise ValidationError(
                    f"Value provided in ExpressionAttribute{what} unused in expressions: keys: "
                    f"{{{', '.join(unused)}}}"
                )


def look_up(item: Item, steps: Steps) -> Value | None:
    """The value at a document path, or None where there is none."""
    value: Value | None = item.get(str(steps[0]))
    for step in steps[1:]:
        if value is None:
            return None
        kind = type_of(value)
        if isinstance(step, int):
            value = value["L"][step] if kind == "L" and step < len(value["L"]) else None
        else:
            value = value["M"].get(step) if kind == "M" else None
    return value


def project(item: Item, paths: Iterable[Steps]) -> Item:
    """The parts of an item that the paths name, nested as in the item; chosen list elements move
    up to the front of their list."""
    tree: dict[str | int, Any] = {}
    for steps in paths:
        node = tree
        for step in steps:
            node = node.setdefault(step, {})
        node[_WHOLE] = {}
    parts: Item = _pick({"M": item}, tree, top=True).get("M", {})
    return parts


_WHOLE = "\0whole"  # no attribute has this name: NUL cannot be part of an expression


def _pick(value: Value, tree: Mapping[str | int, Any], top: bool = False) -> Value:
    """The chosen part of a value, or {} when the path does not exist in it."""
    if _WHOLE in tree:
        return value
    kind = type_of(value)
    if kind == "M":
        parts = {
            name: picked
            for name, below in tree.items()
            if name in value["M"] and (picked := _pick(value["M"][name], below))
        }
        return {"M": parts} if parts or top else {}
    if kind == "L":
        size = len(value["L"])
        wanted = sorted(step for step in tree if isinstance(step, int) and step < size)
        chosen = [picked for step in wanted if (picked := _pick(value["L"][step], tree[step]))]
        return {"L": chosen} if chosen else {}
    return {}
