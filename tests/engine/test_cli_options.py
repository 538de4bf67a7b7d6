"""Options of the command line, each seen in the files that come out."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.media import vmaf
from cli.media.exits import Exit
from tests.harness import media
from tests.harness.comparison import streams
from tests.media.matrix import CLIPS

pytestmark = pytest.mark.needs_engine
FAST = ("--speed", "ultrafast")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(it) for it in arguments], prog_name="millrace")


def made(command: str, *arguments: str | Path) -> list[dict[str, Any]]:
    """The events of a command that succeeds."""
    result = run(command, *arguments, "--json")
    assert result.exit_code == Exit.DONE, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def film() -> Path:
    return media.clip("cli-film.mp4", 2, "320x180")


def chaptered(folder: Path) -> Path:
    """`media.everything`, with chapters and a title."""
    about = folder / "about.txt"
    about.write_text(
        ";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=40\ntitle=One\n"
    )
    target = folder / "chaptered.mkv"
    command = ["ffmpeg", "-v", "error", "-i", str(media.everything()), "-i", str(about)]
    subprocess.run([*command, "-map", "0", "-map_metadata", "1", "-c", "copy", target], check=True)
    return target


@pytest.mark.parametrize(
    ("choice", "transfer", "pixels"),
    [("keep", "smpte2084", "yuv420p10le"), ("tonemap", "bt709", "yuv420p")],
)
def test_hdr_is_kept_or_mapped_when_asked_for(
    choice: str, transfer: str, pixels: str, tmp_path: Path
) -> None:
    target = tmp_path / "a.mp4"
    made("transcode", CLIPS["hdr10.mp4"].path, target, "--codec", "hevc", "--hdr", choice, *FAST)
    (picture,) = media.ffprobe(target, "-show_streams")["streams"]
    assert (picture["codec_name"], picture["color_transfer"]) == ("hevc", transfer)
    assert picture["pix_fmt"].startswith(pixels)


@pytest.mark.parametrize(
    ("options", "sounds", "texts"),
    [
        (("--audio", "eng"), [6], 3),
        (("--audio", "2", "--subtitles", "none"), [1], 0),
        (("--subtitles", "1,3"), [6, 1], 2),
        (("--audio", "none", "--subtitles", "eng"), [], 2),
    ],
)
def test_tracks_are_those_asked_for_when_some_are(
    options: tuple[str, ...], sounds: list[int], texts: int, tmp_path: Path
) -> None:
    target = tmp_path / "a.mkv"
    made("transcode", media.everything(), target, *options)
    found = media.ffprobe(target, "-show_streams")
    assert [sound["channels"] for sound in streams(found, "audio")] == sounds
    assert len(streams(found, "subtitle")) == texts


@pytest.mark.parametrize(
    ("options", "title", "chapters"),
    [((), "A film", 1), (("--no-metadata",), None, 1), (("--no-chapters",), "A film", 0)],
)
def test_titles_and_chapters_are_left_out_when_asked_for(
    options: tuple[str, ...], title: str | None, chapters: int, tmp_path: Path
) -> None:
    target = tmp_path / "a.mp4"
    made("transcode", chaptered(tmp_path), target, *options, "--subtitles", "none")
    found = media.ffprobe(target, "-show_format", "-show_chapters")
    assert found["format"]["tags"].get("title") == title
    assert len(found["chapters"]) == chapters


def test_file_is_replaced_when_it_is_there_and_that_is_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "a.mkv"
    target.write_text("something else")
    assert run("transcode", film(), target).exit_code == Exit.USAGE
    made("transcode", film(), target, "--skip-existing")
    assert target.read_text() == "something else"
    made("transcode", film(), target, "--overwrite")
    assert len(media.ffprobe(target, "-show_streams")["streams"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


def test_nothing_is_said_when_it_works_quietly(tmp_path: Path) -> None:
    result = run("transcode", film(), tmp_path / "a.mkv", "-q")
    assert (result.exit_code, result.output) == (Exit.DONE, "")
    result = run("transcode", film(), tmp_path / "a.mkv", "-q")
    assert result.stderr.startswith("✗ ")


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_finished_file_has_the_quality_when_one_is_asked_for(codec: str, tmp_path: Path) -> None:
    """Measured by an ffmpeg, picture by picture."""
    target, wanted = tmp_path / "a.mkv", 90.0
    made("transcode", film(), target, "--codec", codec, "--target-vmaf", f"{wanted:g}", *FAST)
    (picture, _) = media.ffprobe(target, "-show_streams")["streams"]
    assert picture["codec_name"] == codec
    program = vmaf.program()
    assert program is not None
    graph = "[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N[b];[a][b]libvmaf"
    command = [program, "-nostdin", "-i", str(target), "-i", str(film()), "-lavfi", graph]
    done = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True)
    score = re.search(r"VMAF score: (\S+)", done.stderr)
    assert score is not None
    assert wanted - 1 <= float(score[1]) <= wanted + 5


def test_ladder_is_of_av1_when_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "film"
    made("ladder", film(), folder, "--hls", "--ladder", "av1", *FAST, "--no-pictures")
    found = media.ffprobe(folder / "master.m3u8", "-show_streams")["streams"]
    assert {it["codec_name"] for it in found if it["codec_type"] == "video"} == {"av1"}
    assert 'CODECS="av01.' in (folder / "master.m3u8").read_text()
    assert run("verify", folder).exit_code == Exit.DONE


def test_ladder_is_fitted_when_that_is_asked_for(tmp_path: Path) -> None:
    """A test card is easy: it needs less than the ladder allows for."""
    folder, plain = tmp_path / "fitted", tmp_path / "plain"
    events = made("ladder", film(), folder, "--hls", "--per-title", *FAST, "--no-pictures")
    others = made("ladder", film(), plain, "--hls", *FAST, "--no-pictures")
    assert _renditions(events) != _renditions(others)
    assert run("verify", folder).exit_code == Exit.DONE


def _renditions(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (plan,) = [event for event in events if event["type"] == "plan"]
    found: list[dict[str, Any]] = plan["plan"]["video"]["renditions"]
    return found
