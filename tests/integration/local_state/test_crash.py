"""Everything made before a kill -9 is there after the next start, and works."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.local_state.conftest import Machine

pytestmark = pytest.mark.needs_cloud

REGION = "arn:aws:{}:us-east-1:000000000000:{}"
PART = b"a" * (5 * 1024 * 1024)
PICTURE = {"ContentType": "image/png", "CacheControl": "max-age=1", "Metadata": {"who": "me"}}
HANDLER = """
import json, os, boto3
def handler(event, context):
    queue = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    for record in event["Records"]:
        queue.send_message(QueueUrl=os.environ["OUT"], MessageBody=record["body"])
"""


@dataclass
class Before:
    """What was made, and what is needed to look at it again."""

    queues: dict[str, str]
    api_id: str
    upload_id: str
    first_part: str
    etags: dict[str, str]


def make_queues(machine: Machine) -> dict[str, str]:
    sqs = machine.client("sqs")
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    redrive = json.dumps(
        {"deadLetterTargetArn": REGION.format("sqs", "dead"), "maxReceiveCount": "2"}
    )
    kinds: dict[str, dict[str, str]] = {
        "dead": {},
        "work": {"RedrivePolicy": redrive, "VisibilityTimeout": "300"},
        "order.fifo": fifo,
        "events": {},
        "in": {},
        "out": {},
    }
    urls = {
        name: sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        for name, attributes in kinds.items()
    }
    for number in range(4):
        sqs.send_message(QueueUrl=urls["work"], MessageBody=f"m{number}")
        sqs.send_message(QueueUrl=urls["order.fifo"], MessageBody=f"f{number}", MessageGroupId="g")
    sqs.send_message(QueueUrl=urls["work"], MessageBody="later", DelaySeconds=1)
    first, second = (sqs.receive_message(QueueUrl=urls["work"])["Messages"][0] for _ in range(2))
    sqs.delete_message(QueueUrl=urls["work"], ReceiptHandle=first["ReceiptHandle"])
    assert second["Body"] != first["Body"]  # in flight when the process dies
    return urls


def make_objects(machine: Machine) -> tuple[str, str, dict[str, str]]:
    s3 = machine.client("s3")
    s3.create_bucket(Bucket="media")
    s3.put_bucket_cors(
        Bucket="media",
        CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
    )
    s3.put_bucket_notification_configuration(
        Bucket="media",
        NotificationConfiguration={
            "QueueConfigurations": [
                {"QueueArn": REGION.format("sqs", "events"), "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    etags = {
        key: s3.put_object(Bucket="media", Key=key, Body=key.encode(), **PICTURE)["ETag"]
        for key in ("kept", "changed", "deleted")
    }
    etags["changed"] = s3.put_object(Bucket="media", Key="changed", Body=b"new", **PICTURE)["ETag"]
    s3.delete_object(Bucket="media", Key="deleted")
    copied = s3.copy_object(Bucket="media", Key="copied", CopySource="media/kept")
    etags["copied"] = copied["CopyObjectResult"]["ETag"]
    upload = s3.create_multipart_upload(Bucket="media", Key="large", **PICTURE)["UploadId"]
    part = s3.upload_part(Bucket="media", Key="large", UploadId=upload, PartNumber=1, Body=PART)
    return upload, part["ETag"], etags


def make_table(machine: Machine) -> None:
    tables = machine.client("dynamodb")
    names = ("pk", "sk", "team", "at")
    tables.create_table(
        TableName="things",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_shard",
                "KeySchema": [
                    {"AttributeName": "team", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["kind"]},
            }
        ],
    )
    tables.update_time_to_live(
        TableName="things", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
    )
    for number in range(3):
        tables.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "things", "Item": thing(number)}},
                {"Put": {"TableName": "things", "Item": {**thing(number), "sk": {"S": "log"}}}},
            ]
        )
    tables.delete_item(TableName="things", Key={"pk": {"S": "p0"}, "sk": {"S": "log"}})


def thing(number: int) -> dict[str, Any]:
    values = {"pk": f"p{number}", "sk": "s", "team": "x", "at": str(number), "kind": "k"}
    return {name: {"S": value} for name, value in values.items()}


def make_api(machine: Machine) -> str:
    gateway = machine.client("apigateway")
    api = gateway.create_rest_api(name="api")["id"]
    place = {
        "restApiId": api,
        "resourceId": gateway.get_resources(restApiId=api)["items"][0]["id"],
        "httpMethod": "GET",
    }
    gateway.put_method(**place, authorizationType="NONE")
    gateway.put_integration(
        **place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    gateway.put_method_response(**place, statusCode="200")
    gateway.put_integration_response(
        **place, statusCode="200", responseTemplates={"application/json": '{"ok": true}'}
    )
    gateway.create_deployment(restApiId=api, stageName="api")
    return str(api)


def make_the_rest(machine: Machine, queues: dict[str, str]) -> None:
    role = machine.client("iam").create_role(
        RoleName="worker", AssumeRolePolicyDocument=policy("sts:AssumeRole")
    )["Role"]["Arn"]
    machine.client("iam").put_role_policy(
        RoleName="worker", PolicyName="queues", PolicyDocument=policy("sqs:*")
    )
    machine.client("ssm").put_parameter(Name="/a/b", Value="1", Type="String")
    machine.client("logs").create_log_group(logGroupName="/aws/lambda/relay")
    machine.client("cloudwatch").put_metric_alarm(
        AlarmName="alarm", MetricName="m", Namespace="N", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
    )  # fmt: skip
    events = machine.client("events")
    events.put_rule(Name="every-minute", ScheduleExpression="rate(1 minute)")
    events.put_rule(Name="pattern", EventPattern='{"source": ["test"]}')
    for rule in ("every-minute", "pattern"):
        targets = [{"Id": "1", "Arn": REGION.format("sqs", "events")}]
        events.put_targets(Rule=rule, Targets=targets)
    make_function(machine, role, queues)


def policy(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_function(machine: Machine, role: str, queues: dict[str, str]) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("handler.py", HANDLER)
    functions = machine.client("lambda")
    functions.create_function(
        FunctionName="relay",
        Runtime="python3.11",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"OUT": queues["out"]}},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="relay")
    mapping = functions.create_event_source_mapping(
        FunctionName="relay", EventSourceArn=REGION.format("sqs", "in"), BatchSize=1
    )["UUID"]
    functions.update_event_source_mapping(
        UUID=mapping, FunctionName="relay", ScalingConfig={"MaximumConcurrency": 3}
    )


def make_stack(machine: Machine, *queues: str) -> None:
    stacks = machine.client("cloudformation")
    resources = {
        name: {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}} for name in queues
    }
    body = json.dumps({"Resources": resources})
    first = len(queues) == 1
    (stacks.create_stack if first else stacks.update_stack)(StackName="stack", TemplateBody=body)
    name = "stack_create_complete" if first else "stack_update_complete"
    stacks.get_waiter(name).wait(StackName="stack", WaiterConfig={"Delay": 1})


@pytest.fixture(scope="module")
def before(machine: Machine) -> Before:
    """Everything was made, then the cloud was killed and started again."""
    machine.start()
    queues = make_queues(machine)
    upload, part, etags = make_objects(machine)
    make_table(machine)
    make_the_rest(machine, queues)
    made = Before(queues, make_api(machine), upload, part, etags)
    make_stack(machine, "one")
    machine.crash_and_start()
    return made


def bodies(machine: Machine, url: str, enough: Callable[[list[str]], bool]) -> list[str]:
    """Messages of a queue, deleted as they come, until there are enough (30 s at the most)."""
    sqs = machine.client("sqs")
    found: list[str] = []
    deadline = time.monotonic() + 30
    while not enough(found) and time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            found.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_objects_are_as_they_were_when_restored(machine: Machine, before: Before) -> None:
    s3 = machine.client("s3")
    listed = {
        entry["Key"]: entry["ETag"] for entry in s3.list_objects_v2(Bucket="media")["Contents"]
    }
    del before.etags["deleted"]
    assert {key: listed[key] for key in before.etags} == before.etags
    assert "deleted" not in listed
    for key, body in (("kept", b"kept"), ("changed", b"new"), ("copied", b"kept")):
        found = s3.get_object(Bucket="media", Key=key)
        assert found["Body"].read() == body
        assert {name: found[name] for name in PICTURE} == PICTURE
    assert s3.get_bucket_cors(Bucket="media")["CORSRules"][0]["AllowedMethods"] == ["GET"]


def test_multipart_upload_can_be_finished_when_restored(machine: Machine, before: Before) -> None:
    s3 = machine.client("s3")
    place = {"Bucket": "media", "Key": "large", "UploadId": before.upload_id}
    second = s3.upload_part(**place, PartNumber=2, Body=b"end")["ETag"]
    parts = [
        {"PartNumber": 1, "ETag": before.first_part},
        {"PartNumber": 2, "ETag": second},
    ]
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    found = s3.get_object(Bucket="media", Key="large")
    assert found["Body"].read() == PART + b"end"
    assert found["ContentType"] == "image/png"


def test_notification_arrives_when_restored(machine: Machine, before: Before) -> None:
    machine.client("s3").put_object(Bucket="media", Key="after", Body=b"x")
    found = bodies(machine, before.queues["events"], lambda all_: any("after" in b for b in all_))
    assert any(json.loads(body)["Records"][0]["s3"]["object"]["key"] == "after"
               for body in found if "Records" in body)  # fmt: skip


def test_items_and_indexes_are_there_when_restored(machine: Machine, before: Before) -> None:
    tables = machine.client("dynamodb")
    page = tables.query(
        TableName="things",
        IndexName="by_shard",
        KeyConditionExpression="team = :x",
        ExpressionAttributeValues={":x": {"S": "x"}},
        ScanIndexForward=False,
        Limit=3,
    )
    assert [entry["at"]["S"] for entry in page["Items"]] == ["2", "2", "1"]
    assert tables.describe_table(TableName="things")["Table"]["ItemCount"] == 5
    ttl = tables.describe_time_to_live(TableName="things")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}


def test_messages_are_there_when_restored(machine: Machine, before: Before) -> None:
    found = bodies(machine, before.queues["work"], lambda all_: len(all_) >= 4)
    assert sorted(found) == ["later", "m1", "m2", "m3"]  # m0 was deleted, m1 was in flight


def test_fifo_queue_keeps_order_and_deduplication_when_restored(
    machine: Machine, before: Before
) -> None:
    sqs, url = machine.client("sqs"), before.queues["order.fifo"]
    sqs.send_message(QueueUrl=url, MessageBody="f0", MessageGroupId="g")  # sent before the crash
    sqs.send_message(QueueUrl=url, MessageBody="last", MessageGroupId="g")
    assert bodies(machine, url, lambda all_: "last" in all_) == ["f0", "f1", "f2", "f3", "last"]


def test_redrive_happens_when_restored(machine: Machine, before: Before) -> None:
    sqs, url = machine.client("sqs"), before.queues["work"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(3):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=1)
    assert bodies(machine, before.queues["dead"], bool) == ["poison"]


def test_function_is_fed_by_its_queue_when_restored(machine: Machine, before: Before) -> None:
    (mapping,) = machine.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert (mapping["State"], mapping["ScalingConfig"]) == ("Enabled", {"MaximumConcurrency": 3})
    machine.client("sqs").send_message(QueueUrl=before.queues["in"], MessageBody="hello")
    assert bodies(machine, before.queues["out"], bool) == ["hello"]


def test_rest_api_answers_when_restored(machine: Machine, before: Before) -> None:
    url = f"{machine.config.endpoint_url}/_aws/execute-api/{before.api_id}/api/"
    with urllib.request.urlopen(url) as answer:
        assert json.load(answer) == {"ok": True}


def test_rules_fire_when_restored(machine: Machine, before: Before) -> None:
    events = machine.client("events")
    events.put_events(Entries=[{"Source": "test", "DetailType": "d", "Detail": "{}"}])
    found = bodies(
        machine,
        before.queues["events"],
        lambda all_: any('"test"' in body for body in all_),
    )
    assert any(json.loads(body).get("source") == "test" for body in found)
    rules = {rule["Name"]: rule for rule in events.list_rules()["Rules"]}
    assert rules["every-minute"]["State"] == "ENABLED"


def test_everything_else_is_there_when_restored(machine: Machine, before: Before) -> None:
    iam = machine.client("iam")
    assert iam.list_role_policies(RoleName="worker")["PolicyNames"] == ["queues"]
    assert iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")["Policy"]
    parameter = machine.client("ssm").get_parameter(Name="/a/b")["Parameter"]
    assert parameter["Value"] == "1"
    groups = machine.client("logs").describe_log_groups()["logGroups"]
    assert "/aws/lambda/relay" in [group["logGroupName"] for group in groups]
    alarms = machine.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in alarms] == ["alarm"]


def test_stack_can_be_updated_when_restored(machine: Machine, before: Before) -> None:
    stacks = machine.client("cloudformation")
    (stack,) = stacks.describe_stacks(StackName="stack")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    make_stack(machine, "one", "two")
    names = [url.rpartition("/")[2] for url in machine.client("sqs").list_queues()["QueueUrls"]]
    assert {"one", "two"} <= set(names)
