"""Looks whether what the template describes is really there: LocalStack reports success also for
resources it does not know."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError
from localstack_client.session import Session

from cdk.functions import (
    API,
    FUNCTIONS,
    MAX_RECEIVE_COUNT,
    PREFIX,
    TOPIC,
    Function,
    max_concurrency,
    queue_name,
)
from cdk.settings import Settings
from cdk.storage_names import INDEXES


def missing_resources(session: Session, settings: Settings) -> list[str]:
    """What the pipeline cannot do without and is not there, in words; empty when all is well."""
    checks: list[Callable[[Session, Settings], Iterator[str]]] = [
        _buckets,
        _table,
        _queues,
        _topic,
        _functions,
        _mappings,
        _schedules,
        _api,
    ]
    return [text for check in checks for text in check(session, settings)]


def _buckets(session: Session, settings: Settings) -> Iterator[str]:
    s3 = session.client("s3")
    uploads, site = (f"{PREFIX}-{name}-{settings.suffix}" for name in ("uploads", "site"))
    for bucket in (uploads, site):
        if not _ask(s3.get_bucket_cors, Bucket=bucket):
            yield f"bucket {bucket} or its CORS rules"
    answer = _ask(s3.get_bucket_notification_configuration, Bucket=uploads)
    if not answer.get("QueueConfigurations"):
        yield f"the notification from {uploads} to {queue_name('ingest')}"


def _table(session: Session, _settings: Settings) -> Iterator[str]:
    dynamodb = session.client("dynamodb")
    table = _ask(dynamodb.describe_table, TableName=PREFIX).get("Table", {})
    found = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])}
    if not table:
        yield f"table {PREFIX}"
    elif found != set(INDEXES):
        yield f"indexes of table {PREFIX}: {', '.join(sorted(set(INDEXES) - found))}"


def _queues(session: Session, _settings: Settings) -> Iterator[str]:
    sqs = session.client("sqs")
    found = _ask(sqs.list_queues, QueueNamePrefix=f"{PREFIX}-", MaxResults=1000)
    urls = {url.rsplit("/", 1)[1]: url for url in found.get("QueueUrls", [])}
    for spec in _fed():
        name, dead = queue_name(spec.name), queue_name(spec.name, dead_letter=True)
        for absent in {name, dead} - set(urls):
            yield f"queue {absent}"
        if {name, dead} <= set(urls) and not _redrives(sqs, urls[name], dead):
            yield f"the redrive of queue {name} to {dead}"


def _topic(session: Session, _settings: Settings) -> Iterator[str]:
    found = session.client("sns").list_topics()["Topics"]
    if not any(topic["TopicArn"].endswith(f":{TOPIC}") for topic in found):
        yield f"the SNS topic {TOPIC}"


def _redrives(sqs: Any, url: str, dead: str) -> bool:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    policy = json.loads(answer.get("Attributes", {}).get("RedrivePolicy", "{}"))
    target = str(policy.get("deadLetterTargetArn", ""))
    return target.endswith(f":{dead}") and int(policy["maxReceiveCount"]) == MAX_RECEIVE_COUNT


def _functions(session: Session, _settings: Settings) -> Iterator[str]:
    client = session.client("lambda")
    for spec in (*FUNCTIONS, API):
        name = f"{PREFIX}-{spec.name}"
        answer = _ask(client.get_function_configuration, FunctionName=name)
        if answer.get("Timeout") != spec.timeout_s:
            yield f"function {name}"


def _mappings(session: Session, settings: Settings) -> Iterator[str]:
    found = session.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    by_source = {mapping["EventSourceArn"].rsplit(":", 1)[1]: mapping for mapping in found}
    for spec in _fed():
        mapping = by_source.get(queue_name(spec.name), {})
        limit = max_concurrency(spec, settings)
        if mapping.get("State") not in ("Enabled", "Enabling", "Creating", "Updating"):
            yield f"the event source mapping of {spec.name}"
        elif mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"partial batch answers of {spec.name}"
        elif mapping.get("ScalingConfig") != {"MaximumConcurrency": limit}:
            yield f"the maximum concurrency of {spec.name}"


def _schedules(session: Session, _settings: Settings) -> Iterator[str]:
    events = session.client("events")
    for spec in FUNCTIONS:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{PREFIX}-{spec.name}"
        if spec.schedule_minutes and not events.list_rule_names_by_target(TargetArn=arn).get(
            "RuleNames"
        ):
            yield f"the schedule of {spec.name}"


def _api(session: Session, _settings: Settings) -> Iterator[str]:
    gateway = session.client("apigateway")
    names = {api["name"] for api in gateway.get_rest_apis().get("items", [])}
    if f"{PREFIX}-api" not in names:
        yield "the REST API"


def _fed() -> list[Function]:
    return [spec for spec in FUNCTIONS if spec.queue]


def _ask(call: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    """The answer, or nothing when AWS says that there is no such thing."""
    try:
        answer: dict[str, Any] = call(**arguments)
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise
        return {}
    return answer
