"""The same functions and events under our Runtime API server and under AWS's own emulator of it,
the Runtime Interface Emulator: whoever calls must not be able to tell them apart."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.harness.pipeline import free_port
from tests.unit.local.executor.conftest import MakeFunction
from tests.unit.local.executor.support import event

pytestmark = pytest.mark.needs_rie

REPOSITORY = Path(__file__).resolve().parents[4]
EMULATOR = REPOSITORY / "build" / "rie" / "aws-lambda-rie"
TIMEOUT_S = 30
SHORT_TIMEOUT_S = 5
"""Of a function that sleeps longer. The emulator counts the start of its process, too, which takes
long beside other work."""
PATH = "/2015-03-31/functions/function/invocations"
SOURCE = """
    import os, sys, time
    calls = 0

    class Odd(Exception):
        pass

    def handler(event, context):
        global calls
        calls += 1
        print("it got", event)
        sys.stderr.write("and complains\\n")
        if event == "raise":
            raise Odd("no such thing")
        if event == "exit":
            os._exit(3)
        if event == "killed":
            os.kill(os.getpid(), 9)
        if event == "sleep":
            time.sleep(60)
        if event == "unserializable":
            return {1, 2}
        if isinstance(event, dict) and "size" in event:
            return "x" * event["size"]
        return {
            "got": event,
            "calls": calls,
            "name": context.function_name,
            "memory": context.memory_limit_in_mb,
            "version": context.function_version,
            "in_time": 0 < context.get_remaining_time_in_millis() <= 30_000,
            "handler": os.environ["_HANDLER"],
        }
"""
EVENTS = (
    *(b'{"a": [1, null, 2.5]}', '"žluťoučký"'.encode(), b"null", b'"raise"', b'"unserializable"'),
    *(b"no json", b'"exit"', b'"after the exit"', b'"killed"', b'"after the kill"'),
    b'{"size": 1000000}',
)
"""In this order: what comes after a death meets a new process."""


@dataclass(frozen=True)
class Seen:
    """What a caller sees of one invocation, less what differs from call to call."""

    payload: Any
    is_error: bool


class Emulator:
    """AWS's emulator with one function, and what was written on its outputs."""

    def __init__(self, port: int, output: Path) -> None:
        self._port = port
        self._output = output

    def invoke(self, payload: bytes) -> Seen:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", PATH, payload)
            return _seen(connection.getresponse().read())

    @property
    def output(self) -> str:
        return self._output.read_text()


@contextlib.contextmanager
def _emulated(
    scratch: Path, source: str, name: str, timeout_s: int = TIMEOUT_S
) -> Iterator[Emulator]:
    folder = scratch / "emulated"
    folder.mkdir()
    (folder / "handler.py").write_text(textwrap.dedent(source))
    port, api = free_port(), free_port()
    output = folder / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [
                *(str(EMULATOR), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
                *("--runtime-api-address", f"127.0.0.1:{api}"),
                *(sys.executable, "-m", "awslambdaric", "handler.handler"),
            ],
            cwd=folder,
            env={
                "PATH": os.defpath,
                "AWS_LAMBDA_FUNCTION_NAME": name,
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "_HANDLER": "handler.handler",
            },
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, process)
        yield Emulator(port, output)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            contextlib.closing(
                http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            ) as connection,
        ):
            connection.connect()
            return
        time.sleep(0.02)
    pytest.fail("the emulator did not start")


def _seen(payload: bytes) -> Seen:
    try:
        value = json.loads(payload)
    except ValueError:
        # Of a timeout it tells without an error object.
        return Seen({"errorType": "Sandbox.Timedout", "errorMessage": payload.decode()}, True)
    is_error = isinstance(value, dict) and "errorType" in value
    return Seen(_without_ids(value), is_error)


def _without_ids(value: Any) -> Any:
    if not (isinstance(value, dict) and "errorType" in value):
        return value
    message = re.sub(r"^(RequestId: \S+ Error: |\S+Z \S+ )", "", value["errorMessage"])
    told = {"errorType": value["errorType"], "errorMessage": message}
    trace = [re.sub(r'File "[^"]*/', 'File "', line) for line in value.get("stackTrace", [])]
    return told | ({"stackTrace": trace} if trace else {})


def test_callers_see_the_same_when_aws_runs_the_function(
    function: MakeFunction, tmp_path: Path
) -> None:
    pool = function(SOURCE, memory_mb=512, timeout_s=float(TIMEOUT_S))
    with _emulated(tmp_path, SOURCE, pool.spec.name) as emulator:
        for payload in EVENTS:
            ours = pool.invoke(event(payload, timeout_s=float(TIMEOUT_S)))
            mine = Seen(_without_ids(json.loads(ours.payload)), ours.is_error)
            assert mine == emulator.invoke(payload), payload


def test_callers_see_the_same_when_the_function_takes_too_long(
    function: MakeFunction, tmp_path: Path
) -> None:
    pool = function(SOURCE, memory_mb=512, timeout_s=float(SHORT_TIMEOUT_S))
    with (
        _emulated(tmp_path, SOURCE, pool.spec.name, SHORT_TIMEOUT_S) as emulator,
        ThreadPoolExecutor(1) as beside,
    ):
        for payload in (b'"sleep"', b'"after the sleep"'):
            theirs = beside.submit(emulator.invoke, payload)
            ours = pool.invoke(event(payload, timeout_s=float(SHORT_TIMEOUT_S)))
            mine = Seen(_without_ids(json.loads(ours.payload)), ours.is_error)
            assert mine == theirs.result(), payload


def test_functions_lines_are_logged_alike_when_aws_runs_the_function(
    function: MakeFunction, tmp_path: Path
) -> None:
    pool = function(SOURCE, memory_mb=512, timeout_s=float(TIMEOUT_S))
    with _emulated(tmp_path, SOURCE, pool.spec.name) as emulator:
        emulator.invoke(b'"something"')
        theirs = emulator.output
    ours = pool.invoke(event(b'"something"')).log_tail
    for line in ("it got something", "and complains"):
        assert line in ours
        assert line in theirs
    for mark in (r"START RequestId: \S+ Version: \$LATEST", r"END RequestId: \S+"):
        assert re.search(mark, ours)
        assert re.search(mark, theirs)
    durations = r"Duration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB"
    assert re.search(rf"REPORT RequestId: \S+\t.*{durations}", ours)
    assert re.search(rf"REPORT RequestId: \S+\t.*{durations}", theirs)


@pytest.mark.parametrize(
    "source",
    ["import nowhere_at_all", "def handler(:\n    pass", "x = 1", "raise OSError('disk')"],
    ids=["import", "syntax", "no handler", "raises"],
)
def test_reason_is_the_same_when_the_function_cannot_be_loaded(
    function: MakeFunction, tmp_path: Path, source: str
) -> None:
    ours = json.loads(function(source).invoke(event()).payload)
    with _emulated(tmp_path, source, "f") as emulator:
        theirs = emulator.invoke(b"{}").payload
    assert (ours["errorType"], ours["errorMessage"]) == (
        theirs["errorType"],
        theirs["errorMessage"],
    )
