"""The launcher: ports, locks, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from local import server
from tests.integration.local_state.conftest import Machine

pytestmark = pytest.mark.needs_cloud

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def running(machine: Machine) -> Machine:
    machine.start()
    return machine


def test_start_names_the_process_and_the_setting_when_the_port_is_busy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(server.PortBusyError) as failure:
            server.start(server.CloudConfig(state_dir=tmp_path, port=port))
    assert f"port {port} is used by process {os.getpid()} (" in str(failure.value)
    assert "MILLRACE_PORT" in str(failure.value)


def test_start_is_refused_when_another_cloud_has_the_state(running: Machine) -> None:
    with pytest.raises(server.StateInUseError) as failure:
        server.start(replace(running.config, port=1))
    assert running.cloud is not None
    assert f"process {running.cloud.pid} " in str(failure.value)


def test_start_says_what_is_missing_when_localstack_is_not_installed(tmp_path: Path) -> None:
    config = server.CloudConfig(state_dir=tmp_path, cloud_python=tmp_path / "python")
    with pytest.raises(server.CloudError, match="LocalStack is not installed"):
        server.start(config)


def test_state_of_another_version_is_refused_when_started(tmp_path: Path) -> None:
    services = tmp_path / "services"
    services.mkdir()
    (services / "iam.pickle").write_bytes(b'{"format": 0, "localstack": "3.0"}\n')
    machine = Machine(tmp_path)
    with pytest.raises(server.CloudError, match=r"LocalStack 3\.0.*millrace reset"):
        machine.start()


def test_nothing_is_written_elsewhere_when_running(running: Machine) -> None:
    assert running.cloud is not None
    state = running.config.state_dir.resolve()
    running.client("s3").create_bucket(Bucket="somewhere")
    for process in [psutil.Process(running.cloud.pid)]:
        written = [
            file.path for file in process.open_files() if "w" in file.mode or "a" in file.mode
        ]
        assert written
        assert [path for path in written if not Path(path).is_relative_to(state)] == []


def test_cloud_ends_when_its_launcher_is_killed(tmp_path: Path) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent("""
            import sys
            from pathlib import Path
            from tests.integration.local_state.conftest import Machine
            machine = Machine(Path(sys.argv[1]))
            print(machine.start().pid, flush=True)
            sys.stdin.read()
        """), str(tmp_path)],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert launcher.stdout is not None
    cloud = psutil.Process(int(launcher.stdout.readline()))
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    cloud.wait(10)  # raises when it lives on
    machine = Machine(tmp_path)  # the lock went with it
    machine.start()
    machine.kill()


def test_cloud_leaves_no_process_when_stopped(running: Machine) -> None:
    assert running.cloud is not None
    family = psutil.Process(running.cloud.pid).children(recursive=True)
    running.cloud.stop()
    assert not running.cloud.alive()
    assert [process for process in family if process.is_running()] == []
