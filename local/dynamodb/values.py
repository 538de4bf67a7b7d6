"""Attribute values as the wire has them (`{"S": "x"}`, binary as base64 text): check, order, size.

Rules: DynamoDB Developer Guide, "Supported data types and naming rules" and "DynamoDB item sizes
and formats"; limits from "Quotas in Amazon DynamoDB".
"""

from __future__ import annotations

import base64
import binascii
import decimal
from decimal import Decimal
from typing import Any

from local.dynamodb.errors import ValidationError

Value = dict[str, Any]
"""One attribute value, `{type: content}`."""
Item = dict[str, Value]

SETS = {"SS": "S", "NS": "N", "BS": "B"}
TYPE_NAMES = {
    "S": "STRING", "N": "NUMBER", "B": "BINARY", "SS": "STRING_SET", "NS": "NUMBER_SET",
    "BS": "BINARY_SET", "M": "MAP", "L": "LIST", "BOOL": "BOOLEAN", "NULL": "NULL",
}  # fmt: skip
MAX_ITEM_BYTES = 400 * 1024
MAX_DEPTH = 32
_EXPONENT_OFFSET = 130  # exponents are -130 … 125: one byte after the shift
NUMBERS = decimal.Context(prec=38, Emin=-130, Emax=125, traps=[decimal.Inexact, decimal.Overflow])


def type_of(value: Value) -> str:
    return next(iter(value))


def number(text: Any) -> Decimal:
    """Raises ValidationError for what DynamoDB does not take as a number."""
    try:
        parsed = Decimal(text) if isinstance(text, str) else Decimal("NaN")
    except decimal.InvalidOperation:
        parsed = Decimal("NaN")
    if not parsed.is_finite():
        raise ValidationError(f"The parameter cannot be converted to a numeric value: {text}")
    if len(parsed.normalize(decimal.Context(prec=200)).as_tuple().digits) > 38:
        raise ValidationError("Attempting to store more than 38 significant digits in a Number")
    if parsed and parsed.adjusted() > 125:
        raise ValidationError(
            "Number overflow. Attempting to store a number with magnitude larger than supported "
            "range"
        )
    if parsed and parsed.adjusted() < -130:
        raise ValidationError(
            "Number underflow. Attempting to store a number with magnitude smaller than supported "
            "range"
        )
    return parsed


def number_text(value: Decimal) -> str:
    """The form DynamoDB gives numbers back in: no exponent, no needless zeros."""
    return format(value.normalize(decimal.Context(prec=60)), "f") if value else "0"


def binary(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValidationError("Base64 encoded binary value is invalid") from None


def checked(value: Any, depth: int = 0) -> Value:
    """The value with numbers in their canonical form; raises ValidationError when it is none."""
    if not isinstance(value, dict) or len(value) != 1:
        raise ValidationError(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes"
            if value
            else "Supplied AttributeValue is empty, must contain exactly one of the supported "
            "datatypes"
        )
    if depth > MAX_DEPTH:
        raise ValidationError("Nesting Levels have exceeded supported limits")
    kind, content = next(iter(value.items()))
    if kind == "S" and isinstance(content, str):
        return value
    if kind == "N":
        return {"N": number_text(number(content))}
    if kind == "M" and isinstance(content, dict):
        return {"M": {name: checked(part, depth + 1) for name, part in content.items()}}
    if kind == "L" and isinstance(content, list):
        return {"L": [checked(part, depth + 1) for part in content]}
    if kind in SETS and isinstance(content, list):
        return _checked_set(kind, content)
    return _checked_scalar(kind, content)


def _checked_scalar(kind: str, content: Any) -> Value:
    if kind == "B":
        binary(content)
    elif kind == "NULL" and content is not True:
        raise ValidationError(
            "One or more parameter values were invalid: Null attribute value types must have the "
            "value of true"
        )
    elif kind not in ("BOOL", "NULL") or not isinstance(content, bool):
        raise ValidationError(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    return {kind: content}


def _checked_set(kind: str, content: list[Any]) -> Value:
    word = {"SS": "string", "NS": "number", "BS": "binary"}[kind]
    prefix = "One or more parameter values were invalid: "
    if not content:
        raise ValidationError(f"{prefix}An {word} set  may not be empty")  # the typo is AWS's
    members = [checked({SETS[kind]: member})[SETS[kind]] for member in content]
    if len(set(members)) != len(members):
        listed = ", ".join(map(str, content))
        raise ValidationError(f"{prefix}Input collection [{listed}] contains duplicates.")
    return {kind: members}


def equal(left: Value, right: Value) -> bool:
    """Same type and same content; the order in sets does not count."""
    kind = type_of(left)
    if kind != type_of(right):
        return False
    a, b = left[kind], right[kind]
    if kind == "N":
        return Decimal(a) == Decimal(b)
    if kind in SETS:
        return set(a) == set(b)
    if kind == "L":
        return len(a) == len(b) and all(map(equal, a, b))
    if kind == "M":
        return a.keys() == b.keys() and all(equal(part, b[name]) for name, part in a.items())
    return bool(a == b)


def order_key(value: Value) -> Any:
    """Something that sorts as DynamoDB does, for S (by UTF-8), N and B; None for other types."""
    kind = type_of(value)
    if kind == "S":
        return value["S"].encode()
    if kind == "N":
        return Decimal(value["N"])
    return binary(value["B"]) if kind == "B" else None


def key_bytes(value: Value) -> bytes:
    """A key as bytes whose bytewise order is DynamoDB's order of the type."""
    kind = type_of(value)
    if kind == "N":
        return _number_bytes(number(value["N"]))
    return value["S"].encode() if kind == "S" else binary(value["B"])


def _number_bytes(value: Decimal) -> bytes:
    """Sign, exponent, digits; for negative numbers all inverted, with an end that sorts last."""
    if not value:
        return b"\x80"
    digits = value.normalize(decimal.Context(prec=60)).as_tuple().digits
    magnitude = bytes([value.adjusted() + _EXPONENT_OFFSET, *(digit + 1 for digit in digits)])
    if value > 0:
        return b"\x81" + magnitude
    return b"\x7f" + bytes(255 - byte for byte in magnitude) + b"\xff"


def item_bytes(item: Item) -> int:
    """Size of an item as DynamoDB counts it, bytes."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Value) -> int:
    kind, content = next(iter(value.items()))
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return _number_size(content)
    if kind == "B":
        return len(binary(content))
    if kind in SETS:
        return sum(value_bytes({SETS[kind]: member}) for member in content)
    if kind == "L":
        return 3 + sum(1 + value_bytes(part) for part in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + value_bytes(part) for name, part in content.items())
    return 1


def _number_size(text: str) -> int:
    digits = text.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")
