"""What callers of a function see, with real awslambdaric processes."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.executor.pool import FunctionPool, PayloadTooLargeError
from local.executor.spec import Command, Result
from local.runtime_api.messages import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES
from tests.unit.local.executor.conftest import MakeFunction
from tests.unit.local.executor.support import alive, event, gone

PID = """
    import os
    def handler(event, context):
        return os.getpid()
"""


def body(result: Result) -> Any:
    return json.loads(result.payload)


def call(pool: FunctionPool, value: object = None, **fields: Any) -> Any:
    result = pool.invoke(event(json.dumps(value).encode(), **fields))
    assert not result.is_error, result
    return body(result)


def test_returns_the_handlers_value_when_it_returns(function: MakeFunction) -> None:
    pool = function("""
        def handler(event, context):
            return {"got": event, "text": "žluťoučký"}
    """)
    assert call(pool, {"a": [1, None]}) == {"got": {"a": [1, None]}, "text": "žluťoučký"}


def test_context_tells_the_invocation_when_the_handler_asks(function: MakeFunction) -> None:
    pool = function(
        """
        import os
        def handler(event, context):
            return {
                "id": context.aws_request_id, "arn": context.invoked_function_arn,
                "name": context.function_name, "version": context.function_version,
                "memory": context.memory_limit_in_mb, "group": context.log_group_name,
                "left_ms": context.get_remaining_time_in_millis(),
                "trace": os.environ["_X_AMZN_TRACE_ID"],
                "client": context.client_context.custom,
            }
        """,
        memory_mb=512,
        version="7",
    )
    given = event(timeout_s=8.0, trace_id="Root=1-2-3", client_context='{"custom": {"k": "v"}}')
    seen = body(pool.invoke(given))
    assert seen["id"] == given.request_id
    assert seen["arn"] == given.function_arn
    assert (seen["name"], seen["version"], seen["memory"]) == (pool.spec.name, "7", "512")
    assert seen["group"] == f"/aws/lambda/{pool.spec.name}"
    assert 6_000 < seen["left_ms"] <= 8_000
    assert seen["trace"] == "Root=1-2-3"
    assert seen["client"] == {"k": "v"}


def test_reports_lambdas_error_object_when_the_handler_raises(function: MakeFunction) -> None:
    pool = function("""
        import os
        def handler(event, context):
            if event == "pid":
                return os.getpid()
            raise KeyError("no such thing")
    """)
    before = call(pool, "pid")
    given = event()
    result = pool.invoke(given)
    assert result.is_error
    error = body(result)
    assert error["errorType"] == "KeyError"
    assert error["errorMessage"] == "'no such thing'"
    assert error["requestId"] == given.request_id
    assert 'raise KeyError("no such thing")' in "".join(error["stackTrace"])
    assert call(pool, "pid") == before, "an exception does not cost the process"


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("import nowhere_at_all", "Runtime.ImportModuleError", "No module named 'nowhere_at_all'"),
        ("def handler(:\n    pass", "Runtime.UserCodeSyntaxError", "Syntax error in module"),
        ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing"),
        ("raise OSError('disk')", "OSError", "disk"),
    ],
)
def test_reports_the_init_error_when_the_handler_cannot_be_loaded(
    function: MakeFunction, source: str, error_type: str, message: str
) -> None:
    pool = function(source)
    for _ in range(2):  # and again the next time, from a new process
        result = pool.invoke(event())
        assert result.is_error
        assert body(result)["errorType"] == error_type
        assert message in body(result)["errorMessage"]
        assert "Status: error" in result.log_tail
    assert pool.instances() == []


@pytest.mark.parametrize(
    ("crash", "reason"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
        ("ctypes.string_at(0)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_reports_the_exit_when_the_process_ends_instead_of_answering(
    function: MakeFunction, crash: str, reason: str
) -> None:
    pool = function(f"""
        import ctypes, os, signal
        def handler(event, context):
            if event == "pid":
                return os.getpid()
            print("about to end")
            {crash}
    """)
    first = call(pool, "pid")
    given = event()
    result = pool.invoke(given)
    assert result.is_error
    assert body(result) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {given.request_id} Error: {reason}",
    }
    assert "about to end" in result.log_tail
    assert call(pool, "pid") != first


def test_kills_the_process_and_its_children_when_the_time_is_over(
    function: MakeFunction, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    pool = function(f"""
        import os, pathlib, signal, subprocess, sys, time
        def handler(event, context):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait"],
                                     stdout=subprocess.PIPE, text=True)
            grandchild = child.stdout.readline()
            pathlib.Path({str(pids)!r}).write_text(f"{{os.getpid()}} {{child.pid}} {{grandchild}}")
            time.sleep(600)
    """)
    given = event(timeout_s=1.0)
    result = pool.invoke(given)
    assert result.is_error
    assert body(result) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {given.request_id} Error: Task timed out after 1.00 seconds",
    }
    assert 1_000 <= result.duration_ms < 3_000
    assert "Status: timeout" in result.log_tail
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) == 3
    assert all(gone(pid) for pid in started)


def test_runs_again_when_the_invocation_before_timed_out(function: MakeFunction) -> None:
    pool = function("""
        import time
        def handler(event, context):
            time.sleep(event)
            return "done"
    """)
    assert pool.invoke(event(b"60", timeout_s=0.3)).is_error
    assert call(pool, 0) == "done"


def test_refuses_the_event_when_it_is_over_six_mebibytes(function: MakeFunction) -> None:
    pool = function("def handler(event, context): return len(event)")
    largest = json.dumps("x" * (MAX_REQUEST_BYTES - 2)).encode()
    assert body(pool.invoke(event(largest))) == MAX_REQUEST_BYTES - 2
    with pytest.raises(PayloadTooLargeError, match="6291457 byte payload is too large"):
        pool.invoke(event(largest + b" "))


def test_reports_the_size_and_starts_anew_when_the_response_is_over_six_mebibytes(
    function: MakeFunction,
) -> None:
    pool = function("""
        import os
        def handler(event, context):
            return os.getpid() if event == "pid" else "x" * event
    """)
    first = call(pool, "pid")
    assert len(call(pool, MAX_RESPONSE_BYTES - 2)) == MAX_RESPONSE_BYTES - 2
    result = pool.invoke(event(json.dumps(MAX_RESPONSE_BYTES - 1).encode()))
    assert result.is_error
    assert body(result)["errorType"] == "Function.ResponseSizeTooLarge"
    assert "(6291556 bytes)" in body(result)["errorMessage"]
    assert call(pool, "pid") != first


def test_keeps_state_in_the_process_when_invoked_one_after_another(function: MakeFunction) -> None:
    pool = function("""
        import os
        count = 0
        def handler(event, context):
            global count
            count += 1
            return [os.getpid(), count]
    """)
    seen = [call(pool) for _ in range(5)]
    assert {pid for pid, _ in seen} == {seen[0][0]}
    assert [count for _, count in seen] == [1, 2, 3, 4, 5]


def test_uses_a_process_for_each_when_invocations_overlap(function: MakeFunction) -> None:
    pool = function("""
        import os, pathlib, time
        def handler(event, context):
            folder = pathlib.Path(event)
            (folder / str(os.getpid())).touch()
            while len(list(folder.iterdir())) < 3:   # each needs the two others to be running
                time.sleep(0.01)
            return os.getpid()
    """)
    meeting = pool.spec.command.directory / "meeting"
    meeting.mkdir()
    with ThreadPoolExecutor(3) as threads:
        pids = set(threads.map(lambda _: call(pool, str(meeting)), range(3)))
    assert len(pids) == 3
    assert call(pool, str(meeting)) in pids


@pytest.mark.parametrize("settings", [{"max_processes": 1}], indirect=True)
def test_waits_for_a_free_process_when_all_allowed_are_busy(function: MakeFunction) -> None:
    pool = function(PID)
    with ThreadPoolExecutor(4) as threads:
        pids = set(threads.map(lambda _: call(pool), range(4)))
    assert len(pids) == 1


def test_takes_another_process_when_the_idle_one_was_killed(function: MakeFunction) -> None:
    pool = function(PID)
    first = call(pool)
    end = os.pidfd_open(first)
    os.kill(first, signal.SIGKILL)
    # A process that is still dying may be handed an event, and takes it along.
    assert select.select([end], [], [], 10)[0], "it is dead"
    os.close(end)
    # At once: whether its end has been noticed or not must make no difference.
    second = call(pool)
    assert second != first
    assert call(pool) == second


def test_tries_once_more_when_the_process_ends_before_it_has_the_event(
    function: MakeFunction, tmp_path: Path
) -> None:
    marker = tmp_path / "started"
    pool = function(f"""
        import os, pathlib
        marker = pathlib.Path({str(marker)!r})
        if not marker.exists():
            marker.touch()
            os._exit(9)
        def handler(event, context):
            return "second"
    """)
    assert call(pool) == "second"


def test_gives_up_after_the_second_time_when_every_start_crashes(
    function: MakeFunction, tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    pool = function(f"""
        import os
        with open({str(starts)!r}, "a") as file:
            file.write("x")
        os._exit(9)
    """)
    result = pool.invoke(event())
    assert result.is_error
    assert body(result)["errorType"] == "Runtime.ExitError"
    assert "exit status 9" in body(result)["errorMessage"]
    assert starts.read_text() == "xx"


def test_reports_the_entry_point_when_it_does_not_exist(
    function: MakeFunction, tmp_path: Path
) -> None:
    pool = function(PID, command=Command(("/no/such/program",), tmp_path))
    result = pool.invoke(event())
    assert result.is_error
    assert body(result)["errorType"] == "Runtime.InvalidEntrypoint"
    assert "/no/such/program" in body(result)["errorMessage"]


def test_binary_text_survives_when_base64_is_passed_through(function: MakeFunction) -> None:
    pool = function("""
        import base64
        def handler(event, context):
            return base64.b64encode(base64.b64decode(event)[::-1]).decode()
    """)
    data = bytes(range(256))
    assert base64.b64decode(call(pool, base64.b64encode(data).decode())) == data[::-1]


def test_leaves_other_processes_alone_when_one_times_out(function: MakeFunction) -> None:
    stays, times_out = function(PID), function("import time\ndef handler(e, c): time.sleep(60)")
    pid = call(stays)
    assert times_out.invoke(event(timeout_s=0.3)).is_error
    assert alive(pid)
    assert call(stays) == pid
