"""Which process stands for which container image, and for which function's archive, when there is
no Docker."""

from __future__ import annotations

import json
from pathlib import Path

from cli.state import REPOSITORY, replace_text

ENGINE = REPOSITORY / "build" / "engine" / "release" / "millrace-engine"
IMAGE_FUNCTIONS = ("probe", "transcode", "thumbnail")
ARCHIVE_FUNCTIONS = ("ingest", "publish", "notify", "monitor", "signal", "api")


def image_map(python: Path) -> dict[str, dict[str, object]]:
    """Repository name → what the image would run: command, working directory, environment."""
    return {f"millrace-{name}": _from_checkout(name, python) for name in IMAGE_FUNCTIONS}


def checkout_map(
    python: Path, debugged: str | None = None, debug_port: int = 0
) -> dict[str, dict[str, object]]:
    """All functions run from this checkout, one of them with a debugger's server beside it."""
    found = {
        f"millrace-{name}": _from_checkout(name, python)
        for name in (*IMAGE_FUNCTIONS, *ARCHIVE_FUNCTIONS)
    }
    if debugged:
        debugger = ["-m", "debugpy", "--listen", f"127.0.0.1:{debug_port}"]
        found[f"millrace-{debugged}"]["command"] = _command(debugged, python, debugger)
    return found


def _from_checkout(name: str, python: Path) -> dict[str, object]:
    return {
        "command": _command(name, python),
        "directory": str(REPOSITORY if name == "api" else REPOSITORY / "functions" / name),
        "environment": {
            "PYTHONPATH": str(REPOSITORY / "layers" / "core" / "python"),
            "MILLRACE_ENGINE": str(ENGINE),
        },
    }


def _command(name: str, python: Path, before: list[str] | None = None) -> list[str]:
    handler = "app.app" if name == "api" else "handler.handler"
    return [str(python), *(before or []), "-m", "awslambdaric", handler]


def write_image_map(path: Path, entries: dict[str, dict[str, object]]) -> None:
    replace_text(path, json.dumps(entries, indent=2))
