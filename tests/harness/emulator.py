"""AWS's own emulator of Lambda's runtime (the Runtime Interface Emulator) with one function of a
few lines, on this machine or in an image; and the events to compare it with ours by."""

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.executor.spec import Result
from tests.harness.pipeline import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
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


Start = Callable[[Path, Sequence[str]], list[str]]
"""The function's folder and the emulator's options → the whole command line."""


def _on_this_machine(_folder: Path, options: Sequence[str]) -> list[str]:
    return [str(EMULATOR), *options, sys.executable, "-m", "awslambdaric", "handler.handler"]


@contextlib.contextmanager
def emulated(
    scratch: Path,
    source: str,
    name: str,
    timeout_s: int = TIMEOUT_S,
    *,
    start: Start | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[Emulator]:
    """Args: start: elsewhere than on this machine. more: variables of the function."""
    folder = scratch / "emulated"
    folder.mkdir()
    (folder / "handler.py").write_text(textwrap.dedent(source))
    port, api = free_port(), free_port()
    output = scratch / "emulated.output"
    options = (
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api}"),
    )
    environment = {
        "PATH": os.defpath,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "_HANDLER": "handler.handler",
        **(more or {}),
    }
    with output.open("wb") as out:
        process = subprocess.Popen(
            (start or _on_this_machine)(folder, options),
            cwd=folder,
            env=environment,
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


def seen_of(ours: Result) -> Seen:
    """The same of our server."""
    return Seen(_without_ids(json.loads(ours.payload)), ours.is_error)


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
