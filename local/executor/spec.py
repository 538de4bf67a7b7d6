"""What the executor has to know about a function, whoever manages functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """How a function's process is started."""

    argv: tuple[str, ...]
    directory: Path
    """Working directory and LAMBDA_TASK_ROOT."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What a container image would set with ENV; the function's own variables win."""


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One version of one function. A change of any field needs new processes."""

    name: str
    command: Command
    version: str = "$LATEST"
    region: str = "us-east-1"
    handler: str = ""
    execution_env: str = "AWS_Lambda_python3.12"
    """Before 3.12 awslambdaric does not run a SIGTERM handler while it waits for an event."""
    opt: Path | None = None
    """Where the layers are unpacked (`/opt` on AWS)."""
    memory_mb: int = 128
    """Reported only: nothing here enforces it."""
    timeout_s: float = 3.0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one invocation."""

    payload: bytes
    is_error: bool
    """True: the payload is Lambda's error object and callers see FunctionError `Unhandled`."""
    log_tail: str
    """The last 4 KB of what the invocation logged (LogType=Tail)."""
    duration_ms: float = 0.0
