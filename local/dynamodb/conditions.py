"""Does an item meet a condition or filter? Developer Guide, "Condition expressions reference"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.dynamodb import syntax
from local.dynamodb.binding import Binding, look_up
from local.dynamodb.errors import ValidationError
from local.dynamodb.values import SETS, TYPE_NAMES, Item, Value, equal, order_key, type_of

Test = Callable[[Item], bool]
_Operand = Callable[[Item], Value | None]
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def compile_test(text: str, binding: Binding, kind: str = "ConditionExpression") -> Test:
    """The expression as a function of an item ({} for an item that does not exist).

    Raises ValidationError for a wrong expression, also when no item is ever tested.
    """
    return _Compiler(binding, kind).test(syntax.condition(text, kind))


class _Compiler:
    def __init__(self, binding: Binding, kind: str) -> None:
        self._binding = binding
        self._kind = kind

    def _error(self, message: str) -> ValidationError:
        return ValidationError(f"Invalid {self._kind}: {message}")

    def test(self, node: syntax.Node) -> Test:
        match node:
            case syntax.Both(operator, left, right):
                return self._both(operator, self.test(left), self.test(right))
            case syntax.Not(operand):
                inner = self.test(operand)
                return lambda item: not inner(item)
            case syntax.Compare(operator, left, right):
                return self._compare(operator, left, right)
            case syntax.Between(operand, low, high):
                return self._between(operand, low, high)
            case syntax.In(operand, options):
                return self._in(operand, options)
            case syntax.Call(function, arguments):
                return self._call(function, arguments)
        raise self._error(f"Syntax error; token: {node}")

    @staticmethod
    def _both(operator: str, left: Test, right: Test) -> Test:
        if operator == "AND":
            return lambda item: left(item) and right(item)
        return lambda item: left(item) or right(item)

    def operand(self, node: syntax.Node) -> _Operand:
        match node:
            case syntax.Placeholder():
                value = self._binding.value(node, self._kind)
                return lambda _item: value
            case syntax.Path():
                steps = self._binding.steps(node, self._kind)
                return lambda item: look_up(item, steps)
            case syntax.Call("size", (argument,)):
                return self._size(argument)
            case syntax.Call(function, _):
                raise self._error(
                    f"The function is not allowed to be used this way in an expression; function: "
                    f"{function}"
                )
        raise self._error(f"Syntax error; token: {node}")

    def _size(self, node: syntax.Node) -> _Operand:
        if not isinstance(node, syntax.Path):
            raise self._error(
                "Operator or function requires a document path; operator or function: size"
            )
        inner = self.operand(node)

        def size(item: Item) -> Value | None:
            value = inner(item)
            if value is None or type_of(value) in ("N", "BOOL", "NULL"):
                return None
            content = order_key(value) if "B" in value else next(iter(value.values()))
            return {"N": str(len(content))}

        return size

    def _compare(self, operator: str, left: syntax.Node, right: syntax.Node) -> Test:
        a, b = self.operand(left), self.operand(right)
        if operator == "=":
            return lambda item: _equal(a(item), b(item))
        if operator == "<>":
            return lambda item: not _equal(a(item), b(item))
        for node in (left, right):
            self._require_ordered(operator, node)
        holds = _ORDER[operator]
        return lambda item: _ordered(holds, a(item), b(item))

    def _require_ordered(self, operator: str, node: syntax.Node) -> None:
        if isinstance(node, syntax.Placeholder):
            value = self._binding.value(node, self._kind)
            if order_key(value) is None:
                raise self._error(
                    "Incorrect operand type for operator or function; operator or function: "
                    f"{operator}, operand type: {TYPE_NAMES[type_of(value)]}"
                )

    def _between(self, operand: syntax.Node, low: syntax.Node, high: syntax.Node) -> Test:
        for node in (operand, low, high):
            self._require_ordered("BETWEEN", node)
        self._require_rising(low, high)
        value, bottom, top = self.operand(operand), self.operand(low), self.operand(high)
        return lambda item: (
            _ordered(_ORDER[">="], value(item), bottom(item))
            and _ordered(_ORDER["<="], value(item), top(item))
        )

    def _require_rising(self, low: syntax.Node, high: syntax.Node) -> None:
        if not (isinstance(low, syntax.Placeholder) and isinstance(high, syntax.Placeholder)):
            return
        a, b = self._binding.value(low, self._kind), self._binding.value(high, self._kind)
        if type_of(a) != type_of(b):
            raise self._error(
                "The BETWEEN operator requires same data type for lower and upper bounds; "
                f"lower bound operand: AttributeValue: {a}, upper bound operand: "
                f"AttributeValue: {b}"
            )
        if order_key(a) > order_key(b):
            raise self._error(
                "The BETWEEN operator requires upper bound to be greater than or equal to lower "
                f"bound; lower bound operand: AttributeValue: {a}, upper bound operand: "
                f"AttributeValue: {b}"
            )

    def _in(self, operand: syntax.Node, options: tuple[syntax.Node, ...]) -> Test:
        if len(options) > 100:
            raise self._error("The IN operator is provided with too many operands; number of "
                              f"operands: {len(options)}")  # fmt: skip
        value, allowed = self.operand(operand), [self.operand(option) for option in options]
        return lambda item: any(_equal(value(item), option(item)) for option in allowed)

    def _call(self, function: str, arguments: tuple[syntax.Node, ...]) -> Test:
        if not isinstance(arguments[0], syntax.Path) and function != "begins_with":
            raise self._error(
                "Operator or function requires a document path; operator or function: " + function
            )
        first = self.operand(arguments[0])
        if function == "attribute_exists":
            return lambda item: first(item) is not None
        if function == "attribute_not_exists":
            return lambda item: first(item) is None
        second = self.operand(arguments[1])
        if function == "attribute_type":
            return self._has_type(first, arguments[1])
        if function == "contains":
            return lambda item: _contains(first(item), second(item))
        if isinstance(arguments[1], syntax.Placeholder):
            self._require_text(function, self._binding.value(arguments[1], self._kind))
        return lambda item: _begins_with(first(item), second(item))

    def _require_text(self, function: str, value: Value) -> None:
        if type_of(value) not in ("S", "B"):
            raise self._error(
                "Incorrect operand type for operator or function; operator or function: "
                f"{function}, operand type: {TYPE_NAMES[type_of(value)]}"
            )

    def _has_type(self, operand: _Operand, wanted: syntax.Node) -> Test:
        value = self.operand(wanted)({}) if isinstance(wanted, syntax.Placeholder) else None
        name = value.get("S") if value else None
        if name not in TYPE_NAMES:
            raise self._error(f"Invalid attribute type name found; type: {name}, valid types: "
                              "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}")  # fmt: skip
        return lambda item: (found := operand(item)) is not None and type_of(found) == name


def _equal(left: Value | None, right: Value | None) -> bool:
    """An attribute that is not there equals nothing, so `<>` holds for it."""
    return left is not None and right is not None and equal(left, right)


def _ordered(holds: Callable[[Any, Any], bool], left: Value | None, right: Value | None) -> bool:
    if left is None or right is None or type_of(left) != type_of(right):
        return False
    a = order_key(left)
    return a is not None and holds(a, order_key(right))


def _contains(container: Value | None, part: Value | None) -> bool:
    if container is None or part is None:
        return False
    kind = type_of(container)
    if kind == "L":
        return any(equal(element, part) for element in container["L"])
    if kind in SETS:
        return any(equal({SETS[kind]: member}, part) for member in container[kind])
    if kind in ("S", "B") and type_of(part) == kind:
        return bool(order_key(part) in order_key(container))
    return False


def _begins_with(value: Value | None, prefix: Value | None) -> bool:
    if value is None or prefix is None or type_of(value) != type_of(prefix):
        return False
    start = order_key(prefix)
    return isinstance(start, bytes) and order_key(value).startswith(start)
