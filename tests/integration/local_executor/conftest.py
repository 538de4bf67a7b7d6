"""One LocalStack for all tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.local_executor.cloud import RECORDER, Cloud, LocalStack, until

IMAGE_HANDLER = """
import os, sys
def handler(event, context):
    return {"event": event, "argv": sys.argv, "cwd": os.getcwd(), "env": dict(os.environ)}
def other(event, context):
    return "other"
def recording(event, context):
    record(event=event)
"""


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    base = tmp_path_factory.mktemp("cloud")
    (base / "image").mkdir()
    (base / "image" / "handler.py").write_text(RECORDER + IMAGE_HANDLER)
    entry = {"directory": "image", "environment": {"OF_THE_IMAGE": "yes", "BOTH": "image"}}
    (base / "images.json").write_text(json.dumps({"millrace-echo": entry}))
    (base / "records").mkdir()
    localstack = LocalStack(base / "state", base / "images.json")
    cloud = Cloud(localstack, base / "records")
    yield cloud
    assert localstack.functions(), "the tests left no function process to be ended"
    localstack.terminate()
    try:
        until(lambda: localstack.functions() == [])
        until(lambda: list((base / "state" / "functions" / "tmp").iterdir()) == [])
    finally:
        localstack.stop()


@pytest.fixture(scope="session", autouse=True)
def scheduled(cloud: Cloud) -> str:
    """A function that a schedule runs every minute: made first, so that no test has to wait."""
    name = cloud.function("def handler(event, context): record(event=event)")
    events = cloud.client("events")
    rule = events.put_rule(Name="every-minute", ScheduleExpression="rate(1 minute)")["RuleArn"]
    arn = cloud.awslambda.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    cloud.awslambda.add_permission(
        FunctionName=name,
        StatementId="schedule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    events.put_targets(Rule="every-minute", Targets=[{"Id": "f", "Arn": arn}])
    return name
