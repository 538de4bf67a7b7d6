"""`./millrace dev` on the running system: code from the checkout, new code at once, and back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.harness.pipeline import REPOSITORY, Pipeline, eventually, free_port

pytestmark = [pytest.mark.needs_cloud]

CODE = REPOSITORY / "functions" / "monitor"


@contextmanager
def developing(pipeline: Pipeline, folder: Path, *options: str) -> Iterator[None]:
    command = [sys.executable, "-m", "cli", "--state-dir", str(pipeline.state_dir), "dev", *options]
    said = folder / "dev.log"
    with said.open("wb") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, stderr=log)
    try:
        eventually("following", lambda: "following" in said.read_text(), 60)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    assert code == 0, said.read_text()


def monitor(pipeline: Pipeline) -> psutil.Process:
    """The process that ran the monitor just now; a change may end it at once, so it runs again."""
    client, name = pipeline.client("lambda"), "AWS_LAMBDA_FUNCTION_NAME"

    def newest() -> psutil.Process | None:
        answer = client.invoke(FunctionName="millrace-monitor", Payload=b"{}")
        assert "FunctionError" not in answer
        found = [
            process
            for process in pipeline.processes("awslambdaric")
            if process.environ().get(name) == "millrace-monitor"
        ]
        return max(found, key=psutil.Process.create_time, default=None)

    return eventually("a process of the monitor", newest, 20)


def test_code_is_the_checkouts_and_new_when_it_is_edited_until_the_end(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    assert Path(monitor(pipeline).cwd()) != CODE
    with developing(pipeline, tmp_path):
        before = monitor(pipeline)
        assert Path(before.cwd()) == CODE
        os.utime(CODE / "handler.py")
        eventually("another process", lambda: monitor(pipeline).pid != before.pid, 30)
        assert Path(monitor(pipeline).cwd()) == CODE
    assert Path(monitor(pipeline).cwd()) != CODE


def test_debugger_answers_when_the_function_was_called(pipeline: Pipeline, tmp_path: Path) -> None:
    client = pipeline.client("lambda")

    def timeout_s() -> int:
        found = client.get_function_configuration(FunctionName="millrace-monitor")
        return int(found["Timeout"])

    usual_s, port = timeout_s(), free_port()
    with developing(pipeline, tmp_path, "--debug", "monitor", "--debug-port", str(port)):
        assert timeout_s() == 900
        monitor(pipeline)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as debugger:
            assert debugger.recv(14) == b"Content-Length"  # the Debug Adapter Protocol
    assert timeout_s() == usual_s
