"""KeyConditionExpression: one hash key, and at most one range of range keys."""

from __future__ import annotations

from local.dynamodb import syntax
from local.dynamodb.binding import Binding
from local.dynamodb.errors import ValidationError
from local.dynamodb.schema import KeyPair, Schema
from local.dynamodb.storage import Bounds
from local.dynamodb.values import Value, key_bytes, type_of

_KIND = "KeyConditionExpression"


def parse(text: str, binding: Binding, schema: Schema, key: KeyPair) -> tuple[bytes, Bounds]:
    """The hash key and the bounds of the range key. Raises ValidationError for any other shape."""
    tests = _by_attribute(syntax.condition(text, _KIND), binding)
    node = tests.pop(key.hash, None)
    if node is None:
        raise ValidationError(f"Query condition missed key schema element: {key.hash}")
    if not (isinstance(node, syntax.Compare) and node.operator == "="):
        raise ValidationError("Query key condition not supported")
    read = _Operands(binding, schema)
    hash_key = read.key(node.right, key.hash)
    range_node = tests.pop(key.range, None) if key.range else None
    if tests:
        if key.range and range_node is None:
            raise ValidationError(f"Query condition missed key schema element: {key.range}")
        raise ValidationError("Query key condition not supported")
    if range_node is None or key.range is None:
        return hash_key, Bounds()
    return hash_key, read.bounds(range_node, key.range)


def _by_attribute(node: syntax.Node, binding: Binding) -> dict[str, syntax.Node]:
    if isinstance(node, syntax.Both) and node.operator == "AND":
        left, right = _by_attribute(node.left, binding), _by_attribute(node.right, binding)
        if left.keys() & right.keys():
            raise ValidationError(
                f"Invalid {_KIND}: KeyConditionExpressions must only contain one condition per key"
            )
        return left | right
    match node:
        case syntax.Compare(operator, left_node, _) if operator != "<>":
            tested = left_node
        case syntax.Between(tested_node, _, _):
            tested = tested_node
        case syntax.Call("begins_with", (tested_node, _)):
            tested = tested_node
        case _:
            raise ValidationError(f"Invalid {_KIND}: Invalid operator used in {_KIND}")
    if not isinstance(tested, syntax.Path):
        raise ValidationError("Query key condition not supported")
    steps = binding.steps(tested, _KIND)
    if len(steps) != 1 or not isinstance(steps[0], str):
        raise ValidationError(
            f"Invalid {_KIND}: {_KIND}s cannot have conditions on nested attributes"
        )
    return {steps[0]: node}


class _Operands:
    def __init__(self, binding: Binding, schema: Schema) -> None:
        self._binding = binding
        self._schema = schema

    def value(self, node: syntax.Node, name: str) -> Value:
        if not isinstance(node, syntax.Placeholder):
            raise ValidationError("Query key condition not supported")
        value = self._binding.value(node, _KIND)
        if type_of(value) != self._schema.types[name]:
            raise ValidationError(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type"
            )
        return value

    def key(self, node: syntax.Node, name: str) -> bytes:
        encoded = key_bytes(self.value(node, name))
        if not encoded:
            raise ValidationError(
                "One or more parameter values are not valid. The AttributeValue for a key "
                f"attribute cannot contain an empty string value. Key: {name}"
            )
        return encoded

    def bounds(self, node: syntax.Node, name: str) -> Bounds:
        match node:
            case syntax.Compare(operator, _, right):
                return _compared(operator, self.key(right, name))
            case syntax.Between(_, low, high):
                bottom, top = self.key(low, name), self.key(high, name)
                if bottom > top:
                    raise ValidationError(
                        f"Invalid {_KIND}: The BETWEEN operator requires upper bound to be greater "
                        "than or equal to lower bound"
                    )
                return Bounds(bottom, True, top, True)
            case syntax.Call(_, (_, prefix)):
                return self._begins_with(prefix, name)
        raise ValidationError("Query key condition not supported")

    def _begins_with(self, node: syntax.Node, name: str) -> Bounds:
        if "N" in self.value(node, name):
            raise ValidationError(
                f"Invalid {_KIND}: Incorrect operand type for operator or function; operator or "
                "function: begins_with, operand type: NUMBER"
            )
        start = self.key(node, name)
        stem = start.rstrip(b"\xff")  # the first key after all that begin so: last byte plus one
        end = stem[:-1] + bytes([stem[-1] + 1]) if stem else None
        return Bounds(start, True, end, False)


def _compared(operator: str, key: bytes) -> Bounds:
    if operator == "=":
        return Bounds(key, True, key, True)
    if operator in ("<", "<="):
        return Bounds(b"", True, key, operator == "<=")
    return Bounds(key, operator == ">=")
