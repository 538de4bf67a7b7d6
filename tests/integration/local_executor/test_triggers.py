"""REST API, bucket notifications and schedules in front of functions."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from email.message import Message
from typing import Any
from urllib.parse import unquote_plus

import pytest

from tests.integration.local_executor.cloud import Cloud, queue_arn, until

pytestmark = pytest.mark.needs_cloud
API = """
    import base64, json
    def handler(event, context):
        if event["path"] == "/binary":
            body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else b"text!"
            return {"statusCode": 201, "isBase64Encoded": True,
                    "headers": {"Content-Type": "application/octet-stream"},
                    "body": base64.b64encode(body[::-1]).decode()}
        if event["path"] == "/crash":
            raise ValueError("no")
        seen = {k: event[k] for k in ("httpMethod", "path", "body", "pathParameters",
                                      "multiValueQueryStringParameters", "multiValueHeaders")}
        return {"statusCode": 200, "body": json.dumps(seen),
                "multiValueHeaders": {"X-Many": ["1", "2"], "Content-Type": ["application/json"]}}
"""


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> str:
    """URL of a REST API whose every path is one function."""
    name = cloud.function(API)
    arn = cloud.awslambda.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    gateway = cloud.client("apigateway")
    api_id = gateway.create_rest_api(name="api", binaryMediaTypes=["application/octet-stream"])[
        "id"
    ]
    root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    proxy = gateway.create_resource(restApiId=api_id, parentId=root, pathPart="{proxy+}")["id"]
    where = {"restApiId": api_id, "resourceId": proxy, "httpMethod": "ANY"}
    gateway.put_method(**where, authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api_id, stageName="api")
    return f"{cloud.localstack.url}/_aws/execute-api/{api_id}/api"


def request(
    url: str, data: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, Message, bytes]:
    call = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(call, timeout=20) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_request_and_response_pass_whole_when_they_go_through_the_rest_api(api: str) -> None:
    status, headers, body = request(
        f"{api}/videos/1?tag=a&tag=b&x=%C5%BE",
        json.dumps({"t": "ž"}).encode(),
        {"Content-Type": "application/json", "X-Own": "v"},
    )
    seen: dict[str, Any] = json.loads(body)
    assert status == 200
    assert headers.get_all("X-Many") == ["1", "2"]
    assert (seen["httpMethod"], seen["path"]) == ("POST", "/videos/1")
    assert seen["pathParameters"] == {"proxy": "videos/1"}
    assert seen["multiValueQueryStringParameters"] == {"tag": ["a", "b"], "x": ["ž"]}
    assert json.loads(seen["body"]) == {"t": "ž"}
    assert ["v"] in seen["multiValueHeaders"].values()


def test_bytes_are_unchanged_when_the_media_type_is_binary(api: str) -> None:
    data = bytes(range(256))
    kind = "application/octet-stream"
    status, headers, body = request(f"{api}/binary", data, {"Content-Type": kind, "Accept": kind})
    assert status == 201
    assert headers["Content-Type"] == kind
    assert body == data[::-1]


def test_answers_502_when_the_function_behind_the_api_fails(api: str) -> None:
    status, _, body = request(f"{api}/crash")
    assert status == 502
    assert json.loads(body) == {"message": "Internal server error"}


def test_function_runs_when_an_object_arrives_in_a_bucket_that_notifies_a_queue(
    cloud: Cloud,
) -> None:
    function = cloud.function("def handler(event, context): record(event=event)")
    queue = cloud.queue()
    cloud.map(queue, function, BatchSize=10)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="notifies")
    rule = {
        "QueueArn": queue_arn(queue),
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "uploads/"}]}},
    }
    s3.put_bucket_notification_configuration(
        Bucket="notifies", NotificationConfiguration={"QueueConfigurations": [rule]}
    )
    s3.put_object(Bucket="notifies", Key="elsewhere/x", Body=b"no")
    s3.put_object(Bucket="notifies", Key="uploads/a b", Body=b"yes")

    def keys() -> list[str]:
        messages = [m for r in cloud.records(function) for m in r["event"]["Records"]]
        bodies = [json.loads(message["body"]) for message in messages]
        notices = [notice for body in bodies for notice in body.get("Records", [])]
        return [unquote_plus(notice["s3"]["object"]["key"]) for notice in notices]

    until(lambda: keys() != [])
    assert keys() == ["uploads/a b"]


def test_function_runs_every_minute_when_a_schedule_says_so(cloud: Cloud, scheduled: str) -> None:
    event = cloud.await_records(scheduled, 1, timeout_s=120)[0]["event"]
    assert event["source"] == "aws.events"
    assert event["detail-type"] == "Scheduled Event"
