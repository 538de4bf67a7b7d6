"""All functions of one cloud."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

from local.executor.archive import CodeStore
from local.executor.logs import LogFile
from local.executor.pool import FunctionPool
from local.executor.settings import Settings
from local.executor.shipper import Clients, Shipper
from local.executor.spec import FunctionSpec

_LAST_WORDS_S = 3.0
"""Time for the last logs and metrics at shutdown."""


class Fleet:
    """Creates pools, stops idle processes, ends everything at the end. Thread-safe."""

    def __init__(self, settings: Settings, clients: Clients) -> None:
        self.settings = settings
        self.code = CodeStore(settings.work_dir / "code")
        self._shipper = Shipper(clients)
        self._tmp = settings.work_dir / "tmp" / str(os.getpid())
        self._lock = threading.Lock()
        self._pools: dict[str, FunctionPool] = {}
        self._files: dict[str, LogFile] = {}
        self._stopping = threading.Event()
        _remove_abandoned(self._tmp.parent)
        self._tmp.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._evict_idle, name="function-janitor", daemon=True).start()

    def add(self, key: str, spec: FunctionSpec) -> FunctionPool:
        """A pool for a function version; an earlier one of the same key is closed."""
        with self._lock:
            file = self._files.get(spec.name)
            if file is None:
                file = self._files[spec.name] = LogFile(self.settings.logs, spec.name)
            pool = FunctionPool(spec, self.settings, file, self._shipper, self._tmp)
            old = self._pools.get(key)
            self._pools[key] = pool
        if old is not None:
            old.close()
        return pool

    def get(self, key: str) -> FunctionPool | None:
        """The pool of a function version, if it has one."""
        with self._lock:
            return self._pools.get(key)

    def remove(self, key: str) -> None:
        """Closes a pool: running invocations end as they would have."""
        with self._lock:
            pool = self._pools.pop(key, None)
        if pool is not None:
            pool.close()

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Waits until all logs and metrics written so far are delivered."""
        return self._shipper.flush(timeout_s)

    def shutdown(self) -> None:
        """Ends every process: SIGTERM to all, SIGKILL to those left after the grace period."""
        self._stopping.set()
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        instances = [instance for pool in pools for instance in pool.instances()]
        for instance in instances:
            instance.terminate()
        for pool in pools:
            pool.close()
        deadline_s = time.monotonic() + self.settings.stop_grace_s
        for instance in instances:
            if not instance.gone.wait(max(0.0, deadline_s - time.monotonic())):
                instance.kill()
        for instance in instances:
            instance.gone.wait()
        self._shipper.close(_LAST_WORDS_S)
        shutil.rmtree(self._tmp, ignore_errors=True)

    def _evict_idle(self) -> None:
        idle_s = self.settings.idle_timeout_s
        while not self._stopping.wait(max(0.05, min(idle_s / 4, 30.0))):
            with self._lock:
                pools = list(self._pools.values())
            for pool in pools:
                pool.evict(idle_s)


def _remove_abandoned(folder: Path) -> None:
    """Temporary folders of executors that were killed; each is named by the executor's pid."""
    for entry in folder.glob("*") if folder.is_dir() else ():
        if not Path("/proc", entry.name).exists():
            shutil.rmtree(entry, ignore_errors=True)
