"""Operations on a table: keys, indexes, pages, transactions."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest

from local.dynamodb.errors import DynamoError, ValidationError
from local.dynamodb.storage import Storage
from tests.unit.local.dynamodb.conftest import Table


def item(pk: str, sk: str = "s", **attributes: Any) -> dict[str, Any]:
    wire = {name: {"S": v} if isinstance(v, str) else v for name, v in attributes.items()}
    return {"pk": {"S": pk}, "sk": {"S": sk}, **wire}


def key(pk: str, sk: str = "s") -> dict[str, Any]:
    return item(pk, sk)


def test_put_returns_the_old_item_when_asked(table: Table) -> None:
    assert table.put(item("a", x="1"), ReturnValues="ALL_OLD") == {}
    assert table.put(item("a", x="2"), ReturnValues="ALL_OLD") == {"Attributes": item("a", x="1")}


def test_put_changes_nothing_when_the_condition_fails(table: Table) -> None:
    table.put(item("a", x="1"))
    with pytest.raises(DynamoError) as failure:
        table.put(
            item("a", x="2"),
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failure.value.code == "ConditionalCheckFailedException"
    assert failure.value.members == {"Item": item("a", x="1")}
    assert table.get(key("a")) == item("a", x="1")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"pk": {"S": "a"}}, "Missing the key sk in the item"),
        ({"pk": {"N": "1"}, "sk": {"S": "s"}}, "Type mismatch for key pk expected: S actual: N"),
        ({"pk": {"S": ""}, "sk": {"S": "s"}}, "empty string value. Key: pk"),
        (item("a", status_shard={"N": "1"}), "Type mismatch for Index Key status_shard"),
        (item("a", status_shard=""), "IndexKey: status_shard"),
        (item("a", big="x" * 410_000), "Item size has exceeded"),
        (item("p" * 2049), "exceeded the maximum size limit of 2048 bytes"),
    ],
)
def test_put_is_refused_when_the_item_does_not_fit(
    table: Table, bad: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        table.put(bad)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("ALL_OLD", item("a", x="1", y="1")),
        ("ALL_NEW", item("a", x="2", y="1")),
        ("UPDATED_OLD", {"x": {"S": "1"}}),
        ("UPDATED_NEW", {"x": {"S": "2"}}),
    ],
)
def test_update_returns_what_was_asked_for_when_it_succeeds(
    table: Table, wanted: str, expected: dict[str, Any]
) -> None:
    table.put(item("a", x="1", y="1"))
    answer = table.update(
        key("a"), "SET x = :v", ExpressionAttributeValues={":v": {"S": "2"}}, ReturnValues=wanted
    )
    assert answer["Attributes"] == expected


def test_update_makes_the_item_when_there_is_none(table: Table) -> None:
    table.update(key("a"), "SET x = :v", ExpressionAttributeValues={":v": {"S": "2"}})
    assert table.get(key("a")) == item("a", x="2")


def test_get_is_refused_when_the_key_has_another_shape(table: Table) -> None:
    with pytest.raises(ValidationError, match="does not match the schema"):
        table.get({"pk": {"S": "a"}})


def test_index_holds_an_item_only_when_it_has_its_keys(table: Table) -> None:
    table.put(item("a", due_shard="d", due_at="1", kind="video", title="T"))
    table.put(item("b", due_at="1"))
    query = {"IndexName": "by_due", "ExpressionAttributeValues": {":d": {"S": "d"}}}
    found = table.query("due_shard = :d", **query)["Items"]
    assert found == [item("a", due_shard="d", due_at="1", kind="video")]
    table.update(key("a"), "REMOVE due_shard")
    assert table.query("due_shard = :d", **query)["Items"] == []


def test_index_query_is_refused_when_it_wants_what_is_not_projected(table: Table) -> None:
    with pytest.raises(ValidationError, match=r"does not project \[title\]"):
        table.query(
            "due_shard = :d",
            IndexName="by_due",
            ProjectionExpression="title",
            ExpressionAttributeValues={":d": {"S": "d"}},
        )


def test_local_index_sorts_by_number_when_queried(table: Table) -> None:
    for rank in ("10", "9", "-1", "2.5"):
        table.put(item("a", sk=f"s{rank}", ranking={"N": rank}))
    found = table.query(
        "pk = :p AND ranking > :r",
        IndexName="by_rank",
        ExpressionAttributeValues={":p": {"S": "a"}, ":r": {"N": "-1"}},
    )["Items"]
    assert [entry["ranking"]["N"] for entry in found] == ["2.5", "9", "10"]


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("pk = :p AND sk = :a", {":a": "s3"}, ["s3"]),
        ("pk = :p AND sk < :a", {":a": "s2"}, ["s0", "s1"]),
        ("pk = :p AND sk <= :a", {":a": "s2"}, ["s0", "s1", "s2"]),
        ("pk = :p AND sk > :a", {":a": "s8"}, ["s9"]),
        ("sk >= :a AND pk = :p", {":a": "s8"}, ["s8", "s9"]),
        ("pk = :p AND sk BETWEEN :a AND :b", {":a": "s3", ":b": "s5"}, ["s3", "s4", "s5"]),
        ("pk = :p AND begins_with(sk, :a)", {":a": "s"}, [f"s{n}" for n in range(10)]),
    ],
)
def test_query_finds_the_range_when_conditioned(
    table: Table, condition: str, values: dict[str, str], expected: list[str]
) -> None:
    for number in range(10):
        table.put(item("a", f"s{number}"))
        table.put(item("b", f"s{number}"))
    wire = {":p": {"S": "a"}} | {name: {"S": text} for name, text in values.items()}
    found = table.query(condition, ExpressionAttributeValues=wire)["Items"]
    assert [entry["sk"]["S"] for entry in found] == expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("sk = :v", "missed key schema element: pk"),
        ("pk > :v", "Query key condition not supported"),
        ("pk = :v AND another = :v", "missed key schema element: sk"),
        ("pk = :v OR sk = :v", "Invalid operator used"),
        ("pk = :v AND sk <> :v", "Invalid operator used"),
        ("pk = :v AND sk = :v AND sk = :v", "only contain one condition per key"),
    ],
)
def test_query_is_refused_when_the_key_condition_is_wrong(
    table: Table, condition: str, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        table.query(condition, ExpressionAttributeValues={":v": {"S": "x"}})


def test_query_is_refused_when_it_filters_by_key(table: Table) -> None:
    with pytest.raises(ValidationError, match="non-primary key attributes"):
        table.query(
            "pk = :v",
            FilterExpression="sk = :v",
            ExpressionAttributeValues={":v": {"S": "x"}},
        )


def test_pages_together_are_the_whole_listing_when_followed(table: Table) -> None:
    """Against a plain Python model, on table and indexes, forwards and backwards."""
    generator = random.Random(3)
    model = []
    for number in range(200):
        entry = item(
            f"p{generator.randrange(4)}",
            f"s{number:03}",
            status_shard=f"x{generator.randrange(3)}",
            created_key=f"{generator.randrange(20):02}",
        )
        table.put(entry)
        model.append(entry)
    for entry in generator.sample(model, 60):
        table.delete({"pk": entry["pk"], "sk": entry["sk"]})
        model.remove(entry)
    for index, names in (
        (None, ("pk", "sk", "pk", "sk")),
        ("by_status", ("status_shard", "created_key", "pk", "sk")),
    ):
        for forward in (True, False):
            _check_pages(table, model, index, names, forward, generator)


def _check_pages(
    table: Table,
    model: list[dict[str, Any]],
    index: str | None,
    names: tuple[str, ...],
    forward: bool,
    generator: random.Random,
) -> None:
    for value in {entry[names[0]]["S"] for entry in model}:
        chosen = [entry for entry in model if entry[names[0]]["S"] == value]
        expected = sorted(chosen, key=lambda e: [e[n]["S"] for n in names], reverse=not forward)
        request: dict[str, Any] = {
            "ScanIndexForward": forward,
            "ExpressionAttributeNames": {"#h": names[0]},
            "ExpressionAttributeValues": {":v": {"S": value}},
        }
        if index:
            request["IndexName"] = index
        found, start = [], None
        while True:
            page = table.query(
                "#h = :v",
                Limit=generator.randrange(1, 9),
                **request,
                **({"ExclusiveStartKey": start} if start else {}),
            )
            found += page["Items"]
            start = page.get("LastEvaluatedKey")
            if start is None:
                break
        assert found == expected


def test_limit_counts_before_the_filter_when_both_are_given(table: Table) -> None:
    for number in range(6):
        table.put(item("a", f"s{number}", x=str(number % 2)))
    page = table.query(
        "pk = :p",
        Limit=4,
        FilterExpression="x = :x",
        ExpressionAttributeValues={":p": {"S": "a"}, ":x": {"S": "1"}},
    )
    assert (page["Count"], page["ScannedCount"]) == (2, 4)
    assert page["LastEvaluatedKey"] == key("a", "s3")


def test_page_ends_when_it_has_a_megabyte(table: Table) -> None:
    for number in range(4):
        table.put(item("a", f"s{number}", x="x" * 390_000))
    page = table.query("pk = :p", ExpressionAttributeValues={":p": {"S": "a"}})
    assert page["Count"] == 2
    assert page["LastEvaluatedKey"] == key("a", "s1")


def test_segments_together_are_the_table_when_scanned(table: Table) -> None:
    for number in range(50):
        table.put(item(f"p{number}"))
    found = [
        entry["pk"]["S"]
        for segment in range(3)
        for entry in table.scan(TotalSegments=3, Segment=segment)["Items"]
    ]
    assert sorted(found) == sorted(f"p{number}" for number in range(50))


def test_transaction_changes_nothing_when_one_part_fails(table: Table) -> None:
    table.put(item("a", x="1"))
    with pytest.raises(DynamoError) as failure:
        table.transact(
            {"Put": {"Item": item("b")}},
            {
                "Put": {
                    "Item": item("a", x="2"),
                    "ConditionExpression": "attribute_not_exists(pk)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {"Update": {"Key": key("c"), "UpdateExpression": "SET x = y"}},
        )
    assert failure.value.code == "TransactionCanceledException"
    reasons = failure.value.members["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == [
        "None",
        "ConditionalCheckFailed",
        "ValidationError",
    ]
    assert reasons[1]["Item"] == item("a", x="1")
    assert failure.value.message.endswith("[None, ConditionalCheckFailed, ValidationError]")
    assert table.get(key("b")) is None


def test_transaction_is_refused_when_an_item_is_named_twice(table: Table) -> None:
    with pytest.raises(ValidationError, match="multiple operations on one item"):
        table.transact({"Put": {"Item": item("a")}}, {"Delete": {"Key": key("a")}})


def test_transaction_is_done_once_when_its_token_is_repeated(table: Table) -> None:
    add = {"Update": {"Key": key("a"), "UpdateExpression": "ADD n :one",
                      "ExpressionAttributeValues": {":one": {"N": "1"}}}}  # fmt: skip
    for _ in range(3):
        table.transact(add, ClientRequestToken="t1")
    assert table.get(key("a")) == item("a", n={"N": "1"})
    with pytest.raises(DynamoError, match="different parameters"):
        table.transact({"Delete": {"Key": key("a")}}, ClientRequestToken="t1")


def test_one_writer_wins_when_many_race(table: Table) -> None:
    """Each round, 16 threads try the same transition in a transaction: exactly one succeeds."""
    for round_number in range(25):
        table.put(item(f"v{round_number}", state="QUEUED"))
        won: list[int] = []
        barrier = threading.Barrier(16)

        def move(worker: int, pk: str = f"v{round_number}", barrier: Any = barrier,
                 won: list[int] = won) -> None:  # fmt: skip
            barrier.wait()
            try:
                table.transact(
                    {
                        "Update": {
                            "Key": key(pk),
                            "UpdateExpression": "SET #s = :to ADD moves :one",
                            "ConditionExpression": "#s = :from",
                            "ExpressionAttributeNames": {"#s": "state"},
                            "ExpressionAttributeValues": {
                                ":from": {"S": "QUEUED"},
                                ":to": {"S": "PROCESSING"},
                                ":one": {"N": "1"},
                            },
                        }
                    },
                    {"Put": {"Item": item(pk, f"log-{worker}")}},
                )
                won.append(worker)
            except DynamoError:
                pass

        threads = [threading.Thread(target=move, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        found = table.query("pk = :p", ExpressionAttributeValues={":p": {"S": f"v{round_number}"}})[
            "Items"
        ]
        assert [entry["sk"]["S"] for entry in found] == [f"log-{won[0]}", "s"]
        assert found[1]["moves"] == {"N": "1"}


def test_expired_items_are_found_when_their_time_has_passed(table: Table) -> None:
    table.put(item("old", ttl={"N": "1000"}))
    table.put(item("new", ttl={"N": "3000"}))
    table.put(item("never", ttl="soon"))
    with table.storage.transaction() as transaction:
        assert transaction.expired(table.schema, 2000, 10) == [(b"old", b"s")]


def test_items_are_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "again.sqlite")
    Table(storage).put(item("a", status_shard="x", created_key="1"))
    reopened = Table(Storage(tmp_path / "again.sqlite"))
    found = reopened.query(
        "status_shard = :x",
        IndexName="by_status",
        ExpressionAttributeValues={":x": {"S": "x"}},
    )
    assert found["Count"] == 1


def test_consumed_capacity_is_reported_when_asked(table: Table) -> None:
    answer = table.put(
        item("a", status_shard="x", created_key="1", body="x" * 2000),
        ReturnConsumedCapacity="INDEXES",
    )["ConsumedCapacity"]
    assert answer["Table"] == {"CapacityUnits": 2.0}
    assert answer["GlobalSecondaryIndexes"] == {"by_status": {"CapacityUnits": 2.0}}


def test_old_parameter_is_refused_when_given(table: Table) -> None:
    with pytest.raises(ValidationError, match="Expected is not supported"):
        table.put(item("a"), Expected={"pk": {"Exists": False}})
    with pytest.raises(ValidationError, match="ScanFilter is not supported"):
        table.scan(ScanFilter={})
