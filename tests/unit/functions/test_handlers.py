"""What every handler has in common."""

from __future__ import annotations

import ast
import io
import json
from contextlib import redirect_stdout

import pytest

from millrace import config
from millrace.errors import MillraceError
from tests.unit.core.harness import REPOSITORY, Cloud, Context

FOLDERS = sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/handler.py"))
UNQUEUED = ("monitor", "signal")
WORKERS = ("probe", "transcode", "thumbnail")


def test_every_folder_has_its_needs_stated_when_it_is_a_function() -> None:
    assert sorted([*FOLDERS, "api"]) == sorted(config.NEEDS)


@pytest.mark.parametrize("name", FOLDERS)
def test_handler_is_thin(name: str) -> None:
    tree = ast.parse((REPOSITORY / "functions" / name / "handler.py").read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert "handler" in {function.name for function in functions}
    for function in functions:
        assert (function.end_lineno or 0) - function.lineno < 15


@pytest.mark.parametrize("name", FOLDERS)
def test_handler_starts_when_only_what_it_needs_is_set(
    cloud: Cloud, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = {config.variable(field) for field in config.NEEDS[name]}
    for variable in cloud.environment:
        if variable not in needed:
            monkeypatch.delenv(variable)
    assert callable(cloud._handler(name).handler)


@pytest.mark.parametrize("name", FOLDERS)
def test_handler_does_not_start_when_the_table_is_missing(
    cloud: Cloud, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MILLRACE_TABLE")
    with pytest.raises(MillraceError, match="MILLRACE_TABLE"):
        cloud._handler(name)


@pytest.mark.parametrize("name", [name for name in FOLDERS if name not in UNQUEUED])
def test_rest_of_the_batch_is_acknowledged_when_one_message_fails(cloud: Cloud, name: str) -> None:
    def record(number: int, body: str) -> dict[str, object]:
        return {
            "messageId": f"message-{number}",
            "receiptHandle": "none",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": str(number)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q",
            "awsRegion": "us-east-1",
        }

    refused = iter([True])

    def refuse(operation: str) -> None:
        if operation == "SendMessage" and next(refused, False):
            raise ConnectionError("SQS is away")

    cloud.wire.on_call = refuse
    answer = cloud.invoke(name, {"Records": [record(1, "bad"), record(2, "worse")]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}


def test_metrics_are_written_in_embedded_format_when_a_video_is_completed(cloud: Cloud) -> None:
    cloud.upload()
    with redirect_stdout(io.StringIO()) as out:
        cloud.drain()
    found = [json.loads(line) for line in out.getvalue().splitlines() if '"_aws"' in line]
    names = {
        metric["Name"]
        for line in found
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    assert {"VideosQueued", "TasksDone", "VideosPlayable", "TimeToPlayable"} < names
    assert {"VideosCompleted", "TimeToCompleted", "SourceBytesRead", "TaskSeconds"} < names


def test_what_became_of_calls_is_written_in_embedded_format_when_a_socket_is_opened(
    cloud: Cloud,
) -> None:
    event = {"requestContext": {"eventType": "CONNECT", "connectionId": "socket"}}
    with redirect_stdout(io.StringIO()) as out:
        assert cloud.invoke("signal", event) == {"statusCode": 200}
    (line,) = [json.loads(line) for line in out.getvalue().splitlines() if '"_aws"' in line]
    assert line["SignalConnections"] == [1.0]


@pytest.mark.parametrize("name", WORKERS)
def test_video_comes_back_later_when_the_database_is_away(cloud: Cloud, name: str) -> None:
    cloud.upload()
    for queue in ("ingest", "probe", "transcode", "thumbnail"):
        if queue == name:
            break
        cloud.deliver(queue)
    away = [True]

    def refuse(operation: str) -> None:
        if operation == "TransactWriteItems" and away[0]:
            raise ConnectionError("DynamoDB is away")

    cloud.wire.on_call = refuse
    cloud.deliver(name)
    assert cloud.waiting(name) >= 1
    away[0] = False
    cloud.pass_time(6000)
    cloud.heal()
    assert cloud.video().status == "COMPLETED"


def test_context_is_what_lambda_gives_when_a_handler_asks() -> None:
    assert Context("millrace-probe", "id").get_remaining_time_in_millis() == 60_000
