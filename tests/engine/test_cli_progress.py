"""The bar of a real conversion stands where the work is."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.harness import media

pytestmark = pytest.mark.needs_engine
SIZE = "640x360"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def processor_s(process: int) -> float | None:
    """Of the engine that a command runs; None once it has ended."""
    try:
        (child, *_) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        words = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return (int(words[11]) + int(words[12])) / TICKS_A_SECOND


def progress(source: Path, *options: str, target: Path) -> list[tuple[float, dict[str, Any]]]:
    """Events of a conversion, each with the processor time that the engine had taken.

    That is the time of a clock on a machine that does nothing else.
    """
    command = [sys.executable, "-m", "cli", "transcode", str(source), str(target), "--json"]
    running = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    told: list[tuple[float, dict[str, Any]]] = []
    for line in running.stdout:
        event = json.loads(line)
        used_s = processor_s(running.pid)
        if event["type"] == "progress" and used_s is not None:
            told.append((used_s, event))
    assert running.wait() == 0
    return told


def steady() -> Path:
    return media.clip("bar.mkv", 10, SIZE)


def varying() -> Path:
    """Six seconds at 10, then six at 30 pictures a second."""
    rates = "select=gt(t\\,6)+not(mod(n\\,3))"
    source = f"testsrc2=size={SIZE}:rate=30:duration=12,{rates}"
    arguments = ("-f", "lavfi", "-i", source, "-vsync", "vfr", "-c:v", "libx264")
    return media.ffmpeg("bar-vfr.mp4", *arguments, "-preset", "ultrafast")


def damaged() -> Path:
    content = bytearray(steady().read_bytes())
    chance = random.Random(5)
    for part in range(1, 9):
        place = len(content) * part // 9
        content[place : place + 200] = chance.randbytes(200)
    return media.written("bar-damaged.mkv", bytes(content))


@pytest.mark.parametrize(
    ("source", "options"),
    [
        (steady, ()),
        (steady, ("--start", "3", "--end", "9")),
        (varying, ()),
        (damaged, ()),
    ],
    ids=["steady", "trimmed", "varying", "damaged"],
)
def test_bar_stands_in_the_middle_when_half_the_time_is_over(
    source: Any, options: tuple[str, ...], tmp_path: Path
) -> None:
    told = progress(source(), *options, "--crf", "22", target=tmp_path / "a.mp4")
    points = [(0.0, 0.0), *((used_s, event["fraction"]) for used_s, event in told)]
    fractions = [fraction for _, fraction in points]
    assert fractions == sorted(fractions)
    half_s = points[-1][0] / fractions[-1] / 2
    (before, after) = next(pair for pair in pairwise(points) if pair[1][0] >= half_s)
    part = (half_s - before[0]) / (after[0] - before[0])
    assert 0.4 <= before[1] + part * (after[1] - before[1]) <= 0.6


def test_nothing_is_promised_when_a_file_does_not_tell_its_length(tmp_path: Path) -> None:
    source = tmp_path / "live.mkv"
    loop = ["-stream_loop", "5", "-i", str(media.BUNNY)]  # or it were done before it is told of
    command = ["ffmpeg", "-v", "error", *loop, "-c", "copy", "-f", "matroska", "-"]
    with source.open("wb") as out:
        subprocess.run(command, stdout=out, check=True)
    told = progress(source, "--speed", "ultrafast", "--scale", "240p", target=tmp_path / "a.mp4")
    assert told
    assert all(event["fraction"] is None and event["eta_s"] is None for _, event in told)
    assert told[-1][1]["frames"] > 0
