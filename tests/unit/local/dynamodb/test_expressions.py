"""The expression language, case by case as the Developer Guide describes it."""

from __future__ import annotations

from typing import Any

import pytest

from local.dynamodb.binding import Binding, project
from local.dynamodb.conditions import compile_test
from local.dynamodb.errors import ValidationError
from local.dynamodb.updates import Update

ITEM: dict[str, Any] = {
    "pk": {"S": "p"},
    "n": {"N": "10"},
    "word": {"S": "hello"},
    "nothing": {"NULL": True},
    "flag": {"BOOL": False},
    "tags": {"SS": ["b", "a"]},
    "numbers": {"NS": ["1", "2"]},
    "seq": {"L": [{"S": "x"}, {"N": "2"}, {"M": {"deep": {"S": "y"}}}]},
    "tree": {"M": {"a": {"N": "1"}, "b": {"S": "two"}}},
    "blob_1": {"B": "AQI="},
}


def holds(text: str, names: dict[str, str] | None = None, **values: Any) -> bool:
    given = {f":{name}": value for name, value in values.items()}
    request = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": given or None}
    return compile_test(text, Binding(request))(ITEM)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("n = :v", {"v": {"N": "10.0"}}),
        ("n <> :v", {"v": {"S": "10"}}),
        ("absent <> :v", {"v": {"S": "10"}}),
        ("n > :v", {"v": {"N": "9"}}),
        ("n BETWEEN :a AND :b", {"a": {"N": "10"}, "b": {"N": "11"}}),
        ("word IN (:a, :b)", {"a": {"S": "x"}, "b": {"S": "hello"}}),
        ("attribute_exists(tree.a)", {}),
        ("attribute_exists(seq[2].deep)", {}),
        ("attribute_not_exists(seq[3])", {}),
        ("attribute_not_exists(word.x)", {}),
        ("attribute_type(tags, :t)", {"t": {"S": "SS"}}),
        ("attribute_type(nothing, :t)", {"t": {"S": "NULL"}}),
        ("begins_with(word, :v)", {"v": {"S": "hel"}}),
        ("contains(word, :v)", {"v": {"S": "ell"}}),
        ("contains(tags, :v)", {"v": {"S": "a"}}),
        ("contains(numbers, :v)", {"v": {"N": "2.0"}}),
        ("contains(seq, :v)", {"v": {"N": "2"}}),
        ("size(word) = :v", {"v": {"N": "5"}}),
        ("size(seq) < :v", {"v": {"N": "4"}}),
        ("size(blob_1) = :v", {"v": {"N": "2"}}),
        ("tags = :v", {"v": {"SS": ["a", "b"]}}),
        ("NOT n = :v AND (flag = :f OR word = :w)",
         {"v": {"N": "1"}, "f": {"BOOL": True}, "w": {"S": "hello"}}),
        ("attribute_exists(pk) AND NOT attribute_exists(absent)", {}),
        ("n < :v OR n = :w AND word = :x", {"v": {"N": "50"}, "w": {"N": "1"}, "x": {"S": "-"}}),
    ],
)  # fmt: skip
def test_condition_holds_when_the_guide_says_so(text: str, values: dict[str, Any]) -> None:
    assert holds(text, **values)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("n = :v", {"v": {"S": "10"}}),
        ("absent = :v", {"v": {"S": "x"}}),
        ("absent < :v", {"v": {"N": "1"}}),
        ("n < :v", {"v": {"S": "z"}}),
        ("size(n) = :v", {"v": {"N": "2"}}),
        ("begins_with(n, :v)", {"v": {"S": "1"}}),
        ("contains(word, :v)", {"v": {"N": "1"}}),
        ("begins_with(tree.b, :v) AND attribute_not_exists(pk)", {"v": {"S": "t"}}),
    ],
)
def test_condition_does_not_hold_when_types_or_values_differ(
    text: str, values: dict[str, Any]
) -> None:
    assert not holds(text, **values)


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("status = :v", {"v": {"S": "x"}}, "reserved keyword: status"),
        ("n = :w", {"v": {"S": "x"}}, "not defined; attribute value: :w"),
        ("#x = :v", {"v": {"S": "x"}}, "not defined; attribute name: #x"),
        ("n = ", {}, "Syntax error"),
        ("n = :v)", {"v": {"N": "1"}}, "Syntax error"),
        ("nonsense(n)", {}, "Invalid function name"),
        ("size(n)", {}, "Syntax error"),
        ("attribute_exists(n, n)", {}, "Incorrect number of operands"),
        ("n < :v", {"v": {"BOOL": True}}, "Incorrect operand type"),
        ("n BETWEEN :a AND :b", {"a": {"N": "2"}, "b": {"N": "1"}}, "upper bound"),
        ("attribute_type(n, :v)", {"v": {"S": "Z"}}, "Invalid attribute type name"),
        ("if_not_exists(n, :v) = :v", {"v": {"N": "1"}}, "not allowed"),
        ("", {}, "can not be empty"),
    ],
)
def test_condition_is_refused_when_it_is_wrong(
    text: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        holds(text, **values)


def test_binding_is_refused_when_a_placeholder_is_not_used() -> None:
    binding = Binding({"ExpressionAttributeValues": {":unused": {"S": "x"}}})
    with pytest.raises(ValidationError, match=r"unused in expressions: keys: \{:unused\}"):
        binding.require_all_used()


def updated(text: str, **values: Any) -> dict[str, Any]:
    given = {f":{name}": value for name, value in values.items()}
    binding = Binding({"ExpressionAttributeValues": given or None})
    return Update(text, binding, ("pk",)).apply(ITEM)


@pytest.mark.parametrize(
    ("text", "values", "path", "expected"),
    [
        ("SET fresh = :v", {"v": {"S": "1"}}, "fresh", {"S": "1"}),
        ("SET n = n + :v", {"v": {"N": "0.5"}}, "n", {"N": "10.5"}),
        ("SET n = :v - n", {"v": {"N": "1"}}, "n", {"N": "-9"}),
        ("SET fresh = if_not_exists(fresh, :v) + :v", {"v": {"N": "1"}}, "fresh", {"N": "2"}),
        ("SET n = if_not_exists(n, :v)", {"v": {"N": "1"}}, "n", {"N": "10"}),
        ("SET seq = list_append(:v, seq)", {"v": {"L": [{"S": "0"}]}}, "seq",
         {"L": [{"S": "0"}, *ITEM["seq"]["L"]]}),
        ("SET seq[9] = :a, seq[8] = :b", {"a": {"S": "9"}, "b": {"S": "8"}}, "seq",
         {"L": [*ITEM["seq"]["L"], {"S": "8"}, {"S": "9"}]}),
        ("SET tree.c = tree.a", {}, "tree",
         {"M": {"a": {"N": "1"}, "b": {"S": "two"}, "c": {"N": "1"}}}),
        ("REMOVE seq[0], seq[1]", {}, "seq", {"L": [ITEM["seq"]["L"][2]]}),
        ("REMOVE tree.a", {}, "tree", {"M": {"b": {"S": "two"}}}),
        ("ADD n :v", {"v": {"N": "5"}}, "n", {"N": "15"}),
        ("ADD fresh :v", {"v": {"N": "5"}}, "fresh", {"N": "5"}),
        ("ADD tags :v", {"v": {"SS": ["c", "a"]}}, "tags", {"SS": ["b", "a", "c"]}),
        ("DELETE tags :v", {"v": {"SS": ["a", "z"]}}, "tags", {"SS": ["b"]}),
        ("DELETE tags :v", {"v": {"SS": ["a", "b"]}}, "tags", None),
        ("SET n = word, word = n", {}, "n", {"S": "hello"}),
    ],
)  # fmt: skip
def test_update_changes_the_item_when_applied(
    text: str, values: dict[str, Any], path: str, expected: dict[str, Any] | None
) -> None:
    assert updated(text, **values).get(path) == expected


def test_update_leaves_the_old_item_alone_when_applied() -> None:
    before = {**ITEM}
    updated("SET tree.a = :v REMOVE seq[0]", v={"N": "2"})
    assert before == ITEM


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("SET pk = :v", {"v": {"S": "x"}}, "Cannot update attribute pk"),
        ("SET tree.a = :v, tree = :v", {"v": {"S": "x"}}, "Two document paths overlap"),
        ("SET n = absent", {}, "attribute that does not exist in the item"),
        ("SET n = word + :v", {"v": {"N": "1"}}, "incorrect data type"),
        ("SET n = n + :v", {"v": {"S": "1"}}, "Incorrect operand type"),
        ("SET absent.x = :v", {"v": {"S": "1"}}, "document path provided"),
        ("SET word[0] = :v", {"v": {"S": "1"}}, "document path provided"),
        ("REMOVE absent.x", {}, "document path provided"),
        ("ADD word :v", {"v": {"N": "1"}}, "incorrect data type"),
        ("ADD n :v", {"v": {"S": "1"}}, "operand type: STRING"),
        ("DELETE tags :v", {"v": {"NS": ["1"]}}, "incorrect data type"),
        ("SET a = :v SET b = :v", {"v": {"S": "1"}}, "can only be used once"),
        ("PUT a = :v", {"v": {"S": "1"}}, "Syntax error"),
    ],
)
def test_update_is_refused_when_it_does_not_fit(
    text: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        updated(text, **values)


def test_projection_keeps_the_nesting_when_parts_are_chosen() -> None:
    chosen = project(ITEM, [("tree", "b"), ("seq", 2, "deep"), ("seq", 0), ("absent", "x")])
    assert chosen == {
        "tree": {"M": {"b": {"S": "two"}}},
        "seq": {"L": [{"S": "x"}, {"M": {"deep": {"S": "y"}}}]},
    }
