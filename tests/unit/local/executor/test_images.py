"""Image URI to process."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from local.executor.images import (
    ImageError,
    ImageOverrides,
    image_command,
    repository,
    stand_in,
)
from local.executor.settings import Settings

URI = "000000000000.dkr.ecr.us-east-1.amazonaws.com/millrace-probe:latest"


def with_map(tmp_path: Path, content: Any) -> Settings:
    path = tmp_path / "images.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return Settings(python=Path("/venv/python"), image_map=path)


@pytest.mark.parametrize(
    "uri",
    [
        URI,
        "millrace-probe",
        "localhost:4566/millrace-probe",
        "registry:5000/team/millrace-probe:v1@sha256:abc",
        "registry/millrace-probe@sha256:abc",
    ],
)
def test_repository_is_found_when_the_uri_has_a_registry_tag_or_digest(uri: str) -> None:
    assert repository(uri) == "millrace-probe"


def test_python_handler_is_run_when_the_map_names_only_a_folder(tmp_path: Path) -> None:
    settings = with_map(tmp_path, {"millrace-probe": {"directory": "functions/probe"}})
    command = image_command(URI, ImageOverrides(), settings)
    assert command.argv == ("/venv/python", "-m", "awslambdaric", "handler.handler")
    assert command.directory == tmp_path / "functions" / "probe"


@pytest.mark.parametrize(
    ("overrides", "argv", "directory"),
    [
        (ImageOverrides(), ("run", "-x", "a.b"), "/d"),
        (ImageOverrides(command=("c.d",)), ("run", "-x", "c.d"), "/d"),
        (ImageOverrides(entrypoint=("other",)), ("other",), "/d"),
        (ImageOverrides(entrypoint=("other",), command=("c",)), ("other", "c"), "/d"),
        (ImageOverrides(working_directory="/w"), ("run", "-x", "a.b"), "/w"),
    ],
)
def test_overrides_work_as_in_docker_when_the_function_has_an_image_config(
    tmp_path: Path, overrides: ImageOverrides, argv: tuple[str, ...], directory: str
) -> None:
    entry = {
        "entrypoint": ["run", "-x"],
        "command": ["a.b"],
        "directory": "/d",
        "environment": {"K": "v"},
    }
    command = image_command(URI, overrides, with_map(tmp_path, {"millrace-probe": entry}))
    assert command.argv == argv
    assert command.directory == Path(directory)
    assert command.environment == {"K": "v"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "has no process for image millrace-probe"),
        ("not json", "cannot read the image map"),
        ([], "must hold a JSON object"),
        ({"millrace-probe": {}}, "wrong entry for millrace-probe"),
        ({"millrace-probe": {"directory": ".", "command": "text"}}, "lists of strings"),
    ],
)
def test_error_says_what_is_wrong_when_the_map_does_not_fit(
    tmp_path: Path, content: Any, message: str
) -> None:
    with pytest.raises(ImageError, match=message):
        image_command(URI, ImageOverrides(), with_map(tmp_path, content))


def test_error_names_the_setting_when_there_is_no_map() -> None:
    settings = dataclasses.replace(Settings(), image_map=None)
    with pytest.raises(ImageError, match="MILLRACE_LOCAL_IMAGE_MAP"):
        image_command(URI, ImageOverrides(), settings)


def test_archive_is_left_alone_when_the_map_does_not_name_its_function(tmp_path: Path) -> None:
    settings = with_map(tmp_path, {"millrace-api": {"directory": "."}})
    assert stand_in("millrace-monitor", settings) is None
    assert stand_in("millrace-api", Settings()) is None
    command = stand_in("millrace-api", settings)
    assert command is not None
    assert command.directory == tmp_path


def test_archive_is_not_silently_used_when_its_entry_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="millrace-api"):
        stand_in("millrace-api", with_map(tmp_path, {"millrace-api": {}}))
