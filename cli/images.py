"""Which process stands for which container image when there is no Docker."""

from __future__ import annotations

import json
from pathlib import Path

from cli.state import REPOSITORY, replace_text

ENGINE = REPOSITORY / "build" / "engine" / "release" / "millrace-engine"
IMAGE_FUNCTIONS = ("probe", "transcode", "thumbnail")


def image_map(python: Path) -> dict[str, dict[str, object]]:
    """Repository name → what the image would run: command, working directory, environment."""
    return {
        f"millrace-{name}": {
            "command": [str(python), "-m", "awslambdaric", "handler.handler"],
            "directory": str(REPOSITORY / "functions" / name),
            "environment": {
                "PYTHONPATH": str(REPOSITORY / "layers" / "core" / "python"),
                "MILLRACE_ENGINE": str(ENGINE),
            },
        }
        for name in IMAGE_FUNCTIONS
    }


def write_image_map(path: Path, python: Path) -> None:
    replace_text(path, json.dumps(image_map(python), indent=2))
