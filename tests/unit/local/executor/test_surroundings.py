"""What a function finds around it, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from local.executor.fleet import Fleet
from local.executor.pool import FunctionPool, PoolClosedError
from local.executor.settings import Settings
from tests.unit.local.executor.conftest import MakeFunction, NoCloud
from tests.unit.local.executor.support import alive, event, gone

REPOSITORY = Path(__file__).resolve().parents[4]
ENVIRONMENT = """
    import os
    def handler(event, context):
        return {**os.environ, "cwd": os.getcwd(), "pid": os.getpid()}
"""


def call(pool: FunctionPool, value: object = None) -> Any:
    result = pool.invoke(event(json.dumps(value).encode()))
    assert not result.is_error, result
    return json.loads(result.payload)


def test_environment_is_the_functions_own_when_the_caller_has_another(
    function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_CALLER", "secret")
    pool = function(ENVIRONMENT, environment={"TABLE": "t", "AWS_REGION": "mars", "TZ": "UTC"})
    seen = call(pool)
    assert seen["TABLE"] == "t"
    assert seen["TZ"] == "UTC", "not reserved: the function's value wins"
    assert seen["AWS_REGION"] == "us-east-1", "reserved: Lambda's value wins"
    assert "OF_THE_CALLER" not in seen
    assert seen["cwd"] == seen["LAMBDA_TASK_ROOT"] == str(pool.spec.command.directory)
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == pool.spec.name
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12"


def test_layers_are_importable_when_unpacked(function: MakeFunction, tmp_path: Path) -> None:
    (tmp_path / "opt" / "python").mkdir(parents=True)
    (tmp_path / "opt" / "python" / "of_the_layer.py").write_text("VALUE = 42")
    pool = function(
        "import of_the_layer\ndef handler(e, c): return of_the_layer.VALUE", opt=tmp_path / "opt"
    )
    assert call(pool) == 42


def test_temporary_folder_is_its_own_and_goes_when_the_process_goes(
    function: MakeFunction, fleet: Fleet
) -> None:
    source = """
        import os, pathlib, tempfile, time
        def handler(event, context):
            file = pathlib.Path(tempfile.gettempdir(), "scratch")
            found = file.exists()
            file.write_text("x")
            return [tempfile.gettempdir(), found, os.path.expanduser("~")]
    """
    one, other = function(source), function(source)
    (first, found, home), (second, _, _) = call(one), call(other)
    assert first != second
    assert not found
    assert home == first
    assert call(one)[1], "kept between invocations of one process, as /tmp on AWS"
    fleet.shutdown()
    assert not Path(first).exists()
    assert not Path(second).exists()


def test_temporary_folders_of_killed_executors_are_removed_when_another_starts(
    settings: Settings,
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = settings.work_dir / "tmp" / str(dead.pid) / "abc"
    ours = settings.work_dir / "tmp" / str(os.getpid()) / "abc"
    for folder in (left, ours):
        folder.mkdir(parents=True)
    fleet = Fleet(settings, lambda _service, _region: NoCloud())
    assert not left.exists()
    assert ours.exists()
    fleet.shutdown()


def test_handler_of_sigterm_runs_when_the_fleet_shuts_down(
    function: MakeFunction, fleet: Fleet, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    pool = function(f"""
        import os, pathlib, signal, sys
        def on_term(number, frame):
            pathlib.Path({str(note)!r}).write_text("bye")
            sys.exit(0)
        signal.signal(signal.SIGTERM, on_term)
        def handler(event, context):
            return os.getpid()
    """)
    pid = call(pool)
    fleet.shutdown()
    assert note.read_text() == "bye"
    assert not alive(pid)


def test_sigkill_follows_when_sigterm_is_ignored(function: MakeFunction, fleet: Fleet) -> None:
    pool = function("""
        import os, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        def handler(event, context):
            return os.getpid()
    """)
    pid = call(pool)
    fleet.shutdown()
    assert not alive(pid)


def test_running_invocation_ends_with_an_error_when_the_fleet_shuts_down(
    function: MakeFunction, fleet: Fleet, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    pool = function(f"""
        import time
        def handler(event, context):
            open({str(started)!r}, "w").close()
            time.sleep(60)
    """)
    results = []
    caller = threading.Thread(target=lambda: results.append(pool.invoke(event(timeout_s=60))))
    caller.start()
    started.open().close()  # blocks until the handler opens its end
    fleet.shutdown()
    caller.join(5)
    assert json.loads(results[0].payload)["errorType"] == "Runtime.ExitError"
    with pytest.raises(PoolClosedError):
        pool.invoke(event())


def test_running_invocation_finishes_when_its_version_is_replaced(
    function: MakeFunction, fleet: Fleet, tmp_path: Path
) -> None:
    started, go = tmp_path / "started", tmp_path / "go"
    os.mkfifo(started)
    os.mkfifo(go)
    pool = function(f"""
        import os
        def handler(event, context):
            open({str(started)!r}, "w").close()
            open({str(go)!r}).close()
            return os.getpid()
    """)
    results = []
    caller = threading.Thread(target=lambda: results.append(pool.invoke(event())))
    caller.start()
    started.open().close()
    fleet.remove(pool.spec.name)
    go.open("w").close()
    caller.join(5)
    assert not results[0].is_error
    assert gone(json.loads(results[0].payload))


@pytest.mark.parametrize("settings", [{"idle_timeout_s": 0.2}], indirect=True)
def test_idle_process_is_stopped_when_nothing_comes(function: MakeFunction) -> None:
    pool = function("import os\ndef handler(e, c): return os.getpid()")
    pid = call(pool)
    assert gone(pid)
    assert call(pool) != pid


@pytest.mark.parametrize("settings", [{"init_timeout_s": 0.5}], indirect=True)
def test_process_is_ended_when_it_never_asks_for_its_event(
    function: MakeFunction, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    pool = function(f"""
        import os, pathlib, time
        pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))
        time.sleep(600)
    """)
    result = pool.invoke(event())
    assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"
    assert gone(int(pid_file.read_text()))


def test_no_function_is_left_when_the_executor_is_killed(tmp_path: Path) -> None:
    running = tmp_path / "running"
    os.mkfifo(running)
    # Busy: an idle runtime would end by itself, finding its Runtime API gone.
    handler = f"""
        import os, time
        def handler(event, context):
            if event == "stay":
                open({str(running)!r}, "w").close()
                time.sleep(600)
            return os.getpid()
    """
    (tmp_path / "handler.py").write_text(textwrap.dedent(handler))
    program = f"""
        import threading
        from pathlib import Path
        from unittest.mock import MagicMock
        from local.executor.fleet import Fleet
        from local.executor.settings import Settings
        from local.executor.spec import Command, FunctionSpec
        from local.runtime_api.messages import Event

        fleet = Fleet(Settings(work_dir=Path({str(tmp_path)!r}, "work")), lambda *_: MagicMock())
        argv = ({sys.executable!r}, "-m", "awslambdaric", "handler.handler")
        pool = fleet.add("f", FunctionSpec("f", Command(argv, Path({str(tmp_path)!r}))))

        def first():
            print(pool.invoke(Event("1", b"1", "arn", 5.0)).payload.decode(), flush=True)

        # From a thread that ends: the death signal must not follow that thread.
        thread = threading.Thread(target=first)
        thread.start()
        thread.join()
        print(pool.invoke(Event("2", b"1", "arn", 5.0)).payload.decode(), flush=True)
        pool.invoke(Event("3", b'"stay"', "arn", 600.0))
    """
    executor = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert executor.stdout is not None
    first, second = (int(executor.stdout.readline()) for _ in range(2))
    assert first == second, "it outlives the thread that started it"
    running.open().close()  # blocks until the handler opens its end
    executor.send_signal(signal.SIGKILL)
    executor.wait()
    executor.stdout.close()
    assert gone(first)
