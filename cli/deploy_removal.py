"""Takes a deployment away: the stack, and only when asked the buckets and the table with all
videos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from cdk.functions import FIRST_TOKEN, PREFIX
from cli.deploy_cdk import DeployError
from cli.deploy_sweep import STACK

_KEPT_KINDS = ("AWS::S3::Bucket", "AWS::DynamoDB::Table")
_LOOK_EVERY_S = 5
_LONGEST_S = 3600
"""A distribution of CloudFront takes a quarter of an hour, at times more."""
_GONE = frozenset({"404", "NoSuchBucket", "ResourceNotFoundException", "ParameterNotFound"})


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of a deployment."""

    resources: int
    """In the stack; 0: there is no stack."""
    buckets: tuple[str, ...]
    tables: tuple[str, ...]

    @property
    def anything(self) -> bool:
        return bool(self.resources or self.buckets or self.tables)


def look(session: Any, suffix: str) -> Found:
    """
    Args:
        suffix: end of the bucket names, as in the settings.
    """
    names = [f"{PREFIX}-{kind}-{suffix}" for kind in ("uploads", "site")]
    s3, dynamodb = session.client("s3"), session.client("dynamodb")
    return Found(
        resources=_stack_size(session.client("cloudformation")),
        buckets=tuple(name for name in names if _is_there(s3.head_bucket, Bucket=name)),
        tables=(PREFIX,) if _is_there(dynamodb.describe_table, TableName=PREFIX) else (),
    )


def _stack_size(cloudformation: Any) -> int:
    try:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
        found = [item for page in pages for item in page["StackResourceSummaries"]]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return 0
        raise
    return sum(item["ResourceStatus"] != "DELETE_COMPLETE" for item in found)


def _is_there(call: Any, **arguments: str) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return False
        raise
    return True


def remove_stack(session: Any) -> None:
    """Delete the stack and wait for the end; its data stay.

    Raises:
        DeployError: CloudFormation could not remove something; the message says what.
    """
    cloudformation = session.client("cloudformation")
    cloudformation.delete_stack(StackName=STACK)
    patience = {"Delay": _LOOK_EVERY_S, "MaxAttempts": _LONGEST_S // _LOOK_EVERY_S}
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=STACK, WaiterConfig=patience
        )
    except WaiterError as error:
        raise DeployError(f"the stack could not be removed: {_why(cloudformation)}") from error


def _why(cloudformation: Any) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    failed = [item for item in events if item["ResourceStatus"].endswith("_FAILED")]
    told = [
        f"{item['LogicalResourceId']}: {item.get('ResourceStatusReason', 'no reason given')}"
        for item in failed[:5]
    ]
    return "; ".join(told) or "CloudFormation does not say why"


def remove_data(session: Any, found: Found) -> None:
    """Delete every object of the buckets, the buckets, the table and what opened it. Repeatable."""
    s3 = session.client("s3")
    for bucket in found.buckets:
        _empty(s3, bucket)
        s3.delete_bucket(Bucket=bucket)
    dynamodb = session.client("dynamodb")
    for table in found.tables:
        dynamodb.delete_table(TableName=table)
        dynamodb.get_waiter("table_not_exists").wait(TableName=table)
    ssm = session.client("ssm")
    if _is_there(ssm.get_parameter, Name=FIRST_TOKEN):
        ssm.delete_parameter(Name=FIRST_TOKEN)


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        doomed = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in listed]
        if not doomed:
            continue
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})
        if errors := answer.get("Errors"):
            message = f"{len(errors)} objects of {bucket} stay ({errors[0].get('Code')})"
            raise DeployError(message)
