"""Update expressions. Every operand sees the item as it was before the update.

Developer Guide, "Update expressions"; the order of the clauses in the text means nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from local.dynamodb import syntax
from local.dynamodb.binding import Binding, Steps, look_up
from local.dynamodb.errors import ValidationError
from local.dynamodb.values import (
    NUMBERS,
    SETS,
    TYPE_NAMES,
    Item,
    Value,
    number,
    number_text,
    type_of,
)

_KIND = "UpdateExpression"
_Operand = Callable[[Item], Value]


class Update:
    """A checked update expression, to be applied to any number of items."""

    def __init__(self, text: str, binding: Binding, key_names: Iterable[str]) -> None:
        self._binding = binding
        self._actions = [
            (action.clause, binding.steps(action.path, _KIND), self._value(action))
            for action in syntax.update(text)
        ]
        self.paths = [steps for _, steps, _ in self._actions]
        _require_apart(self.paths)
        for steps in self.paths:
            if steps[0] in set(key_names):
                raise ValidationError(
                    "One or more parameter values were invalid: Cannot update attribute "
                    f"{steps[0]}. This attribute is part of the key"
                )

    def apply(self, old: Item) -> Item:
        """The item after the update; raises ValidationError when it does not fit the item."""
        new = dict(old)
        for name in {steps[0] for steps in self.paths if len(steps) > 1 and steps[0] in old}:
            new[name] = copy.deepcopy(old[name])
        prepared = [
            (clause, steps, None if value is None else value(old))
            for clause, steps, value in self._actions
        ]
        # List elements: set upwards, so that appending past the end keeps the order; removed
        # downwards, so that an index still means what it meant in the old item.
        prepared.sort(key=lambda action: [_sortable(step) for step in action[1]])
        for clause, steps, value in prepared:
            if value is not None:
                _EFFECTS[clause](new, steps, value)
        for clause, steps, _ in reversed(prepared):
            if clause == "REMOVE":
                _remove(new, steps)
        return new

    def _value(self, action: syntax.Action) -> _Operand | None:
        if action.value is None:
            return None
        if action.clause == "SET":
            return self._operand(action.value)
        if not isinstance(action.value, syntax.Placeholder):
            raise _wrong(f'Syntax error; token: "{action.clause}"')
        value = self._binding.value(action.value, _KIND)
        allowed = set(SETS) | ({"N"} if action.clause == "ADD" else set())
        if type_of(value) not in allowed:
            raise _wrong_type(f"operator: {action.clause}", value)
        return lambda _item: value

    def _operand(self, node: syntax.Node) -> _Operand:
        match node:
            case syntax.Placeholder():
                value = self._binding.value(node, _KIND)
                return lambda _item: value
            case syntax.Path():
                steps = self._binding.steps(node, _KIND)
                return lambda item: _existing(item, steps)
            case syntax.Sum(operator, left, right):
                a, b = self._term(operator, left), self._term(operator, right)
                return lambda item: _add(operator, a(item), b(item))
            case syntax.Call("if_not_exists", (path, default)):
                return self._if_not_exists(path, default)
            case syntax.Call("list_append", (left, right)):
                a, b = self._operand(left), self._operand(right)
                return lambda item: {"L": [*_list(a(item)), *_list(b(item))]}
            case syntax.Call(function, _):
                raise _wrong(
                    "The function is not allowed in an update expression; function: " + function
                )
        raise _wrong(f"Syntax error; token: {node}")

    def _term(self, operator: str, node: syntax.Node) -> _Operand:
        if isinstance(node, syntax.Placeholder):
            value = self._binding.value(node, _KIND)
            if type_of(value) != "N":
                raise _wrong_type(f"operator or function: {operator}", value)
        return self._operand(node)

    def _if_not_exists(self, path: syntax.Node, default: syntax.Node) -> _Operand:
        if not isinstance(path, syntax.Path):
            raise _wrong(
                "Operator or function requires a document path; operator or function: if_not_exists"
            )
        steps, otherwise = self._binding.steps(path, _KIND), self._operand(default)
        return lambda item: (
            found if (found := look_up(item, steps)) is not None else (otherwise(item))
        )


def _wrong(message: str) -> ValidationError:
    return ValidationError(f"Invalid {_KIND}: {message}")


def _wrong_type(where: str, value: Value) -> ValidationError:
    return _wrong(
        f"Incorrect operand type for operator or function; {where}, operand type: "
        f"{TYPE_NAMES[type_of(value)]}"
    )


def _sortable(step: str | int) -> tuple[int, int, str]:
    return (0, step, "") if isinstance(step, int) else (1, 0, step)


def _require_apart(paths: list[Steps]) -> None:
    """No path may be another one or lie within it, or use it as both list and map."""
    for position, first in enumerate(paths):
        for second in paths[position + 1 :]:
            short = min(len(first), len(second))
            if first[:short] == second[:short]:
                raise _wrong(
                    "Two document paths overlap with each other; must remove or rewrite one of "
                    f"these paths; path one: {_listed(first)}, path two: {_listed(second)}"
                )


def _listed(steps: Steps) -> str:
    return "[" + ", ".join(f"[{s}]" if isinstance(s, int) else s for s in steps) + "]"


def _existing(item: Item, steps: Steps) -> Value:
    found = look_up(item, steps)
    if found is None:
        raise ValidationError(
            "The provided expression refers to an attribute that does not exist in the item"
        )
    return found


def _bad_operand() -> ValidationError:
    return ValidationError("An operand in the update expression has an incorrect data type")


def _list(value: Value) -> list[Value]:
    if type_of(value) != "L":
        raise _bad_operand()
    content: list[Value] = value["L"]
    return content


def _add(operator: str, left: Value, right: Value) -> Value:
    if type_of(left) != "N" or type_of(right) != "N":
        raise _bad_operand()
    a, b = number(left["N"]), number(right["N"])
    wide = NUMBERS.copy()
    wide.clear_traps()  # rounds to 38 digits, as DynamoDB does
    total: Decimal = wide.add(a, b) if operator == "+" else wide.subtract(a, b)
    return {"N": number_text(number(str(total)))}


def _parent(item: Item, steps: Steps) -> Any:
    """The map's or list's content in which the last step of the path is to be found."""
    if len(steps) == 1:
        return item
    value = look_up(item, steps[:-1])
    wanted = "L" if isinstance(steps[-1], int) else "M"
    if value is None or type_of(value) != wanted:
        raise ValidationError(
            "The document path provided in the update expression is invalid for update"
        )
    return value[wanted]


def _set(item: Item, steps: Steps, value: Value) -> None:
    parent, last = _parent(item, steps), steps[-1]
    if isinstance(last, int) and last >= len(parent):
        parent.append(value)
    else:
        parent[last] = value


def _add_to(item: Item, steps: Steps, value: Value) -> None:
    present, kind = look_up(item, steps), type_of(value)
    if present is None:
        _set(item, steps, value)
        return
    if type_of(present) != kind:
        raise _bad_operand()
    if kind == "N":
        _set(item, steps, _add("+", present, value))
    else:
        _set(item, steps, {kind: list(dict.fromkeys([*present[kind], *value[kind]]))})


def _delete_from(item: Item, steps: Steps, value: Value) -> None:
    present, kind = look_up(item, steps), type_of(value)
    if present is None:
        _parent(item, steps)
        return
    if type_of(present) != kind:
        raise _bad_operand()
    left = [member for member in present[kind] if member not in value[kind]]
    if left:
        _set(item, steps, {kind: left})
    else:  # a set cannot be empty
        _remove(item, steps)


def _remove(item: Item, steps: Steps) -> None:
    parent, last = _parent(item, steps), steps[-1]
    if isinstance(last, int):
        if last < len(parent):
            del parent[last]
    else:
        parent.pop(last, None)


_EFFECTS = {"SET": _set, "ADD": _add_to, "DELETE": _delete_from}
