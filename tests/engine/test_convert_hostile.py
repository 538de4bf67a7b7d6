"""Conversions that cannot succeed, or only in part: the reason is told and no file is left."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engine.expectations import EXPECTED
from tests.engine.test_matrix import with_noise
from tests.harness.conversion import AUDIO, command, convert, job, run
from tests.harness.media import SINTEL
from tests.harness.trial import Refused
from tests.media.matrix import CLIPS

pytestmark = pytest.mark.needs_engine

REFUSED = {name: outcome for name, outcome in EXPECTED.items() if isinstance(outcome, Refused)}


@pytest.mark.parametrize("name", REFUSED)
def test_source_is_refused_as_by_transcode_when_it_is(name: str, tmp_path: Path) -> None:
    expected = REFUSED[name]
    made = run(CLIPS[name].path, job(), tmp_path / "out.mp4", "--wall-time-s", "60")
    assert (made.exit_code, made.last["reason"]) == (expected.exit_code, expected.code)
    assert made.last["message"].endswith(".")
    assert not made.path.exists()


@pytest.mark.parametrize("cut", [3, 9])
@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_source_is_refused_when_it_is_cut(kind: str, cut: int, tmp_path: Path) -> None:
    made = run(CLIPS[f"cut-{cut:02}-of-13-h264-aac.{kind}"].path, job(), tmp_path / "out.mp4")
    assert (made.exit_code, made.last["reason"]) == (3, "CORRUPT")
    assert made.last["time_s"] >= 0


def test_what_is_there_is_used_when_a_transport_stream_is_cut(tmp_path: Path) -> None:
    source = CLIPS["cut-09-of-13-h264-aac.ts"].path
    made = convert(source, job(audio=[AUDIO]), tmp_path)
    assert 10 <= made.last["video"]["frames"] < 25


def test_each_damage_is_told_with_its_time_when_the_rest_is_whole(tmp_path: Path) -> None:
    """Pictures 20 to 70, ten apart, at 25 a second."""
    made = convert(with_noise("hundred.mp4", 6, tmp_path), job(), tmp_path)
    damaged = made.warnings("DAMAGED_PICTURES")
    assert damaged[0]["time_s"] == pytest.approx(0.8, abs=0.2)
    assert len(damaged) >= 2
    assert made.last["video"]["frames"] >= 90


@pytest.mark.parametrize("name", ["size-change.ts", "pts-wrap.ts", "24-channels.mov", "1x1.mkv"])
def test_output_is_whole_when_the_source_is_odd(name: str, tmp_path: Path) -> None:
    source = CLIPS[name].path
    audio = [AUDIO] if name in ("pts-wrap.ts", "24-channels.mov") else []
    made = convert(source, job(audio=audio), tmp_path)
    expected = {"size-change.ts": 50, "pts-wrap.ts": 50, "24-channels.mov": 25, "1x1.mkv": 10}
    assert made.last["video"]["frames"] == expected[name]


USAGE: dict[str, tuple[dict[str, Any], str]] = {
    "an-unknown-key": ({"vidoe": None}, "vidoe"),
    "an-unknown-key-inside": ({"audio": [AUDIO | {"bitrate": 1}]}, "audio[0].bitrate"),
    "no-streams": ({"video": None}, "empty"),
    "a-wrong-version": ({"schema_version": 2}, "schema_version"),
    "an-end-before-the-start": ({"start_s": 2.0, "end_s": 1.0}, "end_s"),
    "a-codec-webm-has-not": ({"container": "webm"}, "h264 cannot be put into webm"),
}


@pytest.mark.parametrize("name", USAGE)
def test_job_is_refused_by_name_when_it_has(name: str, tmp_path: Path) -> None:
    changes, words = USAGE[name]
    made = run(CLIPS["h264-aac.mp4"].path, job() | changes, tmp_path / "out.mp4")
    assert made.exit_code == 2
    assert words in made.log
    assert not made.path.exists()


def test_input_stays_when_it_is_named_as_the_output(tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    source.write_bytes(CLIPS["h264-aac.mp4"].content)
    made = run(source, job(), source)
    assert made.exit_code == 2
    assert source.read_bytes() == CLIPS["h264-aac.mp4"].content


def test_exit_is_5_when_there_is_no_such_folder(tmp_path: Path) -> None:
    the_job = tmp_path / "job.json"
    the_job.write_text(json.dumps(job()))
    words = command(CLIPS["h264-aac.mp4"].path, job(), tmp_path / "made" / "out.mp4")
    words[words.index("--output") + 1] = str(tmp_path / "missing" / "out.mp4")
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    last = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, last["reason"]) == (5, "OUTPUT_FAILED")
    assert "No such file or directory" in last["message"]


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_exit_is_5_and_no_file_is_left_when_the_disk_is_full(
    container: str, tmp_path: Path
) -> None:
    """A bound on the size of files stands in for a full disk: writes fail likewise."""
    output = tmp_path / f"out.{container}"
    done = subprocess.run(
        command(CLIPS["pts-wrap.ts"].path, job(container, audio=[AUDIO]), output),
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    last = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, last["reason"]) == (5, "OUTPUT_FAILED"), done.stderr
    assert "File too large" in last["message"]
    assert not output.exists()


def test_exit_is_6_and_no_file_is_left_when_the_output_is_limited(tmp_path: Path) -> None:
    limit = ("--max-output-bytes", "20000")
    made = run(CLIPS["pts-wrap.ts"].path, job(audio=[AUDIO]), tmp_path / "out.mp4", *limit)
    assert (made.exit_code, made.last["reason"]) == (6, "LIMIT_EXCEEDED")
    assert not made.path.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_work_ends_within_a_second_and_leaves_nothing_when_it_is_stopped(
    number: signal.Signals, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    slow = job(video={"codec": "hevc", "preset": "placebo"}, audio=[AUDIO])
    words = command(SINTEL, slow, output)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["type"] == "progress"
        assert output.exists()
        process.send_signal(number)
        stopped_s = time.monotonic()
        process.wait(timeout=20)
        took_s = time.monotonic() - stopped_s
    assert process.returncode == 128 + number
    assert took_s < 1.5, "0.6 s of grace, and a busy machine"
    assert not output.exists()
