"""`millrace transcode` and `batch` on the real engine: what comes out, and what never does."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.media import queue, vmaf
from cli.media.exits import Exit
from tests.harness import media

pytestmark = pytest.mark.needs_engine
SMALL = "320x180"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(it) for it in arguments], prog_name="millrace")


def transcode(*arguments: str | Path) -> list[dict[str, Any]]:
    """The events of a conversion that succeeds."""
    result = run("transcode", "--json", *arguments)
    assert result.exit_code == Exit.DONE, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def film() -> Path:
    return media.clip("cli-film.mp4", 2, SMALL)


def streams(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = media.ffprobe(path, "-count_frames", "-show_streams")["streams"]
    return found


def frames(path: Path) -> list[str]:
    """Hashes of the decoded pictures."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v", "-f"]
    done = subprocess.run([*command, "framehash", "-"], capture_output=True, text=True, check=True)
    return [line.split(",")[-1] for line in done.stdout.splitlines() if line[:1] != "#"]


def test_pictures_are_the_very_same_when_nothing_needs_changing(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "film.mkv"
    events = transcode(film(), target)
    assert events[-1]["all_copied"] is True
    assert frames(target) == frames(film())
    assert [it["codec_name"] for it in streams(target)] == ["h264", "aac"]
    assert [path.name for path in target.parent.iterdir()] == ["film.mkv"]


def test_part_is_smaller_and_slower_when_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "part.mp4"
    options = ["--start", "0.5", "--end", "1.5", "--scale", "90p", "--fps", "12.5"]
    transcode(film(), target, *options, "--quality", "low", "--channels", "2")
    picture, sound = streams(target)
    assert (picture["width"], picture["height"]) == (160, 90)
    assert int(picture["nb_read_frames"]) == pytest.approx(12.5, abs=1)
    assert (sound["codec_name"], sound["channels"]) == ("aac", 2)
    assert float(sound["duration"]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.webm", ["--quality", "low"], ["vp9", "opus"]),
        ("a.mkv", ["--codec", "av1", "--speed", "ultrafast", "--audio", "none"], ["av1"]),
        ("a.mp4", ["--codec", "hevc", "--speed", "ultrafast"], ["hevc", "aac"]),
    ],
)
def test_codecs_are_those_asked_for_when_encoded(
    name: str, options: Sequence[str], expected: Sequence[str], tmp_path: Path
) -> None:
    transcode(film(), tmp_path / name, *options)
    assert [it["codec_name"] for it in streams(tmp_path / name)] == expected
    assert int(streams(tmp_path / name)[0]["nb_read_frames"]) == 50


def test_file_is_not_larger_when_a_size_is_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "small.mp4"
    transcode(film(), target, "--size", "80kB", "--speed", "ultrafast")
    assert 0.7 * 80_000 < target.stat().st_size <= 80_000


def test_setting_is_found_by_samples_when_a_quality_is_asked_for(tmp_path: Path) -> None:
    options = ["--target-vmaf", "90", "--codec", "h264", "--speed", "ultrafast"]
    events = transcode(film(), tmp_path / "a.mkv", *options)
    trials = [event for event in events if event["type"] == "trial"]
    (plan,) = [event for event in events if event["type"] == "plan"]
    assert 1 <= len(trials) <= vmaf.MOST_TRIALS
    chosen = plan["job"]["video"]["rate"]["crf"]
    assert {trial["crf"]: trial["vmaf"] for trial in trials}[chosen] >= 90 - vmaf.NEAR


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cli", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)]
)
def test_nothing_is_left_when_stopped_in_the_middle(
    number: signal.Signals, code: Exit, tmp_path: Path
) -> None:
    running = start("transcode", media.SINTEL, tmp_path / "a.mp4", "--json", "--crf", "20")
    assert running.stdout is not None
    while '"progress"' not in (line := running.stdout.readline()):
        assert line, "it ended by itself"
    running.send_signal(number)
    last, _ = running.communicate(timeout=30)
    assert running.returncode == code
    assert json.loads(last.splitlines()[-1])["reason"] == code.name
    assert not list(tmp_path.iterdir())


def test_output_is_refused_when_its_folder_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    result = run("transcode", film(), tmp_path / "file" / "a.mp4")
    assert result.exit_code == Exit.IO
    assert "Try:" in result.stderr


def test_failure_names_the_disk_when_it_is_full(tmp_path: Path) -> None:
    script = f'mount -t tmpfs -o size=60k none {tmp_path} && exec "$@"'
    mounting = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    target = tmp_path / "a.mp4"
    command = [sys.executable, "-m", "cli", "transcode", str(film()), str(target), "--json"]
    done = subprocess.run(
        [*mounting, "sh", "-c", script, "sh", *command], capture_output=True, text=True, check=False
    )
    error = json.loads(done.stdout.splitlines()[-1])
    assert (error["reason"], error["file"], done.returncode) == ("NO_SPACE", str(target), Exit.IO)


def test_stream_is_named_when_nothing_here_decodes_it(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.mp4"
    foreign.write_bytes(film().read_bytes().replace(b"avc1", b"zzz9"))
    result = run("transcode", foreign, tmp_path / "a.mkv")
    assert result.exit_code == Exit.UNSUPPORTED
    assert "foreign.mp4: The codec of stream 0" in result.stderr
    assert "upload" not in result.stderr
    assert "Try: export it again in another codec" in result.stderr


def test_place_of_damage_is_told_when_some_is_found(tmp_path: Path) -> None:
    content = bytearray(media.BUNNY.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8000] = random.Random(1).randbytes(8000)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    options = ["--speed", "ultrafast", "--scale", "90p", "--audio-codec", "opus"]
    events = transcode(damaged, tmp_path / "a.mkv", *options)
    warnings = [event for event in events if event["type"] == "warning"]
    assert {it["code"] for it in warnings} == {"DAMAGED_PICTURES", "DAMAGED_SOUND"}
    assert all(1.5 < it["time_s"] < 3 for it in warnings)
    assert all(it["message"].startswith(f"stream {it['stream']}, at 0:0") for it in warnings)
    result = run("transcode", media.truncated(damaged, 0.4), tmp_path / "b.mkv")
    assert result.exit_code == Exit.CORRUPT
    assert "Try: get a complete copy" in result.stderr


def test_tags_are_carried_over_when_the_codec_changes(tmp_path: Path) -> None:
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(
        ";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=10\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/10\nSTART=10\nEND=20\ntitle=Two\n"
    )
    source = tmp_path / "source.mkv"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(film()),
        "-i",
        str(chapters),
        "-map_metadata",
        "1",
    ]
    colours = ["-bsf:v", "h264_metadata=colour_primaries=6:transfer_characteristics=6"]
    shape = ["-c", "copy", *colours, "-aspect", "2:1", "-metadata:s:a", "language=fra"]
    subprocess.run([*command, *shape, str(source)], check=True)
    transcode(source, tmp_path / "a.mp4", "--codec", "hevc", "--speed", "ultrafast")
    told = media.ffprobe(tmp_path / "a.mp4", "-show_streams", "-show_format", "-show_chapters")
    picture, sound, *_ = told["streams"]
    assert (picture["codec_name"], picture["display_aspect_ratio"]) == ("hevc", "2:1")
    assert (picture["color_primaries"], picture["color_transfer"]) == ("smpte170m", "smpte170m")
    assert sound["tags"]["language"] == "fra"
    assert told["format"]["tags"]["title"] == "A film"
    assert [it["tags"]["title"] for it in told["chapters"]] == ["One", "Two"]


def test_batch_converts_all_it_can_and_once_when_run_twice(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    (source / "sub").mkdir(parents=True)
    (source / "a.mp4").write_bytes(film().read_bytes())
    (source / "sub" / "b.mp4").write_bytes(film().read_bytes())
    (source / "bad.mkv").write_bytes(os.urandom(9000))
    arguments: list[str | Path] = [
        "batch",
        source,
        "-o",
        output,
        "--to",
        "mkv",
        "--jobs",
        "2",
        "--json",
    ]
    for expected in (3, 0):
        result = run(*arguments)
        assert result.exit_code == Exit.FOUND
        events = [json.loads(line) for line in result.stdout.splitlines()]
        assert sum(event["type"] == "job" for event in events) == expected
        assert (events[-1]["done"], events[-1]["failed"]) == (2, 1)
    assert frames(output / "sub" / "b.mkv") == frames(film())


def test_batch_goes_on_when_it_was_killed(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    long = media.clip("bar.mkv", 10, "640x360")
    (source / "a.mkv").write_bytes(long.read_bytes())
    arguments: list[str | Path] = [
        "batch",
        source,
        "-o",
        output,
        "--options",
        "--quality low --scale 90p",
        "--json",
    ]
    running = start(*arguments)
    while not list(output.glob(".a.*.part.mp4")):
        assert running.poll() is None, "it ended by itself"
    running.kill()
    running.communicate()
    base = sqlite3.connect(output / queue.NAME)
    assert base.execute("SELECT state FROM jobs").fetchall() == [("running",)]
    base.close()
    assert run(*arguments).exit_code == Exit.DONE
    assert int(streams(output / "a.mp4")[0]["nb_read_frames"]) == 250


def test_ladder_is_files_when_no_package_is_asked_for(tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    rungs = [{"name": f"{side}p", "short_side": side, "maxrate_bps": 300_000} for side in (180, 90)]
    own.write_text(json.dumps({"rungs": rungs}))
    options: list[str | Path] = ["--ladder", own, "--speed", "ultrafast"]
    assert run("ladder", film(), tmp_path / "out", *options).exit_code == Exit.DONE
    made = {path.name: streams(path)[0]["height"] for path in (tmp_path / "out").iterdir()}
    assert made == {"cli-film-180p.mp4": 180, "cli-film-90p.mp4": 90}
