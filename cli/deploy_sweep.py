"""Clears away what a first deployment left behind when it was cut short (a crash, a power cut).

CloudFormation forgets such resources or cannot make them again, because most have fixed names. A
stack that was ever whole is left alone, and no data is removed: a table that holds anything stops
the deployment instead. Buckets may stay, making one again is no error.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from localstack_client.session import Session

from cdk.functions import PREFIX, TOPIC

STACK = "Millrace"


class DataInTheWayError(RuntimeError):
    """There are videos, but no deployment they belong to."""


def sweep_unfinished(session: Session) -> bool:
    """Remove the pieces of a first deployment that never ended well.

    Returns:
        False when the stack was whole at some time, and nothing was touched.

    Raises:
        DataInTheWayError: the table holds items.
    """
    cloudformation = session.client("cloudformation")
    status = _stack_status(cloudformation)
    if status == "CREATE_COMPLETE" or status.startswith(("UPDATE_", "IMPORT_")):
        return False
    _table(session.client("dynamodb"))
    if status:
        # Updating what was never whole, LocalStack compares with the template that failed.
        cloudformation.delete_stack(StackName=STACK)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    _functions(session.client("lambda"))
    _api(session.client("apigateway"))
    _schedules(session.client("events"))
    _topic(session.client("sns"))
    logs = session.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix=f"/aws/lambda/{PREFIX}-"
    ):
        for group in page["logGroups"]:
            logs.delete_log_group(logGroupName=group["logGroupName"])
    sqs = session.client("sqs")
    for url in sqs.list_queues(QueueNamePrefix=f"{PREFIX}-").get("QueueUrls", []):
        sqs.delete_queue(QueueUrl=url)
    return True


def _stack_status(cloudformation: Any) -> str:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    except ClientError:
        return ""  # there is none
    return str(stack["StackStatus"])


def _table(dynamodb: Any) -> None:
    try:
        found = dynamodb.scan(TableName=PREFIX, Limit=1)
    except dynamodb.exceptions.ResourceNotFoundException:
        return
    if found["Items"]:
        raise DataInTheWayError(
            f"table {PREFIX} holds data, but its deployment is gone; "
            "./millrace reset deletes both and starts anew"
        )
    dynamodb.delete_table(TableName=PREFIX)


def _functions(client: Any) -> None:
    for page in client.get_paginator("list_event_source_mappings").paginate():
        for mapping in page["EventSourceMappings"]:
            if f":function:{PREFIX}-" in mapping["FunctionArn"]:
                client.delete_event_source_mapping(UUID=mapping["UUID"])
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["FunctionName"].startswith(f"{PREFIX}-"):
                client.delete_function(FunctionName=function["FunctionName"])


def _api(gateway: Any) -> None:
    for api in gateway.get_rest_apis()["items"]:
        if api["name"] == f"{PREFIX}-api":
            gateway.delete_rest_api(restApiId=api["id"])


def _schedules(events: Any) -> None:
    for rule in events.list_rules(NamePrefix=f"{STACK}-")["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        if targets:
            events.remove_targets(Rule=rule["Name"], Ids=[target["Id"] for target in targets])
        events.delete_rule(Name=rule["Name"])


def _topic(sns: Any) -> None:
    for topic in sns.list_topics()["Topics"]:
        if topic["TopicArn"].endswith(f":{TOPIC}"):
            sns.delete_topic(TopicArn=topic["TopicArn"])
