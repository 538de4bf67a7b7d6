"""Turns a row of the function table into an IAM role and environment variables: nothing more than
the row says, so no CDK `grant_*` (those add wildcard actions)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Aws, CfnElement, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.functions import TURN_SECRET, Function, engine_memory_bytes
from cdk.nag import acknowledge
from cdk.queues import Queues
from cdk.settings import Settings
from cdk.sockets import SocketApi
from cdk.storage import Storage
from cdk.storage_names import MEDIA_PREFIX, UPLOAD_PREFIX

_CONSUME = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
_BELOW_MEDIA = {"StringLike": {"s3:prefix": [f"{MEDIA_PREFIX}*"]}}


@dataclass(frozen=True, slots=True)
class Resources:
    """What functions are given access to."""

    storage: Storage
    queues: Queues
    topic: sns.Topic
    sockets: SocketApi
    settings: Settings


def execution_role(
    scope: Construct, construct_id: str, spec: Function, resources: Resources, log: logs.ILogGroup
) -> iam.Role:
    """The function's own role, with one inline policy."""
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={
            "function": iam.PolicyDocument(statements=_statements(spec, resources, log))
        },
    )
    _explain_wildcards(role, spec, resources.storage)
    if resources.settings.xray:
        acknowledge(role, "IAM5[Resource::*]", "X-Ray's actions know no resources.")
    for method in spec.access.sockets:
        finding = resources.sockets.finding(method)
        acknowledge(role, finding, "Whoever is connected, but to this API alone.")
    return role


def _statements(
    spec: Function, resources: Resources, log: logs.ILogGroup
) -> list[iam.PolicyStatement]:
    storage, queues, access = resources.storage, resources.queues, spec.access
    found = [
        _allow("logs", ("CreateLogStream", "PutLogEvents"), [log.log_group_arn]),
        _allow("dynamodb", access.table, [storage.table.table_arn]),
        _objects(storage.uploads, UPLOAD_PREFIX, access.uploads),
        _objects(storage.site, MEDIA_PREFIX, access.media),
        _allow("s3", access.uploads_bucket, [storage.uploads.bucket_arn]),
        _allow("s3", access.media_listing, [storage.site.bucket_arn], _BELOW_MEDIA),
    ]
    if access.deletes:
        below = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": list(access.deletes)}}
        found.append(_allow("dynamodb", ("DeleteItem",), [storage.table.table_arn], below))
    found.append(_allow("sns", access.topic, [resources.topic.topic_arn]))
    found.append(_allow("s3", access.site_bucket, [storage.site.bucket_arn]))
    watched = [queues.pairs[name].queue.queue_arn for name in access.watches]
    watched += [queues.pairs[name].dead_letters.queue_arn for name in access.watches_letters]
    found.append(_allow("sqs", ("GetQueueAttributes",), watched))
    taken = [queues.pairs[name].dead_letters.queue_arn for name in access.takes_letters]
    found.append(_allow("sqs", ("ReceiveMessage", "DeleteMessage"), taken))
    found += _of_calls(spec, resources)
    if access.indexes:
        arns = [f"{storage.table.table_arn}/index/{index}" for index in access.indexes]
        found.append(_allow("dynamodb", ("Query",), arns))
    targets = [queues.pairs[name].queue.queue_arn for name in access.sends]
    if spec.queue:
        own = queues.pairs[spec.name]
        found.append(_allow("sqs", _CONSUME, [own.queue.queue_arn]))
        targets.append(own.dead_letters.queue_arn)
    found.append(_allow("sqs", ("SendMessage",), targets))
    if resources.settings.xray:
        found.append(_allow("xray", ("PutTraceSegments", "PutTelemetryRecords"), ["*"]))
    return [statement for statement in found if statement is not None]


def _of_calls(spec: Function, resources: Resources) -> list[iam.PolicyStatement | None]:
    manage = [resources.sockets.arn(method) for method in spec.access.sockets]
    secret = f"arn:{Aws.PARTITION}:ssm:{Aws.REGION}:{Aws.ACCOUNT_ID}:parameter{TURN_SECRET}"
    return [
        _allow("execute-api", ("ManageConnections",), manage),
        _allow("ssm", spec.access.turn_secret, [secret]),
    ]


def _allow(
    service: str,
    actions: Sequence[str],
    arns: Sequence[str],
    conditions: Mapping[str, object] | None = None,
) -> iam.PolicyStatement | None:
    if not actions or not arns:
        return None
    return iam.PolicyStatement(
        actions=[f"{service}:{action}" for action in actions],
        resources=list(arns),
        conditions=conditions,
    )


def _objects(bucket: s3.Bucket, prefix: str, actions: Sequence[str]) -> iam.PolicyStatement | None:
    return _allow("s3", actions, [bucket.arn_for_objects(f"{prefix}*")])


def _explain_wildcards(role: iam.Role, spec: Function, storage: Storage) -> None:
    """Each finding by itself, so that a new wildcard is a new finding."""
    stack = Stack.of(role)
    for bucket, prefix, actions in (
        (storage.uploads, UPLOAD_PREFIX, spec.access.uploads),
        (storage.site, MEDIA_PREFIX, spec.access.media),
    ):
        element = bucket.node.default_child
        assert isinstance(element, CfnElement)
        if actions:
            acknowledge(
                role,
                f"IAM5[Resource::<{stack.get_logical_id(element)}.Arn>/{prefix}*]",
                "Each video has its own keys below this prefix; no action has a wildcard.",
            )


def environment(spec: Function, resources: Resources) -> dict[str, str]:
    """The variables a function reads: those of the resources it may use, and no others."""
    storage, access = resources.storage, spec.access
    variables = {
        "POWERTOOLS_SERVICE_NAME": spec.name,
        "POWERTOOLS_METRICS_NAMESPACE": "Millrace",
        "LOG_LEVEL": resources.settings.log_level,
        "POWERTOOLS_LOGGER_SAMPLE_RATE": str(resources.settings.debug_percent / 100),
    }
    if access.table:
        variables["MILLRACE_TABLE"] = storage.table.table_name
    if access.uploads:
        variables["MILLRACE_UPLOADS_BUCKET"] = storage.uploads.bucket_name
    if access.media or access.site_bucket:
        variables["MILLRACE_SITE_BUCKET"] = storage.site.bucket_name
    variables |= _queue_urls(spec, resources.queues)
    if access.topic:
        variables["MILLRACE_TOPIC_ARN"] = resources.topic.topic_arn
    if access.sockets:
        variables["MILLRACE_CALLBACK_URL"] = resources.sockets.callback_url
    if access.turn_secret:
        variables["MILLRACE_TURN_SECRET_PARAMETER"] = TURN_SECRET
    if spec.tells_addresses:
        variables["MILLRACE_SITE_URL"] = storage.site_url
    if (most := engine_memory_bytes(spec, resources.settings)) is not None:
        variables["MILLRACE_MAX_MEMORY_BYTES"] = str(most)
    for name in spec.settings:
        value = getattr(resources.settings, name)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        variables[f"MILLRACE_{name.upper()}"] = text
    return variables


def _queue_urls(spec: Function, queues: Queues) -> dict[str, str]:
    own = [spec.name] if spec.queue else []
    urls = {
        f"MILLRACE_{name.upper()}_QUEUE_URL": queues.pairs[name].queue.queue_url
        for name in (*spec.access.sends, *spec.access.watches, *own)
    }
    for name in (*spec.access.watches_letters, *own):
        url = queues.pairs[name].dead_letters.queue_url
        urls[f"MILLRACE_{name.upper()}_DLQ_URL"] = url
    return urls
