"""The look at what is really there, against moto's AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cdk.functions import FUNCTIONS, queue_name
from cdk.settings import Settings
from cli.deploy_checks import missing_resources

SETTINGS = Settings(suffix="local", transcode_concurrency=2)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.Session("testing", "testing", region_name="us-east-1")


def _make_queues(session: Any, attributes: dict[str, str] | None = None) -> None:
    sqs = session.client("sqs")
    for spec in FUNCTIONS:
        if not spec.queue:
            continue
        common = {"FifoQueue": "true"} if spec.queue.fifo else {}
        dead = queue_name(spec.name, dead_letter=True)
        url = sqs.create_queue(QueueName=dead, Attributes=common)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        policy = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": 5}
        redrive = {"RedrivePolicy": json.dumps(policy)} if attributes is None else attributes
        sqs.create_queue(QueueName=queue_name(spec.name), Attributes=common | redrive)


def test_everything_is_missing_when_the_account_is_empty(session: boto3.Session) -> None:
    missing = missing_resources(session, SETTINGS)
    for expected in (
        "bucket millrace-uploads-local or its CORS rules",
        "the notification from millrace-uploads-local to millrace-ingest",
        "table millrace",
        "queue millrace-publish-dlq.fifo",
        "function millrace-api",
        "the event source mapping of transcode",
        "the schedule of monitor",
        "the REST API",
    ):
        assert expected in missing


def test_queues_are_not_missed_when_they_redrive(session: boto3.Session) -> None:
    _make_queues(session)
    assert not [text for text in missing_resources(session, SETTINGS) if "queue" in text[:6]]
    assert not [text for text in missing_resources(session, SETTINGS) if "redrive" in text]


def test_redrive_is_missed_when_a_queue_has_none(session: boto3.Session) -> None:
    _make_queues(session, attributes={})
    assert "the redrive of queue millrace-probe to millrace-probe-dlq" in missing_resources(
        session, SETTINGS
    )


def test_indexes_are_missed_by_name_when_the_table_has_none(session: boto3.Session) -> None:
    session.client("dynamodb").create_table(
        TableName="millrace",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    missing = missing_resources(session, SETTINGS)
    assert "indexes of table millrace: by_created, by_due, by_status" in missing
