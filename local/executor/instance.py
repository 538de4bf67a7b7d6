"""One function process with its Runtime API: what AWS calls an execution environment."""

from __future__ import annotations

import math
import shutil
import tempfile
import threading
import time
from pathlib import Path
from queue import Empty

from local.executor.logs import ProcessLog
from local.executor.process import ChildProcess, LaunchError
from local.executor.settings import Settings
from local.executor.spec import FunctionSpec, Result
from local.executor.variables import process_environment
from local.runtime_api.messages import Event, Kind, Signal, error_payload
from local.runtime_api.server import RuntimeApi

_SAMPLE_S = 1.0
"""How often the memory of a running invocation (with its child processes) is looked at."""
_ANSWERS = (Kind.RESPONSE, Kind.ERROR, Kind.TOO_LARGE)


class EventNotTakenError(Exception):
    """The process ended before it had its event: another process may be given it."""


class Instance:
    """Runs one invocation at a time; `usable` tells whether it can run another."""

    def __init__(self, spec: FunctionSpec, settings: Settings, log: ProcessLog, tmp: Path) -> None:
        """Starts the process; `tmp` is the folder its own temporary folder is made in."""
        self.usable = True
        self.idle_since_s = time.monotonic()
        self._spec = spec
        self._settings = settings
        self._log = log
        self._tmp = Path(tempfile.mkdtemp(dir=tmp))
        self._api = RuntimeApi(self._on_taken)
        self._exit_text = ""
        self._ready_s: float | None = None
        self._init_reported = False
        self._peak_kb = 0
        self.gone = threading.Event()
        log.platform(f"INIT_START Runtime Version: {spec.execution_env}")
        try:
            self._process = self._start()
        except LaunchError:
            self._clean()
            raise

    @property
    def pid(self) -> int:
        """Process id, which is also its process group."""
        return self._process.pid

    def invoke(self, event: Event) -> Result:
        """Runs the function. Raises `EventNotTakenError`; every other failure is a result."""
        self._api.endpoint.offer(event)
        try:
            return self._run(event)
        finally:
            self._api.endpoint.withdraw()
            self.idle_since_s = time.monotonic()

    def terminate(self) -> None:
        """Asks the process to end (SIGTERM)."""
        self.usable = False
        self._process.terminate()

    def kill(self) -> None:
        """Ends the process and its group at once."""
        self.usable = False
        self._process.kill()

    def stop(self, grace_s: float) -> None:
        """SIGTERM, then SIGKILL after `grace_s`; returns when the process has gone."""
        self.terminate()
        if not self.gone.wait(grace_s):
            self.kill()
            self.gone.wait()

    def _start(self) -> ChildProcess:
        environment = process_environment(
            self._spec,
            self._settings,
            runtime_api=self._api.address,
            log_stream=self._log.stream,
            tmp=self._tmp,
        )
        command = self._spec.command
        return ChildProcess(
            command.argv,
            command.directory,
            environment,
            on_lines=self._log.output,
            on_exit=self._on_exit,
            niceness=self._settings.niceness,
        )

    def _run(self, event: Event) -> Result:
        taken = self._await_taken(event)
        if isinstance(taken, Result):
            return taken
        deadline_s = taken.at_s + event.timeout_s
        while True:
            signal = self._signal(deadline_s)
            if signal is None:
                return self._timed_out(event, taken)
            if signal.kind in _ANSWERS:
                self.usable = self.usable and signal.kind is not Kind.TOO_LARGE
                return self._finish(event, taken, signal)
            if signal.kind is Kind.EXITED:
                return self._crashed(event, taken)

    def _await_taken(self, event: Event) -> Signal | Result:
        deadline_s = time.monotonic() + (
            event.timeout_s if self._ready_s is not None else self._settings.init_timeout_s
        )
        while True:
            signal = self._signal(deadline_s)
            if signal is None:
                return self._stuck(event)
            if signal.kind is Kind.READY:
                self._ready_s = signal.at_s
            elif signal.kind is Kind.TAKEN:
                return signal
            elif signal.kind is Kind.INIT_ERROR:
                return self._init_failed(signal)
            elif signal.kind is Kind.EXITED:
                self.usable = False
                raise EventNotTakenError(self._exit_text)

    def _signal(self, deadline_s: float) -> Signal | None:
        """The next signal, or None at the deadline (a moment of `time.monotonic`)."""
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                return self._api.endpoint.signals.get(timeout=min(left_s, _SAMPLE_S))
            except Empty:
                self._peak_kb = max(self._peak_kb, self._process.memory_kb())
        return None

    def _on_taken(self, event: Event) -> None:
        self._process.drain()
        if self._init_reported:  # the first invocation's tail has what its start-up logged
            self._log.begin()
        self._log.platform(f"START RequestId: {event.request_id} Version: {self._spec.version}")

    def _finish(self, event: Event, taken: Signal, answer: Signal) -> Result:
        failed = answer.kind is not Kind.RESPONSE
        return self._result(event, answer.payload, answer.at_s - taken.at_s, failed=failed)

    def _timed_out(self, event: Event, taken: Signal) -> Result:
        message = f"Task timed out after {event.timeout_s:.2f} seconds"
        self._end_and_wait()
        self._log.platform(f"{event.request_id} {message}")
        text = f"RequestId: {event.request_id} Error: {message}"
        payload = error_payload("Sandbox.Timedout", text)
        duration_s = max(event.timeout_s, time.monotonic() - taken.at_s)
        return self._result(event, payload, duration_s, failed=True, status="timeout")

    def _crashed(self, event: Event, taken: Signal) -> Result:
        self.usable = False
        self._log.platform(f"RequestId: {event.request_id} Error: {self._exit_text}")
        payload = exit_error(event, self._exit_text)
        duration_s = time.monotonic() - taken.at_s
        return self._result(event, payload, duration_s, failed=True, status="error")

    def _init_failed(self, signal: Signal) -> Result:
        duration_ms = (signal.at_s - self._process.started_s) * 1000
        # It exits by itself, having logged its stack trace; the time it may take is bounded.
        self.usable = False
        if not self.gone.wait(self._settings.stop_grace_s):
            self._end_and_wait()
        self._log.platform(
            f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: init\tStatus: error"
        )
        self._log.count(duration_ms, failed=True)
        return Result(signal.payload, is_error=True, log_tail=self._log.tail())

    def _stuck(self, event: Event) -> Result:
        """The process lives but never asked for its event."""
        waited_s = event.timeout_s if self._ready_s is not None else self._settings.init_timeout_s
        self._end_and_wait()
        message = f"Task timed out after {waited_s:.2f} seconds before its start"
        self._log.platform(f"{event.request_id} {message}")
        payload = error_payload(
            "Sandbox.Timedout", f"RequestId: {event.request_id} Error: {message}"
        )
        self._log.count(waited_s * 1000, failed=True)
        return Result(payload, is_error=True, log_tail=self._log.tail())

    def _result(
        self, event: Event, payload: bytes, duration_s: float, *, failed: bool, status: str = ""
    ) -> Result:
        self._process.drain()
        duration_ms = duration_s * 1000
        self._log.platform(f"END RequestId: {event.request_id}")
        self._log.platform(self._report(event, duration_ms, status))
        self._log.count(duration_ms, failed=failed)
        return Result(payload, failed, self._log.tail(), duration_ms)

    def _report(self, event: Event, duration_ms: float, status: str) -> str:
        self._peak_kb = max(self._peak_kb, self._process.peak_memory_kb())
        parts = [
            f"REPORT RequestId: {event.request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {math.ceil(duration_ms)} ms",
            f"Memory Size: {self._spec.memory_mb} MB",
            f"Max Memory Used: {math.ceil(self._peak_kb / 1024)} MB",
        ]
        if not self._init_reported and self._ready_s is not None:
            init_ms = (self._ready_s - self._process.started_s) * 1000
            parts.append(f"Init Duration: {init_ms:.2f} ms")
        self._init_reported = True
        if status:
            parts.append(f"Status: {status}")
        return "\t".join(parts)

    def _end_and_wait(self) -> None:
        self._peak_kb = max(self._peak_kb, self._process.memory_kb())
        self.kill()
        self.gone.wait()

    def _on_exit(self, code: int) -> None:
        self._exit_text = describe_exit(code)
        self._api.endpoint.report(Kind.EXITED)
        self._clean()
        self.gone.set()

    def _clean(self) -> None:
        self._api.close()
        shutil.rmtree(self._tmp, ignore_errors=True)


def describe_exit(code: int) -> str:
    """Lambda's words for how a runtime ended."""
    if code == 0:
        return "Runtime exited without providing a reason"
    if code > 0:
        return f"Runtime exited with error: exit status {code}"
    names = {9: "killed", 15: "terminated", 11: "segmentation fault", 6: "aborted"}
    return f"Runtime exited with error: signal: {names.get(-code, str(-code))}"


def exit_error(event: Event, reason: str) -> bytes:
    """Error object for a process that ended instead of answering."""
    return error_payload("Runtime.ExitError", f"RequestId: {event.request_id} Error: {reason}")
