"""Functions created, updated and invoked through AWS's API."""

from __future__ import annotations

import base64
import json
import re
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.local_executor.cloud import Cloud, archive, until

pytestmark = pytest.mark.needs_cloud
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/millrace-echo:latest"
AWSLAMBDARIC = [sys.executable, "-m", "awslambdaric"]


def test_layer_and_environment_are_there_when_a_zip_function_runs(cloud: Cloud) -> None:
    layer = cloud.awslambda.publish_layer_version(
        LayerName="shared",
        Content={"ZipFile": archive({"python/of_the_layer.py": "VALUE = 'from the layer'"})},
    )
    name = cloud.function(
        """
        import os, of_the_layer, boto3
        def handler(event, context):
            account = boto3.client("sts").get_caller_identity()["Account"]
            return [of_the_layer.VALUE, os.environ["TABLE"], account, event]
        """,
        Layers=[layer["LayerVersionArn"]],
        Variables={"TABLE": "t"},
    )
    assert cloud.invoke(name, {"a": 1}) == ["from the layer", "t", "000000000000", {"a": 1}]


def test_new_code_and_configuration_are_used_when_a_function_is_updated(cloud: Cloud) -> None:
    name = cloud.function("def handler(event, context): return 'old'")
    assert cloud.invoke(name) == "old"
    source = "import os\ndef handler(event, context): return ['new', os.environ.get('K')]"
    cloud.awslambda.update_function_code(FunctionName=name, ZipFile=archive({"handler.py": source}))
    cloud.await_active(name)
    assert cloud.invoke(name) == ["new", None]
    cloud.awslambda.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"K": "v"}}
    )
    cloud.await_active(name)
    assert cloud.invoke(name) == ["new", "v"]


def test_mapped_process_runs_when_the_function_is_a_container_image(cloud: Cloud) -> None:
    name = cloud.create(
        PackageType="Image", Code={"ImageUri": IMAGE}, Variables={"BOTH": "function"}
    )
    seen = cloud.invoke(name, {"x": 1})
    assert seen["event"] == {"x": 1}
    assert seen["cwd"].endswith("/image")
    assert (seen["env"]["OF_THE_IMAGE"], seen["env"]["BOTH"]) == ("yes", "function")
    assert seen["env"]["AWS_ENDPOINT_URL"] == cloud.localstack.url


def test_image_config_replaces_the_command_when_given(cloud: Cloud) -> None:
    name = cloud.create(
        PackageType="Image",
        Code={"ImageUri": IMAGE},
        ImageConfig={
            "EntryPoint": AWSLAMBDARIC,
            "Command": ["handler.other"],
        },
    )
    assert cloud.invoke(name) == "other"
    cloud.awslambda.update_function_configuration(
        FunctionName=name, ImageConfig={"EntryPoint": [], "Command": []}
    )
    cloud.await_active(name)
    assert cloud.invoke(name, 1)["event"] == 1


@pytest.mark.parametrize("package", ["Zip", "Image"])
def test_function_runs_when_invoked_asynchronously(cloud: Cloud, package: str) -> None:
    if package == "Zip":
        name = cloud.function("def handler(event, context): record(event=event)")
    else:
        config = {"Command": ["handler.recording"], "EntryPoint": AWSLAMBDARIC}
        name = cloud.create(PackageType="Image", Code={"ImageUri": IMAGE}, ImageConfig=config)
    response = cloud.awslambda.invoke(
        FunctionName=name, InvocationType="Event", Payload=b'{"later": true}'
    )
    assert response["StatusCode"] == 202
    assert cloud.await_records(name, 1)[0]["event"] == {"later": True}


def test_creation_fails_with_the_reason_when_no_process_stands_for_the_image(cloud: Cloud) -> None:
    cloud.awslambda.create_function(
        FunctionName="nobody",
        PackageType="Image",
        Code={"ImageUri": "registry/unknown:1"},
        Role="arn:aws:iam::000000000000:role/test",
    )
    get = cloud.awslambda.get_function_configuration
    until(lambda: get(FunctionName="nobody")["State"] != "Pending")
    found = get(FunctionName="nobody")
    assert found["State"] == "Failed"
    assert "has no process for image unknown" in found["StateReason"]


def test_error_object_and_header_come_back_when_the_handler_raises(cloud: Cloud) -> None:
    name = cloud.function("def handler(event, context): raise ValueError('no')")
    response = cloud.awslambda.invoke(FunctionName=name)
    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    error = json.load(response["Payload"])
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no")
    assert error["stackTrace"]


def test_timeout_comes_back_when_the_function_takes_too_long(cloud: Cloud) -> None:
    name = cloud.function("import time\ndef handler(e, c): time.sleep(60)", Timeout=1)
    error = json.load(cloud.awslambda.invoke(FunctionName=name)["Payload"])
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")


def test_request_is_refused_when_it_is_over_six_mebibytes(cloud: Cloud) -> None:
    name = cloud.function("def handler(event, context): return len(event)")
    assert cloud.invoke(name, "x" * 6_000_000) == 6_000_000
    with pytest.raises(cloud.awslambda.exceptions.RequestTooLargeException):
        cloud.invoke(name, "x" * 6_300_000)


def test_client_context_and_log_tail_pass_when_asked_for(cloud: Cloud) -> None:
    name = cloud.function("""
        def handler(event, context):
            print("in the tail")
            return context.client_context.custom
    """)
    context = base64.b64encode(json.dumps({"custom": {"who": "žofie"}}).encode()).decode()
    response = cloud.awslambda.invoke(FunctionName=name, ClientContext=context, LogType="Tail")
    assert json.load(response["Payload"]) == {"who": "žofie"}
    tail = base64.b64decode(response["LogResult"]).decode().splitlines()
    request_id = response["ResponseMetadata"]["RequestId"]
    assert f"START RequestId: {request_id} Version: $LATEST" in tail
    assert "in the tail" in tail
    assert tail[-1].startswith(f"REPORT RequestId: {request_id}\tDuration: ")


def test_lines_are_in_cloudwatch_and_on_disk_when_a_function_logs(cloud: Cloud) -> None:
    name = cloud.function("""
        import logging
        logging.getLogger().setLevel("INFO")
        def handler(event, context):
            print("printed", event)
            logging.getLogger().info("logged %s", event)
    """)
    for number in range(3):
        cloud.invoke(name, number)
    logs = cloud.client("logs")

    def messages() -> list[str]:
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [entry["message"].rstrip("\n") for entry in found]

    until(lambda: sum(text.startswith("REPORT") for text in messages()) == 3)
    kinds = [re.sub(r"[ \t].*", "", text) for text in messages()]
    frame = ["START", "printed", "[INFO]", "END", "REPORT"]
    assert kinds == ["INIT_START", *frame * 3]
    streams = logs.describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    assert len(streams) == 1
    assert "[$LATEST]" in streams[0]["logStreamName"]
    on_disk = (cloud.localstack.function_logs / f"{name}.log").read_text().splitlines()
    assert on_disk == messages()


def test_metric_can_be_read_when_a_function_prints_embedded_metric_format(cloud: Cloud) -> None:
    name = cloud.function("""
        import json, time
        def handler(event, context):
            print(json.dumps({
                "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
                    "Namespace": "Millrace", "Dimensions": [["service"]],
                    "Metrics": [{"Name": "Tasks", "Unit": "Count"}]}]},
                "service": "test", "Tasks": event}))
    """)
    for value in (1, 2, 4):
        cloud.invoke(name, value)
    until(lambda: _sum(cloud, "Millrace", "Tasks", service="test") == 7.0)
    until(lambda: _sum(cloud, "AWS/Lambda", "Invocations", FunctionName=name) == 3.0)
    assert _sum(cloud, "AWS/Lambda", "Errors", FunctionName=name) == 0.0


def test_data_are_summed_when_they_come_as_values_with_counts_and_as_statistics(
    cloud: Cloud,
) -> None:
    statistics = {"SampleCount": 3, "Sum": 60, "Minimum": 10, "Maximum": 30}
    cloud.client("cloudwatch").put_metric_data(
        Namespace="Given",
        MetricData=[
            {"MetricName": "Depth", "Values": [1, 5], "Counts": [2, 1]},
            {"MetricName": "Depth", "Value": 4},
            {"MetricName": "Delay", "StatisticValues": statistics},
        ],
    )
    assert _sum(cloud, "Given", "Depth") == 1 + 1 + 5 + 4
    assert _sum(cloud, "Given", "Delay") == 60


def test_queue_tells_its_depth_and_no_single_request_when_messages_wait(cloud: Cloud) -> None:
    queue = cloud.queue()
    cloud.send(queue, "abc")
    name = queue.rsplit("/", 1)[-1]
    until(lambda: _sum(cloud, "AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=name) >= 3)
    assert _sum(cloud, "AWS/SQS", "NumberOfMessagesSent", QueueName=name) == 0


def _sum(cloud: Cloud, namespace: str, metric: str, **dimensions: str) -> float:
    now = datetime.now(UTC)
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_answers_at_once_when_the_function_is_warm(cloud: Cloud) -> None:
    name = cloud.function("def handler(event, context): return event")
    cloud.invoke(name)
    took_ms = []
    for number in range(30):
        started_s = time.perf_counter()
        cloud.invoke(name, number)
        took_ms.append((time.perf_counter() - started_s) * 1000)
    assert sorted(took_ms)[15] < 40, took_ms  # a delayed acknowledgement alone would cost 40
