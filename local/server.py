"""The one-machine cloud as a child process: LocalStack's runtime on the host, without Docker.

`start` reports a busy port or a second user of the same state before anything is started. The
process dies with its launcher (also when that is killed), keeps everything it writes below
`state_dir`, and may itself be killed at any instant: `local.persistence` finds the state again.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from local.server_environment import environment
from local.server_lock import StateInUseError, StateLock
from local.server_process import CloudError, describe, listener_on, tree_of

__all__ = ["Cloud", "CloudConfig", "CloudError", "PortBusyError", "StateInUseError", "start"]

REPOSITORY = Path(__file__).resolve().parent.parent
CHILD = REPOSITORY / "local" / "server_child.py"
LOG_KEPT_BYTES = 20_000_000
POLL_S = 0.05


class PortBusyError(CloudError):
    """Another process listens on the port."""

    def __init__(self, port: int, setting: str, holder: psutil.Process | None) -> None:
        who = describe(holder) if holder else "another user's process"
        super().__init__(f"port {port} is used by {who}; stop it, or choose another with {setting}")
        self.port = port
        self.pid = holder.pid if holder else None


@dataclass(frozen=True, slots=True)
class CloudConfig:
    """What one cloud needs to know. Only `state_dir` has to be given."""

    state_dir: Path
    """Everything that survives a restart. Nothing is written outside it and `log_dir`."""
    port: int = 4566
    listen: str = "127.0.0.1"
    """Address it listens on. It is always reached by 127.0.0.1 here: other ones let others in."""
    port_setting: str = "MILLRACE_PORT"
    """The setting named to the person when the port is busy."""
    log_dir: Path | None = None
    """Where `localstack.log` goes; `state_dir/logs` when None."""
    image_map: Path | None = None
    """JSON file: container-image name → command, directory, environment (see `local.executor`)."""
    cloud_python: Path = REPOSITORY / ".venv-cloud" / "bin" / "python"
    """Interpreter of LocalStack's own virtual environment."""
    function_python: Path = Path(sys.executable)
    """Interpreter the zip functions run with."""
    start_timeout_s: float = 60.0
    stop_timeout_s: float = 10.0
    extra_environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        return (self.log_dir or self.state_dir / "logs") / "localstack.log"


class Cloud:
    """A LocalStack process that was started. Use `wait_ready` before the first request."""

    def __init__(self, config: CloudConfig, process: subprocess.Popen[bytes]) -> None:
        self.config = config
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def endpoint_url(self) -> str:
        return self.config.endpoint_url

    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Return when requests are served and the saved state is loaded.

        Raises CloudError when the process ends before, or after `start_timeout_s` seconds.
        """
        deadline = time.monotonic() + self.config.start_timeout_s
        while not _is_ready(self.config.port):
            if not self.alive():
                code = self._process.returncode
                raise CloudError(f"LocalStack ended with code {code} while starting{self._why()}")
            if time.monotonic() > deadline:
                self.kill()
                waited_s = self.config.start_timeout_s
                raise CloudError(f"LocalStack was not ready after {waited_s:.0f} s{self._why()}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End in good order; whatever is left after `stop_timeout_s` seconds is killed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End at once, as a crash would (kill -9), together with everything it started."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        family = tree_of(self.pid)
        if self.alive():
            self._process.send_signal(how)
            try:
                self._process.wait(self.config.stop_timeout_s)
            except subprocess.TimeoutExpired:
                family |= tree_of(self.pid)
                self._process.kill()
                self._process.wait()
        for orphan in family:
            try:
                orphan.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(family, timeout=5)

    def _why(self) -> str:
        lines = self.config.log_file.read_text(errors="replace").splitlines()[-15:]
        return f"; the end of {self.config.log_file}:\n" + "\n".join(lines)


def start(config: CloudConfig) -> Cloud:
    """Start the cloud and return at once.

    Raises PortBusyError, StateInUseError (another cloud has `state_dir`) or CloudError (LocalStack
    is not installed).
    """
    if not config.cloud_python.exists():
        raise CloudError(f"{config.cloud_python} is missing: LocalStack is not installed")
    for directory in (config.state_dir, config.log_file.parent):
        directory.mkdir(parents=True, exist_ok=True)
    lock = StateLock.acquire(config.state_dir)
    try:
        _empty(config.state_dir / "tmp")
        holder = listener_on(config.port)
        if holder is not None:
            raise PortBusyError(config.port, config.port_setting, holder.process)
        process = _spawn(config, lock)
        lock.describe(process.pid, config.port)
    finally:
        lock.close()  # the child has its own copy: the lock is held exactly as long as it lives
    return Cloud(config, process)


def _empty(directory: Path) -> None:
    """Temporary files of a cloud that was killed."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()


def _spawn(config: CloudConfig, lock: StateLock) -> subprocess.Popen[bytes]:
    """Start the process from a thread that lives as long as it does.

    Linux sends the parent-death signal when the *thread* that forked ends, so a caller's
    short-lived thread must not be that one.
    """
    started: list[subprocess.Popen[bytes] | OSError] = []
    ready = threading.Event()

    def keep() -> None:
        try:
            process = _popen(config, lock)
        except OSError as error:
            started.append(error)
            ready.set()
            return
        started.append(process)
        ready.set()
        process.wait()

    threading.Thread(target=keep, name="millrace-cloud-keeper", daemon=True).start()
    ready.wait()
    if isinstance(started[0], OSError):
        raise CloudError(f"LocalStack could not be started: {started[0]}") from started[0]
    return started[0]


def _popen(config: CloudConfig, lock: StateLock) -> subprocess.Popen[bytes]:
    if config.log_file.exists() and config.log_file.stat().st_size > LOG_KEPT_BYTES:
        config.log_file.replace(config.log_file.with_suffix(".log.1"))
    with config.log_file.open("ab") as log:
        return subprocess.Popen(
            [str(config.cloud_python), str(CHILD), str(os.getpid())],
            cwd=config.state_dir,
            env=environment(config, REPOSITORY),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in the terminal is the launcher's to handle
            pass_fds=(lock.fd,),
        )


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_localstack/init/ready")
        return b'"completed": true' in connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
