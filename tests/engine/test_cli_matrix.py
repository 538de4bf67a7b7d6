"""Every kind of file that users have, through `millrace transcode` with no option at all.

What the engine makes of a job is measured in `test_conversion_matrix`; here it is the command that
decides. Its medium quality is compared less strictly; what it copies has to be the very same.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.media.exits import Exit
from tests.engine.test_conversion_matrix import CASES, Case, check_pictures, check_sound
from tests.harness import media
from tests.harness.comparison import compare, facts, streams
from tests.harness.conversion import cues
from tests.media import conversions

pytestmark = pytest.mark.needs_engine
_HEAVY = {"sintel.mov", "sintel.mkv", "eleven-hours.mp4", "240-fps.mp4", "cars.mp4", "city.mpg"}
_WITHOUT_PICTURES = {"audio-only.m4a"}
_LEAST_DB, _LEAST_SSIM = 24, 0.93
_COPY_DB = 60
"""Less than infinite: of ProRes 4444 ffmpeg decodes 12 bits from one container, 10 from another."""
_DEFAULTS = [
    pytest.param(name, marks=[pytest.mark.exhaustive] if name in _HEAVY else [])
    for name in CASES
    if name not in _WITHOUT_PICTURES
]


def transcoded(source: Path, target: Path, *options: str) -> dict[str, Any]:
    """The plan of a conversion that succeeds."""
    arguments = ["transcode", str(source), str(target), "--json", *options]
    result = CliRunner().invoke(main, arguments, prog_name="millrace")
    assert result.exit_code == Exit.DONE, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    (plan,) = [event for event in events if event["type"] == "plan"]
    job: dict[str, Any] = plan["job"]
    return job


@pytest.mark.parametrize("name", _DEFAULTS)
def test_output_is_what_the_source_was_when_no_option_is_given(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    source, target = conversions.path(name), tmp_path / f"out.{case.container}"
    job = transcoded(source, target)
    before, after = facts(source), facts(target)
    assert len(streams(after, "video")) == 1
    assert len(streams(after, "audio")) == len(streams(before, "audio"))
    copied = job["video"]["codec"] == "copy"
    if copied and formats(before) == formats(after):
        assert hashes(target) == hashes(source)
    decided = decision(case, copied, job)
    beside = compare([(source, before), (target, after)], tmp_path, decided.change)
    check_pictures(decided, beside)
    check_sound(decided, beside)


def decision(case: Case, copied: bool, job: dict[str, Any]) -> Case:
    """What the command chose, and how near its quality must be."""
    return replace(
        case,
        video=job["video"]["codec"] if not copied else "the same, by its hashes",
        audio=job["audio"][0]["codec"] if job["audio"] else None,
        change="null" if copied else case.change,
        least_db=_COPY_DB if copied else _LEAST_DB,
        least_ssim=_LEAST_SSIM,
    )


def formats(about: dict[str, Any]) -> list[str]:
    return [each["pix_fmt"] for each in streams(about, "video")]


def hashes(path: Path) -> list[str]:
    """Of the decoded pictures."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:V:0"]
    options = ["-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "framehash", "-"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    return [line.split(",")[-1] for line in done.stdout.splitlines() if line[:1] != "#"]


@pytest.mark.parametrize("container", ["mkv", "mp4", "webm"])
def test_every_track_is_kept_when_there_are_many(container: str, tmp_path: Path) -> None:
    target = tmp_path / f"out.{container}"
    options = ["--scale", "90p", "--speed", "ultrafast"] if container == "webm" else []
    transcoded(media.everything(), target, *options)
    about = media.ffprobe(target, "-show_streams")
    sounds = streams(about, "audio")
    assert [sound["channels"] for sound in sounds] == [6, 1]
    named = [sound["tags"]["language"] for sound in sounds]
    assert named in (["eng", "deu"], ["eng", "ger"])
    assert len(streams(about, "subtitle")) == 3
    for index in range(3):
        texts, times_s = shown(media.everything(), index)
        made, made_s = shown(target, index)
        assert made == texts
        assert made_s == pytest.approx(times_s, abs=0.01)


def shown(path: Path, index: int) -> tuple[list[str], list[float]]:
    """A subtitle track's lines without mark-up, and when each cue begins and ends, in seconds since
    the first picture."""
    picture = streams(media.ffprobe(path, "-show_streams"), "video")[0]
    lines = [line for line in cues(path, index).splitlines() if line and not line.isdigit()]
    times = [time for line in lines if "-->" in line for time in line.split(" --> ")]
    texts = [re.sub(r"<[^>]*>|\{[^}]*\}", "", line) for line in lines if "-->" not in line]
    begin_s = float(picture["start_time"])
    return texts, [_seconds(time) - begin_s for time in times]


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_three_sounds_are_three_when_no_option_is_given(tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    transcoded(conversions.path("three-sounds.mp4"), target)
    found = facts(target)
    assert len(streams(found, "audio")) == 3
    for index in range(3):
        (tone,) = tones_hz(target, index, 1)
        assert tone == pytest.approx(440, abs=3)


@pytest.mark.parametrize(
    ("container", "options"), [("mp4", ("--audio-codec", "aac")), ("webm", ()), ("mkv", ())]
)
def test_every_channel_is_where_it_was_when_sound_is_surround(
    container: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    source, target = conversions.path("surround.mkv"), tmp_path / f"out.{container}"
    transcoded(source, target, *options)
    expected = tones_hz(source, 0, 6)
    assert expected == pytest.approx([440, 400, 500, 60, 700, 800], abs=3)
    assert tones_hz(target, 0, 6) == pytest.approx(expected, abs=3)
    assert levels(target, 6) == pytest.approx(levels(source, 6), rel=0.15)


def heard(path: Path, index: int, channels: int) -> npt.NDArray[np.float32]:
    """Samples at 48 kHz, a column a channel."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", f"0:a:{index}"]
    raw = [*command, "-ar", "48000", "-ac", str(channels), "-f", "f32le", "-"]
    done = subprocess.run(raw, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.float32).reshape(-1, channels)


def tones_hz(path: Path, index: int, channels: int) -> list[float]:
    """The loudest of each channel."""
    samples = heard(path, index, channels)
    spectrum = np.abs(np.fft.rfft(samples, axis=0))
    steps = np.fft.rfftfreq(len(samples), 1 / 48_000)
    return [float(steps[at]) for at in spectrum.argmax(axis=0)]


def levels(path: Path, channels: int) -> list[float]:
    """How loud each channel is, in the middle."""
    samples = heard(path, 0, channels)
    quarter = len(samples) // 4
    middle = samples[quarter:-quarter].astype(np.float64)
    return [float(level) for level in np.sqrt((middle**2).mean(axis=0))]
