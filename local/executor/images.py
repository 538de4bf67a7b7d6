"""Container images without containers: which process stands for which image repository.

The map is a JSON object. Its keys are repository names (`millrace-probe`); its values:

- `directory` (required): working directory, relative to the map's own folder or absolute;
- `entrypoint`, `command`: lists, joined to the command line as Docker does. Left out both, the
  process is `<functions' python> -m awslambdaric handler.handler`;
- `environment`: what the image sets with ENV.

A key may also be the name of a function that is deployed as an archive: its code is then run from
that folder instead, without its layers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.executor.settings import Settings
from local.executor.spec import Command


class ImageError(Exception):
    """No process stands for the image, or the map is wrong; the message says which."""


@dataclass(frozen=True, slots=True)
class ImageOverrides:
    """The function's ImageConfig; empty means: as the image has it."""

    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    working_directory: str = ""


def repository(image_uri: str) -> str:
    """`registry/millrace-probe:tag@sha256:…` → `millrace-probe`."""
    without_digest = image_uri.split("@")[0]
    return without_digest.rsplit("/", 1)[-1].split(":")[0]


def image_command(image_uri: str, overrides: ImageOverrides, settings: Settings) -> Command:
    """How to run a function of this image. The map is read anew each time. Raises `ImageError`."""
    name = repository(image_uri)
    if settings.image_map is None:
        raise ImageError(f"MILLRACE_LOCAL_IMAGE_MAP is not set: nothing can run image {name}")
    entries = _read(settings.image_map)
    if name not in entries:
        raise ImageError(f"{settings.image_map} has no process for image {name}")
    return _mapped(name, entries[name], overrides, settings)


def stand_in(function_name: str, settings: Settings) -> Command | None:
    """What runs in place of a function's archive, if the map has anything. Raises `ImageError`."""
    entries = _read(settings.image_map) if settings.image_map else {}
    if function_name not in entries:
        return None
    return _mapped(function_name, entries[function_name], ImageOverrides(), settings)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot read the image map {path}: {error}") from error
    if not isinstance(entries, dict):
        raise ImageError(f"{path} must hold a JSON object")
    return entries


def _mapped(
    name: str, entry: Mapping[str, Any], overrides: ImageOverrides, settings: Settings
) -> Command:
    try:
        return _command(entry, overrides, settings)
    except (KeyError, TypeError, ValueError) as error:
        raise ImageError(f"{settings.image_map}: wrong entry for {name}: {error!r}") from error


def _command(entry: Mapping[str, Any], overrides: ImageOverrides, settings: Settings) -> Command:
    assert settings.image_map is not None
    folder = settings.image_map.parent / entry["directory"]
    entrypoint = _strings(entry.get("entrypoint", []))
    command = _strings(entry.get("command", []))
    if not entrypoint and not command:
        entrypoint = [str(settings.python), "-m", "awslambdaric"]
        command = ["handler.handler"]
    if overrides.entrypoint:  # as in Docker, another entry point drops the image's command
        entrypoint, command = list(overrides.entrypoint), []
    if overrides.command:
        command = list(overrides.command)
    if overrides.working_directory:
        folder = folder / overrides.working_directory
    environment = {str(name): str(value) for name, value in entry.get("environment", {}).items()}
    return Command((*entrypoint, *command), folder, environment)


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ValueError("entrypoint and command are lists of strings")
    return value
