"""The gateway as a child process, which dies with the one that started it."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from local.server import REPOSITORY, PortBusyError
from local.server_process import CloudError, listener_on

_POLL_S = 0.05
_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """What one gateway needs to know."""

    template: Path
    """CloudFormation template that was deployed."""
    port: int
    lambda_url: str
    log_file: Path
    listen: str = "127.0.0.1"
    port_setting: str = "MILLRACE_SIGNAL_PORT"
    """The setting named to the person when the port is busy."""


class RunningGateway:
    """A gateway that was started and serves."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End in good order, or be killed after a while."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start(config: GatewayConfig) -> RunningGateway:
    """Start a gateway and wait until it serves. The calling thread must outlive it: Linux sends the
    parent-death signal when the thread that forked ends.

    Raises PortBusyError, or CloudError when it ends at once or does not come up.
    """
    refuse_busy(config)
    config.log_file.parent.mkdir(parents=True, exist_ok=True)
    process = _spawn(config)
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not _is_ready(config.port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise CloudError(f"the WebSocket gateway did not start; see {config.log_file}")
        time.sleep(_POLL_S)
    return RunningGateway(process)


def refuse_busy(config: GatewayConfig) -> None:
    """Raises PortBusyError when somebody listens on the port already."""
    holder = listener_on(config.port)
    if holder is not None:
        raise PortBusyError(config.port, config.port_setting, holder.process)


def _spawn(config: GatewayConfig) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-m", "local.websocket_gateway", "--parent", str(os.getpid())),
        *("--template", str(config.template), "--port", str(config.port)),
        *("--lambda-url", config.lambda_url, "--listen", config.listen),
    ]
    with config.log_file.open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in the terminal is the launcher's to handle
        )


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_local/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
