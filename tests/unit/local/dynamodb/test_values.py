from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from local.dynamodb.errors import ValidationError
from local.dynamodb.values import checked, item_bytes, key_bytes


def test_key_bytes_sort_as_the_numbers_do_when_compared() -> None:
    generator = random.Random(7)
    texts = ["0", "-0", "1", "-1", "1.5", "-1.5", "10", "-10", "1e100", "-1e100", "1e-100"]
    texts += [f"{generator.uniform(-1e6, 1e6):.{generator.randrange(9)}f}" for _ in range(500)]
    by_bytes = sorted(texts, key=lambda text: (key_bytes({"N": text}), text))
    by_value = sorted(texts, key=lambda text: (Decimal(text), text))
    assert by_bytes == by_value


def test_key_bytes_sort_strings_by_utf8_when_compared() -> None:
    words = ["", "a", "aa", "b", "Z", "é", "\U0001f600", "￿"]
    assert sorted(words, key=lambda w: key_bytes({"S": w})) == sorted(words, key=str.encode)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [("1.0", "1"), ("1e3", "1000"), ("-0", "0"), ("007.50", "7.5"), ("1E-3", "0.001")],
)
def test_number_is_given_back_in_its_short_form_when_stored(given: str, canonical: str) -> None:
    assert checked({"N": given}) == {"N": canonical}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"N": "abc"}, "cannot be converted to a numeric value"),
        ({"N": "1" * 39}, "more than 38 significant digits"),
        ({"N": "1e126"}, "overflow"),
        ({"N": "1e-131"}, "underflow"),
        ({"N": "NaN"}, "cannot be converted"),
        ({"SS": []}, "may not be empty"),
        ({"NS": ["1", "1.0"]}, "duplicates"),
        ({"NULL": False}, "Null attribute value types must have the value of true"),
        ({"S": "a", "N": "1"}, "more than one datatypes"),
        ({}, "is empty"),
        ({"B": "not base64!"}, "Base64"),
        ({"X": "a"}, "is empty"),
    ],
)
def test_value_is_refused_when_it_is_none(value: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        checked(value)


def test_item_size_is_counted_as_documented_when_measured() -> None:
    assert item_bytes({"ab": {"S": "é"}, "n": {"N": "123"}, "f": {"BOOL": True}}) == 4 + 4 + 2
