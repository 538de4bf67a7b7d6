"""Files with sound alone, and sound taken out of films."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.media.exits import Exit
from tests.harness import media

pytestmark = pytest.mark.needs_engine
SONGS = {
    "m4a": ("-c:a", "aac"),
    "mp4": ("-c:a", "aac"),
    "mka": ("-c:a", "flac"),
    "mkv": ("-c:a", "aac"),
    "webm": ("-c:a", "libopus"),
    "ogg": ("-c:a", "libvorbis"),
    "mp3": ("-c:a", "libmp3lame"),
    "wav": ("-c:a", "pcm_s16le"),
    "flac": ("-c:a", "flac"),
}
LENGTH_S = 2.0


def song(suffix: str) -> Path:
    tone = f"sine=frequency=440:sample_rate=48000:duration={LENGTH_S}"
    tags = ("-metadata", "title=A song")
    return media.ffmpeg(f"song.{suffix}", "-f", "lavfi", "-i", tone, *tags, *SONGS[suffix])


def film() -> Path:
    return media.clip("sound-film.mp4", LENGTH_S, "320x180")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), prog_name="millrace")


def told(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    found = media.ffprobe(path, "-show_streams", "-show_format")
    return found["streams"], found["format"]


def loudness(path: Path) -> float:
    """Mean volume, dB."""
    command = ["ffmpeg", "-nostdin", "-i", str(path), "-af", "volumedetect", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(said.partition("mean_volume: ")[2].split()[0])


@pytest.mark.parametrize("suffix", SONGS)
@pytest.mark.parametrize("target", ["m4a", "mkv", "webm"])
def test_song_is_whole_when_converted(suffix: str, target: str, tmp_path: Path) -> None:
    made = tmp_path / f"made.{target}"
    result = run("transcode", song(suffix), made)
    assert result.exit_code == Exit.DONE, result.output
    (stream,), about = told(made)
    assert stream["codec_type"] == "audio"
    own = told(song(suffix))[0][0]["codec_name"]
    copied = {"webm": ("opus", "vorbis"), "mka": (own,), "mkv": (own,)}
    usual = "opus" if target == "webm" else "aac"
    taken = own in copied.get(target, ("aac", "mp3", "flac", "opus"))
    assert stream["codec_name"] == (own if taken else usual)
    assert float(about["duration"]) == pytest.approx(LENGTH_S, abs=0.1)
    assert loudness(made) == pytest.approx(loudness(song(suffix)), abs=0.5)


def test_song_is_encoded_and_cut_when_asked_for(tmp_path: Path) -> None:
    made = tmp_path / "made.m4a"
    options = ["--quality", "low", "--start", "0.5", "--end", "1.5", "--channels", "2"]
    assert run("transcode", song("m4a"), made, *options).exit_code == Exit.DONE
    (stream,), about = told(made)
    assert (stream["codec_name"], stream["channels"]) == ("aac", 2)
    assert float(about["duration"]) == pytest.approx(1.0, abs=0.1)
    assert about["tags"]["title"] == "A song"
    result = run("transcode", song("m4a"), tmp_path / "b.m4a", "--quality", "low", "--json")
    assert json.loads(result.stdout.splitlines()[-1])["all_copied"] is False


@pytest.mark.parametrize("name", ["out.m4a", "out.mka"])
def test_sound_is_taken_out_of_a_film_when_the_suffix_is_of_sound(
    name: str, tmp_path: Path
) -> None:
    result = run("transcode", film(), tmp_path / name)
    assert result.exit_code == Exit.DONE, result.output
    assert "Left out: the pictures." in result.stderr
    assert [stream["codec_name"] for stream in told(tmp_path / name)[0]] == ["aac"]


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("a.mp4", ["--crf", "20"], "--crf is about pictures"),
        ("a.mp4", ["--size", "1MB"], "--size is about pictures"),
        ("a.mp4", ["--target-vmaf", "95"], "--target-vmaf is about pictures"),
        ("a.mkv", ["--codec", "copy"], "--codec is about pictures"),
        ("a.mkv", ["--scale", "720p"], "--scale is about pictures"),
        ("a.mkv", ["--audio", "none"], "Nothing is left of it"),
    ],
)
def test_options_of_pictures_are_refused_when_there_are_none(
    name: str, options: Sequence[str], problem: str, tmp_path: Path
) -> None:
    result = run("transcode", song("m4a"), tmp_path / name, *options)
    assert result.exit_code == Exit.USAGE
    assert problem in result.stderr


def test_probe_shows_the_sound_when_there_is_nothing_else() -> None:
    shown = run("probe", song("m4a"))
    assert shown.exit_code == Exit.DONE
    assert "aac LC" in shown.stdout
    ours = json.loads(run("probe", "--json", song("m4a")).stdout)
    assert [stream["codec_type"] for stream in ours["streams"]] == ["audio"]
    assert float(ours["format"]["duration"]) == pytest.approx(LENGTH_S, abs=0.1)


@pytest.mark.parametrize(
    "command", [["ladder"], ["ladder", "--hls"], ["thumbs", "-o"]], ids=" ".join
)
def test_pictures_are_missed_when_a_command_needs_them(
    command: Sequence[str], tmp_path: Path
) -> None:
    result = run(command[0], song("m4a"), *command[1:], tmp_path / "out")
    assert result.exit_code == Exit.UNSUPPORTED
    assert "video track" in result.stderr
