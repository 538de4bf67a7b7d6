"""Settings of the process executor: one dataclass, one place that reads the environment."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "MILLRACE_LOCAL_"


class SettingError(ValueError):
    """A variable holds something that is not a value of its setting; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is read from `MILLRACE_LOCAL_<FIELD NAME IN CAPITALS>`."""

    python: Path = field(default_factory=lambda: Path(sys.executable))
    """Interpreter that runs Python functions; needs `awslambdaric` installed."""
    image_map: Path | None = None
    """JSON file: container-image repository name → how to run it as a process (`images.py`)."""
    work_dir: Path = field(default_factory=lambda: Path(tempfile.gettempdir()) / "millrace-local")
    """Unpacked code and layers (kept, named by hash) and temporary folders of the processes."""
    log_dir: Path | None = None
    """Folder for `<function>.log`: one line per log line, flushed. Default: `work_dir/logs`."""
    endpoint_url: str = ""
    """What functions get as AWS_ENDPOINT_URL. Default: the gateway the executor runs behind."""
    dynamodb_url: str = ""
    """What functions get as AWS_ENDPOINT_URL_DYNAMODB, if they are to ask elsewhere. Default: the
    gateway's own short way, unless `endpoint_url` is given."""
    access_key: str = "test"
    """Functions' AWS_ACCESS_KEY_ID. The local cloud verifies presigned URLs with this pair."""
    secret_key: str = "test"  # noqa: S105 - a public constant of the local cloud, no secret
    """Functions' AWS_SECRET_ACCESS_KEY."""
    init_timeout_s: float = 60.0
    """Time a new process has to ask for its first event. AWS gives 10 s and then the function's
    timeout; a laptop that starts twenty interpreters at once needs more."""
    idle_timeout_s: float = 600.0
    """A process that had nothing to do for this long is stopped."""
    stop_grace_s: float = 2.0
    """Time between SIGTERM and SIGKILL."""
    niceness: int = 5
    """Added to functions' scheduling niceness, so that the cloud they all wait for runs first."""
    max_processes: int = 50
    """Per function; further invocations wait for a free process."""
    mapping_concurrency: int = 5
    """Concurrent batches of a queue mapping that sets no MaximumConcurrency (AWS starts with 5)."""

    @property
    def logs(self) -> Path:
        """The log folder in effect."""
        return self.log_dir or self.work_dir / "logs"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Reads `environ` (the process's own by default). Raises `SettingError`."""
        source = os.environ if environ is None else environ
        given: dict[str, Any] = {}
        for setting in fields(cls):
            name = PREFIX + setting.name.upper()
            if source.get(name):
                given[setting.name] = _parse(name, source[name], str(setting.type))
        return cls(**given)


def _parse(name: str, text: str, kind: str) -> Any:
    try:
        if kind.startswith("Path"):
            return Path(text).absolute()
        return {"float": float, "int": int, "str": str}[kind](text)
    except ValueError as error:
        raise SettingError(f"{name}={text!r} is not a {kind}") from error
