"""Where one running Millrace keeps its state on disk, and what it says about itself there."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Running:
    """What a running `millrace up` publishes for the other commands, in `up.json`."""

    pid: int
    started: float
    """Start time of the process, so that a reused pid is not taken for it."""
    cloud_pid: int
    port: int
    gallery_url: str
    api_url: str
    chat_url: str


@dataclass(frozen=True, slots=True)
class State:
    """The state directory (`.millrace/` unless `MILLRACE_STATE_DIR` says otherwise)."""

    root: Path

    @property
    def cloud(self) -> Path:
        """LocalStack's own state: objects, tables, queues."""
        return self.root / "cloud"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def function_logs(self) -> Path:
        return self.logs / "functions"

    @property
    def token_file(self) -> Path:
        return self.root / "token"

    @property
    def images_file(self) -> Path:
        return self.root / "images.json"

    @property
    def _running_file(self) -> Path:
        return self.root / "up.json"

    def publish(self, running: Running) -> None:
        replace_text(self._running_file, json.dumps(asdict(running), indent=2))

    def retract(self) -> None:
        self._running_file.unlink(missing_ok=True)

    def running(self) -> Running | None:
        """The live `millrace up` on this state; None when there is none or it crashed."""
        try:
            running = Running(**json.loads(self._running_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        try:
            alive = abs(psutil.Process(running.pid).create_time() - running.started) < 1
        except psutil.NoSuchProcess:
            return None
        return running if alive else None


def replace_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a crash, never meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.touch(mode=mode)
    temporary.write_text(text)
    temporary.replace(path)
