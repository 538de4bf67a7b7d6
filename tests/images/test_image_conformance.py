"""A function in an image, under our Runtime API server and under AWS's emulator: whoever calls
must not be able to tell them apart, nor from the function on this machine."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.executor.pool import FunctionPool
from local.executor.spec import Command
from millrace.events import TaskMessage
from millrace.model import TaskKind
from tests.harness.docker import LABEL, REPOSITORY, Docker
from tests.harness.emulator import (
    EMULATOR,
    EVENTS,
    SOURCE,
    TIMEOUT_S,
    Emulator,
    emulated,
    seen_of,
)
from tests.unit.local.executor.conftest import MakeFunction
from tests.unit.local.executor.support import event

pytestmark = [
    *(pytest.mark.exhaustive, pytest.mark.needs_docker),
    *(pytest.mark.needs_root, pytest.mark.needs_rie),
]

RUNTIME = ("/opt/python/bin/python", "-m", "awslambdaric", "handler.handler")
QUEUES = (
    *("PROBE_QUEUE", "PROBE_DLQ", "TRANSCODE_QUEUE", "THUMBNAIL_QUEUE"),
    *("PUBLISH_QUEUE", "NOTIFY_QUEUE"),
)
NOWHERE = "http://127.0.0.1:9"
REAL = {
    "AWS_ENDPOINT_URL": NOWHERE,
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "Millrace",
    "MILLRACE_TABLE": "millrace",
    "MILLRACE_UPLOADS_BUCKET": "uploads",
    **{f"MILLRACE_{name}_URL": f"{NOWHERE}/000000000000/{name}" for name in QUEUES},
}
"""Of `probe`, whose cloud is away."""
PASSED_ON = (
    *("_HANDLER", "AWS_LAMBDA_RUNTIME_API", "AWS_EXECUTION_ENV"),
    *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_TIMEOUT"),
    *("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_LOG_GROUP_NAME"),
    *("AWS_LAMBDA_LOG_STREAM_NAME", *REAL),
)
DIE_LIKE_IT = '"$@"; code=$?; [ $code -le 128 ] || kill -$((code - 128)) $$; exit $code'
"""The client tells of a death by signal as shells do; here it is to be seen as itself."""
RECORD = {
    "messageId": "m-1",
    "receiptHandle": "r",
    "body": TaskMessage("a" * 26, TaskKind.PROBE, 0).body(),
    "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
    "messageAttributes": {},
    "md5OfBody": "",
    "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:millrace-probe",
    "awsRegion": "us-east-1",
}
LATE_S = 10
"""A container has to start in it, too."""
MOST_ANSWERED = 6 * 1024 * 1024
SIZES = (MOST_ANSWERED - 2, MOST_ANSWERED + 4096)
"""The second one, with its quotes, is more than Lambda passes on."""


def in_image(docker: Docker, image: str, *command: str, code: Path | None = None) -> list[str]:
    """Command line of a container that has this machine's network.

    Args:
        code: a folder, instead of the image's function.
    """
    entrypoint, *rest = command
    return [
        *(*docker.client, "run", "--rm", "--init", "--label", LABEL, "--network", "host"),
        *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
        *(part for name in PASSED_ON for part in ("--env", name)),
        *(("--volume", f"{code}:/var/task:ro") if code else ()),
        *("--volume", f"{EMULATOR}:/rie:ro", "--entrypoint", entrypoint, image, *rest),
    ]


def as_process(command: list[str], folder: Path) -> Command:
    return Command(("/bin/sh", "-c", DIE_LIKE_IT, "sh", *command), folder)


@dataclass(frozen=True)
class Places:
    """Where the same function runs: all of them are to be seen alike."""

    ours: dict[str, FunctionPool]
    theirs: Emulator

    def see(self, payload: bytes, timeout_s: float) -> None:
        with ThreadPoolExecutor() as beside:
            expected = beside.submit(self.theirs.invoke, payload)
            found = {
                where: beside.submit(pool.invoke, event(payload, timeout_s=timeout_s))
                for where, pool in self.ours.items()
            }
            for where, answer in found.items():
                assert seen_of(answer.result()) == expected.result(), (where, payload[:80])


@contextlib.contextmanager
def places(
    docker: Docker, image: str, function: MakeFunction, scratch: Path, timeout_s: int
) -> Iterator[Places]:
    def start(folder: Path, options: Sequence[str]) -> list[str]:
        return in_image(docker, image, "/rie", *options, *RUNTIME, code=folder)

    alike = {"name": "f", "memory_mb": 512, "timeout_s": float(timeout_s)}
    on_host = function(SOURCE, **alike)
    folder = on_host.spec.command.directory
    command = as_process(in_image(docker, image, *RUNTIME, code=folder), folder)
    contained = function(SOURCE, **alike, command=command)
    with emulated(scratch, SOURCE, "f", timeout_s, start=start) as theirs:
        yield Places({"this machine": on_host, "image": contained}, theirs)
    docker.remove_containers()  # of clients that were killed


def test_callers_see_the_same_when_the_function_is_in_an_image(
    docker: Docker, built: dict[str, str], function: MakeFunction, tmp_path: Path
) -> None:
    with places(docker, built["probe"], function, tmp_path, TIMEOUT_S) as everywhere:
        for payload in EVENTS:
            everywhere.see(payload, TIMEOUT_S)
        for pool in everywhere.ours.values():
            tail = pool.invoke(event(b'"something"')).log_tail
            assert "it got something" in tail
            assert "and complains" in tail
        assert "it got no json" not in everywhere.theirs.output
        assert "and complains" in everywhere.theirs.output


def test_callers_see_the_same_when_the_function_in_an_image_takes_too_long(
    docker: Docker, built: dict[str, str], function: MakeFunction, tmp_path: Path
) -> None:
    with places(docker, built["probe"], function, tmp_path, LATE_S) as everywhere:
        for payload in (b'"sleep"', b'"after the sleep"'):
            everywhere.see(payload, LATE_S)


def test_limit_is_the_same_when_the_function_in_an_image_answers_much(
    docker: Docker, built: dict[str, str], function: MakeFunction, tmp_path: Path
) -> None:
    with places(docker, built["probe"], function, tmp_path, TIMEOUT_S) as everywhere:
        for size in SIZES:
            everywhere.see(json.dumps({"size": size}).encode(), TIMEOUT_S)


def test_real_function_gives_its_message_back_when_the_cloud_is_away_wherever_it_runs(
    docker: Docker, built: dict[str, str], function: MakeFunction, tmp_path: Path
) -> None:
    def start(_: Path, options: Sequence[str]) -> list[str]:
        return in_image(docker, built["probe"], "/rie", *options, *RUNTIME)

    command = as_process(in_image(docker, built["probe"], *RUNTIME), tmp_path)
    path = {"PYTHONPATH": str(REPOSITORY / "layers/core/python")}
    host = Command((sys.executable, *RUNTIME[1:]), REPOSITORY / "functions/probe", path)
    alike = {"name": "millrace-probe", "timeout_s": float(TIMEOUT_S), "environment": REAL}
    ours = {
        "this machine": function("", **alike, command=host),
        "image": function("", **alike, command=command),
    }
    with emulated(tmp_path, "", "millrace-probe", start=start, more=REAL) as theirs:
        unreadable = {**RECORD, "messageId": "m-2", "body": "no task"}
        sent = json.dumps({"Records": [RECORD, unreadable]}).encode()
        Places(ours, theirs).see(sent, TIMEOUT_S)
        given_back = [{"itemIdentifier": "m-1"}, {"itemIdentifier": "m-2"}]
        assert theirs.invoke(sent).payload == {"batchItemFailures": given_back}
        assert "message.rejected" in theirs.output
        for pool in ours.values():
            assert "message.rejected" in pool.invoke(event(sent, TIMEOUT_S)).log_tail
