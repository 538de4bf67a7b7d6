"""Functions' short way to DynamoDB's items, beside the gateway's."""

from __future__ import annotations

import uuid
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.local_executor.cloud import Cloud

KEY = {"pk": {"S": "a"}}
ITEM = {**KEY, "text": {"S": "grüße"}}
NEW = {"ConditionExpression": "attribute_not_exists(pk)"}


@pytest.fixture(scope="module")
def door(cloud: Cloud) -> str:
    """Its address, as functions are given it. Nobody has asked for DynamoDB yet."""
    name = cloud.function(
        "import os\ndef handler(event, context): return os.environ['AWS_ENDPOINT_URL_DYNAMODB']"
    )
    return str(cloud.invoke(name))


@pytest.fixture(scope="module")
def client(door: str) -> Any:
    """At the door."""
    return boto3.client(
        "dynamodb",
        endpoint_url=door,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def table(client: Any) -> str:
    """A table made at the door: it is the gateway that makes it."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def test_both_ways_have_the_same_items_when_either_writes(
    cloud: Cloud, client: Any, table: str
) -> None:
    gateway = cloud.client("dynamodb")
    client.put_item(TableName=table, Item=ITEM)
    assert gateway.get_item(TableName=table, Key=KEY)["Item"] == ITEM
    gateway.delete_item(TableName=table, Key=KEY)
    assert "Item" not in client.get_item(TableName=table, Key=KEY)


def test_error_is_dynamodbs_when_a_condition_fails(client: Any, table: str) -> None:
    put = {"Put": {"TableName": table, "Item": ITEM, **NEW}}
    client.transact_write_items(TransactItems=[put])
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(TableName=table, Item=ITEM, **NEW)
    with pytest.raises(client.exceptions.TransactionCanceledException) as raised:
        client.transact_write_items(TransactItems=[put])
    reasons = raised.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["ConditionalCheckFailed"]


def test_tables_are_told_apart_when_accounts_and_regions_differ(
    door: str, client: Any, table: str
) -> None:
    for region, account in (("eu-west-1", "test"), ("us-east-1", "111122223333")):
        other = boto3.client(
            "dynamodb",
            endpoint_url=door,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="test",
        )
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            other.get_item(TableName=table, Key=KEY)
    assert client.describe_table(TableName=table)["Table"]["TableName"] == table


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"X-Amz-Target": "DynamoDB_20120810.GetItem"}, b"no JSON", 400),
        ({"Content-Length": "99999999"}, b"", 413),
    ],
)
def test_request_is_refused_and_the_door_stays_open_when_it_is_nonsense(
    door: str, client: Any, table: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    kind = {"Content-Type": "application/x-amz-json-1.0"}
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4"}
    answer = requests.post(door, body, headers={**kind, **signed, **headers}, timeout=60)
    assert answer.status_code == status, answer.text
    assert "Item" not in client.get_item(TableName=table, Key=KEY)
