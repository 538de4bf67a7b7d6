from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from millrace import config
from millrace.config import Settings
from millrace.errors import MillraceError

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "settings.md"
COMPLETE = {config.variable(field.name): "x" for field in fields(Settings) if field.default == ""}


@pytest.mark.parametrize("function", config.NEEDS)
def test_load_succeeds_when_only_what_the_function_needs_is_set(function: str) -> None:
    environment = {
        name: value
        for name, value in COMPLETE.items()
        if name in {config.variable(field) for field in config.NEEDS[function]}
    }
    settings = config.load(function, environment)
    assert settings.table == "x"


@pytest.mark.parametrize("function", config.NEEDS)
def test_load_names_every_missing_variable_when_nothing_is_set(function: str) -> None:
    with pytest.raises(MillraceError) as caught:
        config.load(function, {})
    for field in fields(Settings):
        needed = field.name in config.NEEDS[function] and field.default == ""
        assert (config.variable(field.name) in caught.value.message) is needed


@pytest.mark.parametrize("text", ["0", "-5", "1e9", "many", "1.5", "٣"])
def test_load_names_the_variable_when_a_number_is_not_a_positive_whole_one(text: str) -> None:
    with pytest.raises(MillraceError, match="MILLRACE_CHUNK_SEGMENTS"):
        config.load("probe", {**COMPLETE, "MILLRACE_CHUNK_SEGMENTS": text})


@pytest.mark.parametrize(
    ("name", "text"), [("MILLRACE_KEEP_SURROUND", "yes"), ("MILLRACE_CONTAINER", "mkv")]
)
def test_load_names_the_variable_when_it_is_none_of_its_choices(name: str, text: str) -> None:
    with pytest.raises(MillraceError, match=name):
        config.load("probe", {**COMPLETE, name: text})


def test_load_takes_over_choices_when_they_are_made() -> None:
    chosen = {"MILLRACE_KEEP_SURROUND": "true", "MILLRACE_CONTAINER": "mpegts"}
    settings = config.load("probe", {**COMPLETE, **chosen})
    assert (settings.keep_surround, settings.container) == (True, "mpegts")


def test_head_may_be_as_long_as_the_others_when_that_is_wanted() -> None:
    settings = config.load("probe", {**COMPLETE, "MILLRACE_HEAD_SEGMENTS": "0"})
    assert settings.head_segments == 0
    with pytest.raises(MillraceError, match="MILLRACE_HEAD_SEGMENTS must be a whole number from 0"):
        config.load("probe", {**COMPLETE, "MILLRACE_HEAD_SEGMENTS": "-1"})


def test_load_ignores_a_variable_when_the_function_does_not_need_it() -> None:
    settings = config.load("ingest", {**COMPLETE, "MILLRACE_CHUNK_SEGMENTS": "many"})
    assert settings.chunk_segments == Settings().chunk_segments
    assert settings.site_bucket == ""


def test_engine_sees_no_credentials_when_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "trace")
    monkeypatch.setenv("SSL_CERT_FILE", "/ca.pem")
    environment = config.engine_environment()
    assert environment["SSL_CERT_FILE"] == "/ca.pem"
    assert not [name for name in environment if name.startswith(("AWS_", "MILLRACE_", "_"))]


def test_reference_page_is_complete_when_a_setting_exists() -> None:
    page = REFERENCE.read_text()
    for field in fields(Settings):
        readers = [name for name in config.NEEDS if field.name in config.NEEDS[name]]
        row = next(
            (line for line in page.splitlines() if f"`{config.variable(field.name)}`" in line), ""
        )
        assert row, f"{config.variable(field.name)} is not in {REFERENCE.name}"
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        shown = str(field.default).lower() if isinstance(field.default, bool) else field.default
        default = f"`{shown}`" if shown != "" else "required"
        assert cells[1:3] == [default, ", ".join(readers)]
