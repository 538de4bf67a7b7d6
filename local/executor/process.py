"""A child process whose whole group ends with it, and that ends with us."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue

from local.executor.lines import LineSplitter

_READ_BYTES = 1 << 16
_MAX_READS = 256
"""Bound of one drain, so that a function that never stops printing cannot hold its caller."""


class LaunchError(Exception):
    """The command cannot be started; the message says why."""


class ChildProcess:
    """Started in a process group of its own; stdout and stderr arrive as lines in `on_lines`."""

    def __init__(
        self,
        argv: tuple[str, ...],
        directory: Path,
        environment: Mapping[str, str],
        *,
        on_lines: Callable[[list[str]], None],
        on_exit: Callable[[int], None],
        niceness: int = 0,
    ) -> None:
        """`on_exit` gets the return code (negative: the signal), after the last line."""
        self._on_lines = on_lines
        self._on_exit = on_exit
        self._splitter = LineSplitter()
        self._reading = threading.Lock()
        self._killing = threading.Lock()
        self._reaped = False
        self.exited = threading.Event()
        self.started_s = time.monotonic()
        self._output, write_end = os.pipe()
        os.set_blocking(self._output, False)
        try:
            self._popen = _spawn(argv, directory, environment, write_end)
        except (OSError, LaunchError) as error:
            os.close(self._output)
            raise LaunchError(f"cannot start {argv[0]}: {error}") from error
        finally:
            os.close(write_end)
        self.pid = self._popen.pid
        _step_back(self.pid, niceness)
        threading.Thread(target=self._watch, name=f"process-{self.pid}", daemon=True).start()

    def drain(self) -> None:
        """Delivers everything the process has written so far."""
        with self._reading:
            for _ in range(_MAX_READS):
                try:
                    data = os.read(self._output, _READ_BYTES)
                except (BlockingIOError, OSError):
                    break
                if not data:
                    break
                if lines := self._splitter.feed(data):
                    self._on_lines(lines)

    def terminate(self) -> None:
        """SIGTERM to the process itself: its children are its own to end."""
        with self._killing:
            if not self._reaped:
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the process and everything of its group."""
        with self._killing:
            if not self._reaped:
                self._kill_group()

    def memory_kb(self) -> int:
        """Resident memory of the process and its descendants; 0 once it has ended."""
        return sum(_resident_kb(pid) for pid in _tree(self.pid))

    def peak_memory_kb(self) -> int:
        """Most memory the process itself (without descendants) ever had; 0 once it has ended."""
        return _status_kb(self.pid, "VmHWM")

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _watch(self) -> None:
        pidfd = os.pidfd_open(self.pid)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(self._output, select.POLLIN)
        while pidfd not in (ready := dict(poll.poll())):
            if ready[self._output] & select.POLLIN:
                self.drain()
            else:  # hung up: it closed its output and lives on
                poll.unregister(self._output)
        os.close(pidfd)
        with self._killing:
            # Before it is reaped: until then its process group's number cannot be reused.
            self._kill_group()
            code = self._popen.wait()
            self._reaped = True
        self.drain()
        with self._reading:
            os.close(self._output)
            self._output = -1
            if rest := self._splitter.rest():
                self._on_lines(rest)
        self.exited.set()
        self._on_exit(code)


class _Spawner:
    """Forks from one thread that lives as long as this process.

    PR_SET_PDEATHSIG fires when the forking *thread* ends, and the threads that ask for processes
    here serve one request each.
    """

    def __init__(self) -> None:
        self._orders: SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[object]]]
        self._orders = SimpleQueue()
        threading.Thread(target=self._run, name="function-spawner", daemon=True).start()

    def run(self, order: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        future: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((order, future))  # type: ignore[arg-type]
        return future.result()

    def _run(self) -> None:
        while True:
            order, future = self._orders.get()
            try:
                future.set_result(order())
            except BaseException as error:  # noqa: BLE001 - the asking thread gets it
                future.set_exception(error)


_spawner: _Spawner | None = None
_spawner_lock = threading.Lock()


def _spawn(
    argv: tuple[str, ...], directory: Path, environment: Mapping[str, str], output: int
) -> subprocess.Popen[bytes]:
    global _spawner  # noqa: PLW0603 - one thread per process, started with the first function
    if not directory.is_dir():
        raise LaunchError(f"no such folder: {directory}")
    program = shutil.which(argv[0], path=environment.get("PATH"))
    if program is None:
        raise LaunchError("no such program")
    # setpriv (util-linux, always there on Debian) instead of preexec_fn, which may deadlock in a
    # process with threads.
    die_with_us = (shutil.which("setpriv") or "/usr/bin/setpriv", "--pdeathsig", "KILL", "--")
    with _spawner_lock:
        if _spawner is None:
            _spawner = _Spawner()
    return _spawner.run(
        lambda: subprocess.Popen(
            [*die_with_us, program, *argv[1:]],
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # No session of its own: Linux divides the processors among sessions first
            # (sched_autogroup), and niceness counts within one only.
            process_group=0,
        )
    )


def _step_back(pid: int, niceness: int) -> None:
    """Lets the process wait for the CPU, and be the one to go when memory runs out, before us."""
    with contextlib.suppress(OSError):  # it may have ended already
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + niceness)
        Path(f"/proc/{pid}/oom_score_adj").write_text("500")


def _tree(pid: int) -> list[int]:
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{current}/task").iterdir():
                queue.extend(int(child) for child in (task / "children").read_text().split())
    return found


def _resident_kb(pid: int) -> int:
    return _status_kb(pid, "VmRSS")


def _status_kb(pid: int, name: str) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0
