"""Settings and where they come from."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from local.executor.settings import PREFIX, SettingError, Settings


def test_every_field_is_read_when_its_variable_is_set() -> None:
    texts = {"float": "2.5", "int": "7", "str": "text"}
    values = {"float": 2.5, "int": 7, "str": "text"}
    environ = {PREFIX + f.name.upper(): texts.get(str(f.type), "/a/path") for f in fields(Settings)}
    settings = Settings.from_environment(environ)
    for field in fields(Settings):
        expected = values.get(str(field.type), Path("/a/path"))
        assert getattr(settings, field.name) == expected, field.name


def test_defaults_hold_when_variables_are_missing_or_empty() -> None:
    settings = Settings.from_environment({"MILLRACE_LOCAL_MAX_PROCESSES": ""})
    assert settings.max_processes == 50
    assert settings.logs == settings.work_dir / "logs"


def test_paths_are_made_absolute_when_relative(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({"MILLRACE_LOCAL_LOG_DIR": "logs"})
    assert settings.logs == tmp_path / "logs"


def test_error_names_the_variable_when_its_value_is_wrong() -> None:
    with pytest.raises(SettingError, match="MILLRACE_LOCAL_MAX_PROCESSES='many' is not a int"):
        Settings.from_environment({"MILLRACE_LOCAL_MAX_PROCESSES": "many"})
