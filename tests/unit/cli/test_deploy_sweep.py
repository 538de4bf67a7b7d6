"""What is cleared away, and what never is, against moto's AWS."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from cli.deploy_sweep import STACK, DataInTheWayError, sweep_unfinished


@pytest.fixture
def leftovers(session: boto3.Session) -> boto3.Session:
    """Some of each kind, as a deployment cut short leaves them, and some of somebody else."""
    session.client("dynamodb").create_table(
        TableName="millrace",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for name in ("millrace-probe", "other"):
        session.client("sqs").create_queue(QueueName=name)
        session.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
    for name in ("millrace-events", "others-events"):
        session.client("sns").create_topic(Name=name)
    session.client("apigateway").create_rest_api(name="millrace-api")
    session.client("apigateway").create_rest_api(name="other")
    session.client("events").put_rule(Name="Millrace-Schedule", ScheduleExpression="rate(1 minute)")
    return session


def _found(session: Any) -> set[str]:
    urls = session.client("sqs").list_queues().get("QueueUrls", [])
    groups = session.client("logs").describe_log_groups()["logGroups"]
    topics = session.client("sns").list_topics()["Topics"]
    return {
        *(topic["TopicArn"].rsplit(":", 1)[1] for topic in topics),
        *session.client("dynamodb").list_tables()["TableNames"],
        *(url.rsplit("/", 1)[1] for url in urls),
        *(group["logGroupName"] for group in groups),
        *(api["name"] for api in session.client("apigateway").get_rest_apis()["items"]),
        *(rule["Name"] for rule in session.client("events").list_rules()["Rules"]),
    }


def test_only_our_leftovers_go_when_there_is_no_stack(leftovers: boto3.Session) -> None:
    assert sweep_unfinished(leftovers)
    assert _found(leftovers) == {"other", "others-events", "/aws/lambda/other"}


def test_nothing_is_touched_when_the_stack_is_whole(leftovers: boto3.Session) -> None:
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    leftovers.client("cloudformation").create_stack(
        StackName=STACK, TemplateBody=json.dumps(template)
    )
    before = _found(leftovers)
    assert not sweep_unfinished(leftovers)
    assert _found(leftovers) == before


def test_data_is_never_removed_when_its_deployment_is_gone(leftovers: boto3.Session) -> None:
    leftovers.client("dynamodb").put_item(TableName="millrace", Item={"pk": {"S": "VIDEO#1"}})
    before = _found(leftovers)
    with pytest.raises(DataInTheWayError, match="millrace reset"):
        sweep_unfinished(leftovers)
    assert _found(leftovers) == before


def test_sweep_does_nothing_when_the_account_is_empty(session: boto3.Session) -> None:
    assert sweep_unfinished(session)
    assert _found(session) == set()
