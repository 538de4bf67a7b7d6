"""A LocalStack of these tests' own, and short names for what they do with it."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import textwrap
import time
import uuid
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import boto3

from local import server

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/test"
RECORDER = """
import json, os, time, uuid

def record(**what):
    # A file each: nothing to lock. Renamed when complete: a reader sees whole documents only.
    path = os.path.join(os.environ["RECORDS"], uuid.uuid4().hex)
    with open(path, "w") as file:
        json.dump({**what, "pid": os.getpid()}, file)
    os.rename(path, path + ".json")
"""
T = TypeVar("T")
PATIENCE_S = 120.0
"""Far longer than anything takes: reached only when it never comes, however busy the machine."""


def until(probe: Callable[[], T], timeout_s: float = PATIENCE_S) -> T:
    """The first true value of `probe`; fails with the last one after `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    while not (value := probe()):
        assert time.monotonic() < deadline_s, f"still {value!r} after {timeout_s} s"
        time.sleep(0.02)  # the cloud's API offers nothing to wait on
    return value


def archive(files: dict[str, str]) -> bytes:
    """A zip archive of text files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as target:
        for name, text in files.items():
            target.writestr(name, textwrap.dedent(text))
    return data.getvalue()


class LocalStack:
    """The process, with everything it writes in `state`."""

    def __init__(self, state: Path, image_map: Path) -> None:
        self.state = state
        self.function_logs = state / "logs" / "functions"
        config = server.CloudConfig(
            state_dir=state,
            port=_free_port(),
            image_map=image_map,
            extra_environment={"SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL": "5"},
        )
        self._process = server.start(config)
        self._process.wait_ready()
        self.url = self._process.endpoint_url

    def terminate(self) -> None:
        """Asks it to end; `stop` then waits for that and removes what may be left."""
        os.kill(self._process.pid, signal.SIGTERM)

    def stop(self) -> None:
        """Returns when neither it nor anything it started is there any more."""
        self._process.stop()

    def functions(self) -> list[int]:
        """Pids of the function processes there are."""
        return [pid for pid in _pids() if f"={self.state}/".encode() in _environ(pid)]


class Cloud:
    """What the tests do with it. Names are made up, so tests do not meet each other."""

    def __init__(self, localstack: LocalStack, records: Path) -> None:
        self.localstack = localstack
        self._records = records
        self.awslambda = self.client("lambda")
        self.sqs = self.client("sqs")

    def client(self, service: str) -> Any:
        """A boto3 client of the local cloud."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.localstack.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def function(self, source: str, **options: Any) -> str:
        """Creates a zip function with `record(**what)` at hand; returns its name."""
        files = {"handler.py": "from recorder import record\n" + textwrap.dedent(source)}
        code = archive({**files, "recorder.py": RECORDER})
        runtime = {"Runtime": "python3.12", "Handler": "handler.handler"}
        return self.create(Code={"ZipFile": code}, **runtime, **options)

    def create(self, **options: Any) -> str:
        """Creates a function and waits until it is active; returns its name."""
        name = f"f-{uuid.uuid4().hex[:8]}"
        (self._records / name).mkdir()
        variables = {"RECORDS": str(self._records / name), **options.pop("Variables", {})}
        options = {"Timeout": 20, "Role": ROLE, **options}
        self.awslambda.create_function(
            FunctionName=name, Environment={"Variables": variables}, **options
        )
        self.await_active(name)
        return name

    def await_active(self, name: str) -> None:
        """Waits for the end of the creation or update of a function."""
        until(lambda: self._configuration(name)["State"] == "Active")
        until(lambda: self._configuration(name)["LastUpdateStatus"] == "Successful")

    def invoke(self, name: str, event: object = None, **options: Any) -> Any:
        """The function's value; fails when it failed."""
        response = self.awslambda.invoke(
            FunctionName=name, Payload=json.dumps(event).encode(), **options
        )
        body = json.load(response["Payload"])
        assert "FunctionError" not in response, body
        return body

    def records(self, name: str) -> list[dict[str, Any]]:
        """What the function recorded so far."""
        return [json.loads(path.read_text()) for path in (self._records / name).glob("*.json")]

    def await_records(
        self, name: str, count: int, timeout_s: float = PATIENCE_S
    ) -> list[dict[str, Any]]:
        """Waits until there are at least `count` records."""
        until(lambda: len(self.records(name)) >= count, timeout_s)
        return self.records(name)

    def queue(self, *, fifo: bool = False, **attributes: str) -> str:
        """Creates a queue; returns its URL."""
        name = f"q-{uuid.uuid4().hex[:8]}" + (".fifo" if fifo else "")
        fifo_attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        if fifo:
            attributes = {**fifo_attributes, **attributes}
        return str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def send(self, queue: str, bodies: Iterable[str], **options: str) -> None:
        """Sends messages one after another."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=queue, MessageBody=body, **options)

    def counts(self, queue: str) -> tuple[int, int]:
        """Messages visible and in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)
        return tuple(int(attributes["Attributes"][name]) for name in names)  # type: ignore[return-value]

    def map(self, queue: str, function: str, concurrency: int = 0, **options: Any) -> str:
        """Creates an event source mapping and waits until it is enabled; returns its UUID."""
        if concurrency:
            options["ScalingConfig"] = {"MaximumConcurrency": concurrency}
        options = {"BatchSize": 1, **options}
        uuid_ = self.awslambda.create_event_source_mapping(
            FunctionName=function, EventSourceArn=queue_arn(queue), **options
        )["UUID"]
        until(lambda: self.mapping_state(uuid_) == "Enabled")
        return str(uuid_)

    def mapping_state(self, uuid_: str) -> str:
        """State of a mapping; empty when there is none."""
        try:
            return str(self.awslambda.get_event_source_mapping(UUID=uuid_)["State"])
        except self.awslambda.exceptions.ResourceNotFoundException:
            return ""

    def _configuration(self, name: str) -> dict[str, Any]:
        found = self.awslambda.get_function_configuration(FunctionName=name)
        assert found["State"] != "Failed", found["StateReason"]
        return dict(found)


def queue_arn(url: str) -> str:
    """ARN of a queue of this account."""
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{url.rsplit('/', 1)[1]}"


def overlap(records: Iterable[dict[str, Any]]) -> int:
    """Most `start`…`end` intervals that hold at one moment."""
    edges = [(r["start"], 1) for r in records] + [(r["end"], -1) for r in records]
    most = now = 0
    for _, step in sorted(edges):
        now += step
        most = max(most, now)
    return most


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environ(pid: int) -> bytes:
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
    return environ if b"AWS_LAMBDA_RUNTIME_API=" in environ else b""
