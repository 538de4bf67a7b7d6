"""The local commands that look and tell: they start fast, and their words are right."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import CLOUD, LOCAL, main
from cli.media.exits import MEANINGS, Exit
from cli.media.failures import from_os
from tests.harness import media
from tests.media.matrix import CLIPS

SLOW_OR_FOREIGN = ("boto3", "botocore", "pynamodb", "aws_lambda_powertools", "localstack_client")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="millrace")


@pytest.mark.parametrize("name", LOCAL)
def test_nothing_of_aws_is_read_when_a_local_command_is(name: str) -> None:
    read = f"import {LOCAL[name].module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, check=True)
    packages = {module.partition(".")[0] for module in done.stdout.split()}
    assert not packages & set(SLOW_OR_FOREIGN)


def test_help_lists_every_command_when_asked_for() -> None:
    text = run("--help").output
    for name in [*LOCAL, *CLOUD]:
        assert f"  {name} " in text


@pytest.mark.parametrize("name", LOCAL)
def test_help_page_has_examples_when_a_command_is_asked(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"millrace {name}" in result.output
    assert "Examples:" in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_the_command_when_printed(shell: str) -> None:
    script = run("completion", shell).output
    assert "millrace" in script
    assert f"_COMPLETE={shell}_complete" in script


def test_completion_answers_when_a_shell_asks() -> None:
    asked = {"_MILLRACE_COMPLETE": "bash_complete", "COMP_WORDS": "millrace pr", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "from cli.__main__ import run; run()"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **asked},
    )
    assert set(done.stdout.split()) >= {"plain,probe", "plain,presets"}


def test_every_exit_code_has_a_meaning_when_documented() -> None:
    assert set(MEANINGS) == set(Exit)


@pytest.mark.parametrize(
    ("number", "reason", "advice"),
    [(28, "NO_SPACE", "space"), (13, "NOT_PERMITTED", "folder"), (2, "MISSING", "path")],
)
def test_system_error_becomes_advice_when_told(number: int, reason: str, advice: str) -> None:
    failure = from_os(OSError(number, os.strerror(number)), "film.mp4")
    assert failure.reason == reason
    assert advice in failure.advice
    assert failure.sentence.startswith("film.mp4: ")
    assert failure.exit is Exit.IO


def subtitled() -> Path:
    """With chapters, titles, languages, subtitles of three kinds and dispositions."""
    about = media.written(
        "chapters.txt",
        b";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=40\ntitle=One\n"
        b"[CHAPTER]\nTIMEBASE=1/10\nSTART=40\nEND=90\n",
    )
    words = ["-i", str(media.everything()), "-i", str(about), "-map", "0", "-map_metadata", "1"]
    title = ["-metadata:s:a:1", "title=Der Ton", "-disposition:a:1", "default+hearing_impaired"]
    return media.ffmpeg("subtitled.mkv", *words, "-c", "copy", *title)


SOURCES: dict[str, Callable[[], Path]] = {
    "bunny": lambda: media.BUNNY,
    "sintel": lambda: media.SINTEL,
    "subtitled": subtitled,
    "hdr": lambda: CLIPS["hdr10.mp4"].path,
    "dolby vision": lambda: CLIPS["dolby-vision-8.mp4"].path,
    "rotated": lambda: CLIPS["rotated-90.mp4"].path,
    "cover": lambda: CLIPS["cover-and-film.mp4"].path,
}


@pytest.mark.needs_engine
@pytest.mark.parametrize("name", SOURCES)
def test_probe_agrees_with_ffprobe_when_both_have_a_name_for_it(name: str) -> None:
    film = SOURCES[name]()
    theirs = media.ffprobe(film, "-show_streams", "-show_format", "-show_chapters")
    ours = json.loads(run("probe", "--json", film).output)
    pairs = [*zip(ours["streams"], theirs["streams"], strict=True)]
    for mine, its in pairs:
        assert mine["disposition"] == its["disposition"]
        assert mine.get("tags", {}) == _named(its)
        _check_side_data(mine, its)
    pairs.append((ours["format"], theirs["format"]))
    compared = 0
    for mine, its in pairs:
        for member in (mine.keys() & its.keys()) - {"disposition", "tags", "side_data_list"}:
            where = f"{member}: {mine[member]}, ffprobe: {its[member]}"
            assert _close(mine[member], its[member]), where
            compared += 1
    assert compared > 25
    for mine, its in zip(ours["chapters"], theirs["chapters"], strict=True):
        assert _close(mine["start_time"], its["start_time"])
        assert _close(mine["end_time"], its["end_time"])
        assert mine.get("tags", {}) == _named(its)


def _named(its: dict[str, Any]) -> dict[str, str]:
    """Of ffprobe's tags what says something of the film."""
    found: dict[str, str] = its.get("tags", {})
    return {
        name: value
        for name, value in found.items()
        if name in ("language", "title") and value != "und"
    }


def _check_side_data(mine: dict[str, Any], its: dict[str, Any]) -> None:
    """All that ffprobe tells of a stream, but for what only it has."""
    ours = {each["side_data_type"]: each for each in mine.get("side_data_list", [])}
    for each in its.get("side_data_list", []):
        only_its = {"displaymatrix", "dv_version_major", "dv_version_minor"}
        told = {name: value for name, value in each.items() if name not in only_its}
        assert ours[each["side_data_type"]] == told


@pytest.mark.needs_engine
def test_mastering_is_told_as_ffprobe_tells_it_when_pictures_are_hdr() -> None:
    """It finds it in the first picture."""
    film = CLIPS["hdr10.mp4"].path
    (picture,) = media.ffprobe(film, "-show_frames", "-read_intervals", "%+#1")["frames"]
    (stream,) = json.loads(run("probe", "--json", film).output)["streams"]
    kinds = ("Mastering display metadata", "Content light level metadata")
    theirs = [it for it in picture["side_data_list"] if it["side_data_type"] in kinds]
    assert len(theirs) == 2
    assert stream["side_data_list"] == theirs


def _close(mine: Any, its: Any) -> bool:
    """Rates are measured differently by a per mille or two."""
    try:
        return float(mine) == pytest.approx(float(its), rel=0.002, abs=0.001)
    except (TypeError, ValueError):
        return bool(mine == its)


@pytest.mark.needs_engine
def test_probe_goes_on_and_tells_each_when_files_are_bad(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video at all, but a text\n" * 50)
    result = run("probe", tmp_path / "missing.mp4", text, media.BUNNY)
    assert result.exit_code == Exit.IO
    assert "missing.mp4: No such file" in result.stderr
    assert "notes.mp4: This is a text file, not a video." in result.stderr
    assert "1280×720, 25 fps" in result.stdout


def test_failure_is_an_event_when_json_is_asked_for(tmp_path: Path) -> None:
    result = run("probe", "--json", tmp_path / "missing.mp4")
    event = json.loads(result.stdout)
    assert (event["type"], event["reason"], event["exit_code"]) == ("error", "MISSING", Exit.IO)
    assert result.stderr == ""


def test_reference_is_up_to_date_when_compared_with_the_commands() -> None:
    made = runpy.run_path(str(media.REPOSITORY / "docs" / "cli_page.py"))["text"]()
    page = media.REPOSITORY / "docs" / "reference" / "cli.md"
    assert made == page.read_text(), "run python docs/cli_page.py"


def test_man_page_is_up_to_date_when_compared_with_the_commands() -> None:
    made = runpy.run_path(str(media.REPOSITORY / "docs" / "man_page.py"))["text"]()
    page = media.REPOSITORY / "docs" / "man" / "millrace.1"
    assert made == page.read_text(), "run python docs/man_page.py"
    macros = {line.split()[0] for line in made.splitlines() if line[:1] in (".", "'")}
    assert macros == {*('.\\"', ".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".BR", ".EX", ".EE")}


def test_version_is_that_of_the_package_when_asked() -> None:
    project = tomllib.loads((media.REPOSITORY / "pyproject.toml").read_text())["project"]
    assert run("--version").output.strip() == project["version"]
