"""From the bytes a function writes to lines, files, CloudWatch and metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.executor.emf import metrics_in
from local.executor.fleet import Fleet
from local.executor.lines import MAX_LINE_BYTES, LineSplitter
from local.executor.logs import LogFile
from local.executor.settings import Settings
from local.executor.shipper import LogLine, Shipper
from local.executor.spec import Command, FunctionSpec
from tests.unit.local.executor.conftest import MakeFunction
from tests.unit.local.executor.support import event

EMF = {
    "_aws": {
        "Timestamp": 1_700_000_000_000,
        "CloudWatchMetrics": [
            {
                "Namespace": "Millrace",
                "Dimensions": [["service"], ["service", "kind"]],
                "Metrics": [{"Name": "Tasks", "Unit": "Count"}, {"Name": "Took"}],
            }
        ],
    },
    "service": "probe",
    "kind": "video",
    "Tasks": 2,
    "Took": [1.5, 2.5],
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


def client(service: str, region: str) -> Any:
    return boto3.client(service, region_name=region)  # type: ignore[call-overload]


def messages(group: str) -> list[str]:
    logs = client("logs", "us-east-1")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return [entry["message"] for page in pages for entry in page["events"]]


def test_lines_are_whole_when_they_come_in_pieces() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == ["one"]
    letter = "ž".encode()
    assert splitter.feed(b"o\n" + letter[:1]) == ["two"]
    assert splitter.feed(letter[1:] + b"\r\n\nlast") == ["ž", ""]
    assert splitter.rest() == ["last"]
    assert splitter.rest() == []


def test_stack_trace_is_one_event_when_awslambdaric_joins_it_by_carriage_returns() -> None:
    assert LineSplitter().feed(b"[ERROR] E\rTraceback\r  line\n") == [
        "[ERROR] E\nTraceback\n  line"
    ]


def test_line_is_cut_when_it_is_longer_than_cloudwatch_takes() -> None:
    splitter = LineSplitter()
    lines = splitter.feed(b"x" * (MAX_LINE_BYTES * 2 + 5) + b"\n")
    lines += splitter.feed(b"y" * (MAX_LINE_BYTES + 1)) + splitter.rest()
    assert [len(line) for line in lines] == [MAX_LINE_BYTES, MAX_LINE_BYTES, 5, MAX_LINE_BYTES, 1]


def test_metrics_are_found_for_each_dimension_set_when_the_line_is_emf() -> None:
    metrics = metrics_in(json.dumps(EMF))
    assert [(m.namespace, m.datum["MetricName"]) for m in metrics] == [
        ("Millrace", "Tasks"),
        ("Millrace", "Took"),
    ] * 2
    assert metrics[0].datum == {
        "MetricName": "Tasks",
        "Dimensions": [{"Name": "service", "Value": "probe"}],
        "Timestamp": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        "Unit": "Count",
        "Value": 2.0,
    }
    assert metrics[1].datum["Values"] == [1.5, 2.5]
    assert [d["Name"] for d in metrics[2].datum["Dimensions"]] == ["service", "kind"]


@pytest.mark.parametrize(
    "line",
    [
        "plain",
        '{"_aws"',
        '{"_aws": 1}',
        '{"_aws": {"Timestamp": "now", "CloudWatchMetrics": []}}',
        json.dumps({"message": "_aws"}),
        json.dumps({**EMF, "Tasks": "many"}),
        json.dumps({name: value for name, value in EMF.items() if name != "kind"}),
    ],
)
def test_no_metric_is_made_when_the_line_is_not_valid_emf(line: str) -> None:
    assert metrics_in(line) == []


def test_lines_arrive_in_order_and_by_stream_when_shipped(aws: None) -> None:
    shipper = Shipper(client)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    for number in range(2_500):  # more than one request takes
        for stream in ("s1", "s2"):
            text = f"{stream} {number}"
            shipper.log(LogLine("us-east-1", "/aws/lambda/f", stream, now_ms + number, text))
    shipper.log(LogLine("us-east-1", "/aws/lambda/f", "s1", now_ms, "   "))
    assert shipper.flush(20)
    found = messages("/aws/lambda/f")
    for stream in ("s1", "s2"):
        mine = [text for text in found if text.startswith(stream)]
        assert mine == [f"{stream} {number}" for number in range(2_500)]
    assert len(found) == 5_000


def test_shipping_goes_on_when_a_request_fails(aws: None, caplog: pytest.LogCaptureFixture) -> None:
    def clients(service: str, region: str) -> Any:
        if region == "eu-central-1":
            raise ConnectionError("unreachable")
        return client(service, region)

    shipper = Shipper(clients)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    shipper.log(LogLine("eu-central-1", "/aws/lambda/f", "s", now_ms, "lost"))
    shipper.log(LogLine("us-east-1", "/aws/lambda/f", "s", now_ms, "kept"))
    assert shipper.flush(20)
    assert messages("/aws/lambda/f") == ["kept"]
    assert "was not delivered: unreachable" in caplog.text


def test_file_is_put_aside_when_it_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.executor.logs._FILE_BYTES", 25)
    file = LogFile(tmp_path, "f")
    for number in range(8):
        file.write([f"line {number:03}"])
    file.close()
    assert (tmp_path / "f.log.1").read_text() == "line 003\nline 004\nline 005\n"
    assert (tmp_path / "f.log").read_text() == "line 006\nline 007\n"


def test_invocation_is_framed_and_counted_when_a_function_logs(
    aws: None, settings: Settings, tmp_path: Path
) -> None:
    fleet = Fleet(settings, client)
    source = f"import sys\nEMF = {json.dumps(EMF)!r}\n" + (
        "def handler(event, context):\n"
        "    print('to stdout', event)\n"
        "    print('to stderr', event, file=sys.stderr)\n"
        "    print(EMF)\n"
        "    if event == 2: raise ValueError('two')\n"
    )
    (tmp_path / "handler.py").write_text(source)
    argv = (str(settings.python), "-m", "awslambdaric", "handler.handler")
    pool = fleet.add("f", FunctionSpec("f", Command(argv, tmp_path), memory_mb=256))
    first, second = event(b"1"), event(b"2")
    one, two = pool.invoke(first), pool.invoke(second)
    assert fleet.flush()

    report = re.compile(
        r"REPORT RequestId: (\S+)\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 256 MB\tMax Memory Used: (\d+) MB(\tInit Duration: [\d.]+ ms)?"
    )
    reports = [report.fullmatch(result.log_tail.splitlines()[-1]) for result in (one, two)]
    assert [r and r[1] for r in reports] == [first.request_id, second.request_id]
    assert [bool(r and r[3]) for r in reports] == [True, False]
    assert all(r and int(r[2]) > 5 for r in reports)
    assert two.log_tail.splitlines()[0] == f"START RequestId: {second.request_id} Version: $LATEST"
    assert two.log_tail.splitlines()[1:3] == ["to stdout 2", "to stderr 2"]
    assert f"END RequestId: {second.request_id}" in two.log_tail
    assert "[ERROR] ValueError: two\nTraceback" in two.log_tail

    on_disk = (settings.logs / "f.log").read_text()
    assert on_disk == one.log_tail + two.log_tail
    assert "\n".join(messages("/aws/lambda/f")) + "\n" == on_disk
    fleet.shutdown()


def test_metrics_are_readable_when_a_function_prints_emf(aws: None, settings: Settings) -> None:
    fleet = Fleet(settings, client)
    now = datetime.now(UTC)
    document = json.loads(json.dumps(EMF))
    document["_aws"]["Timestamp"] = int(now.timestamp() * 1000)
    folder = settings.work_dir
    (folder / "handler.py").write_text(
        f"EMF = {json.dumps(document)!r}\ndef handler(event, context): print(EMF)"
    )
    argv = (str(settings.python), "-m", "awslambdaric", "handler.handler")
    pool = fleet.add("f", FunctionSpec("f", Command(argv, folder)))
    for _ in range(3):
        assert not pool.invoke(event()).is_error
    assert fleet.flush()
    # Both dimensions: asked for one, moto also counts the metrics that have more.
    assert statistic("Millrace", "Tasks", {"service": "probe", "kind": "video"}, now) == 6.0
    assert statistic("AWS/Lambda", "Invocations", {"FunctionName": "f"}, now) == 3.0
    assert statistic("AWS/Lambda", "Errors", {"FunctionName": "f"}, now) == 0.0
    fleet.shutdown()


def statistic(namespace: str, name: str, dimensions: dict[str, str], at: datetime) -> float:
    points = client("cloudwatch", "us-east-1").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=at - timedelta(hours=1),
        EndTime=at + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_tail_is_the_last_four_kilobytes_when_a_function_prints_more(
    function: MakeFunction,
) -> None:
    pool = function("def handler(e, c):\n    for i in range(5000): print('line', i)")
    tail = pool.invoke(event()).log_tail
    assert 3_900 < len(tail) <= 4_096
    assert "line 4999\nEND RequestId" in tail


def test_last_line_belongs_to_the_invocation_when_it_was_printed_just_before_the_answer(
    function: MakeFunction,
) -> None:
    pool = function("def handler(event, context): print('last', event)")
    for number in range(300):
        tail = pool.invoke(event(str(number).encode())).log_tail
        assert f"last {number}\nEND RequestId" in tail
