"""`millrace transcode` told what cannot be: it says so in words, and never calls it its own fault;
told nothing, it takes the way that works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.media.exits import Exit
from tests.harness import media

pytestmark = pytest.mark.needs_engine
SMALL = "320x180"


def transcode(*arguments: str | Path) -> Result:
    words = ["transcode", *map(str, arguments)]
    return CliRunner().invoke(main, words, prog_name="millrace")


def film() -> Path:
    return media.clip("wishes-film.mp4", 2, SMALL)


def hdr() -> Path:
    colours = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=error"
    codec = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le")
    return media.clip("wishes-hdr.mkv", 0.4, SMALL, *codec, "-x265-params", colours, "-an")


def turned() -> Path:
    arguments = ["-i", str(film()), "-c", "copy", "-metadata:s:v", "rotate=270"]
    return media.ffmpeg("wishes-turned.mp4", *arguments)


def reordered(name: str) -> Path:
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-c:a", "mp3")
    return media.clip(name, 1, SMALL, *codec)


@pytest.mark.parametrize(
    ("name", "options", "problem", "advice"),
    [
        ("a.mp4", "--audio-bitrate 4k", "'4k' is not a rate of 6 kb/s to 2.00 Mb/s", ""),
        ("a.mp4", "--bitrate 500", "'500' is not a rate of 1 kb/s to 1000.00 Mb/s", ""),
        ("a.mp4", "--crop 1:1:0:0", "--crop leaves 1×1, which cannot be coded", "16 at least"),
        ("a.webm", "--audio-codec aac", "webm does not take aac", "leave out --audio-codec"),
        (
            "a.mkv",
            "--crf 40 --audio-codec copy --start 1.015 --end 1.02",
            "nothing of stream 1 lies between start_s and end_s",
            "choose a longer part, or encode it",
        ),
    ],
)
def test_words_say_what_cannot_be_when_it_is_asked_for(
    name: str, options: str, problem: str, advice: str, tmp_path: Path
) -> None:
    result = transcode(film(), tmp_path / name, *options.split())
    assert result.exit_code == Exit.USAGE, result.output
    assert problem in result.stderr
    assert advice in result.stderr
    assert "fault" not in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("--codec h264 --hdr keep", "8 bits here, which cannot keep HDR"),
        ("--crf 20 --hdr keep", "8 bits here, which cannot keep HDR"),
        ("--codec copy --hdr tonemap", "Copied pictures keep their HDR"),
    ],
)
def test_hdr_is_not_promised_when_it_cannot_be_had(
    options: str, problem: str, tmp_path: Path
) -> None:
    result = transcode(hdr(), tmp_path / "a.mp4", *options.split())
    assert result.exit_code == Exit.USAGE, result.output
    assert problem in result.stderr


@pytest.mark.parametrize("letter", [":", "="])
def test_folder_is_named_when_two_passes_cannot_note_in_it(
    letter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / f"a{letter}b"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    result = transcode(film(), tmp_path / "a.mp4", "--bitrate", "100k", "--two-pass")
    assert result.exit_code == Exit.USAGE
    assert f"{scratch}: The folder for temporary files" in result.stderr
    assert "set TMPDIR to another folder" in result.stderr
    # One pass notes nothing.
    assert transcode(film(), tmp_path / "a.mkv").exit_code == Exit.DONE


def test_rotation_survives_when_copied_to_mp4(tmp_path: Path) -> None:
    result = transcode(turned(), tmp_path / "a.mp4", "--codec", "copy")
    assert result.exit_code == Exit.DONE, result.output
    before, after = (
        media.ffprobe(path, "-show_streams", "-select_streams", "v")["streams"][0]
        for path in (turned(), tmp_path / "a.mp4")
    )
    assert after["codec_name"] == before["codec_name"]
    assert after["side_data_list"][0]["rotation"] == before["side_data_list"][0]["rotation"]
    assert abs(after["side_data_list"][0]["rotation"]) == 90


def test_copy_is_refused_when_the_rotation_would_be_lost(tmp_path: Path) -> None:
    result = transcode(turned(), tmp_path / "a.mkv", "--codec", "copy")
    assert result.exit_code == Exit.USAGE
    assert "turned by 90°, which is lost in a copy to mkv" in result.stderr
    assert "write to .mp4, or leave out --codec copy" in result.stderr


@pytest.mark.parametrize("name", ["wishes-reordered.avi", "wishes-reordered.mkv"])
def test_pictures_are_encoded_when_their_container_has_no_exact_times(
    name: str, tmp_path: Path
) -> None:
    target = tmp_path / "a.mp4"
    result = transcode(reordered(name), target, "--json")
    assert result.exit_code == Exit.DONE, result.output
    (plan,) = [
        it for line in result.stdout.splitlines() if (it := json.loads(line))["type"] == "plan"
    ]
    assert plan["job"]["video"]["codec"] == ("h264" if name.endswith("avi") else "copy")
    made = media.ffprobe(target, "-count_frames", "-show_streams", "-select_streams", "v")
    assert int(made["streams"][0]["nb_read_frames"]) == 25


def test_copy_of_an_avi_is_refused_when_its_pictures_are_reordered(tmp_path: Path) -> None:
    avi = reordered("wishes-reordered.avi")
    result = transcode(avi, tmp_path / "a.mp4", "--codec", "copy")
    assert result.exit_code == Exit.USAGE
    assert "An AVI does not tell when its pictures are shown" in result.stderr
