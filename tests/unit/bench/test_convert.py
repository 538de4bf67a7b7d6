"""The bench beside ffmpeg and HandBrakeCLI asks all three for the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import convert
from bench.engine import Cost
from cli.media.ffmpeg_line import lines
from cli.media.job import Job, Video


@pytest.mark.parametrize(
    ("codec", "crf", "speed"), [("h264", "22", "medium"), ("av1", "35", "fast")]
)
def test_quality_is_the_same_when_asked_of_each(codec: str, crf: str, speed: str) -> None:
    files = (Path("a.mp4"), Path("b.mp4"))
    flags = {"millrace": "--crf", "ffmpeg": "-crf", "HandBrakeCLI": "-q"}
    for name, command in convert.TOOLS.items():
        words = command(codec, *files)
        assert words[words.index(flags[name]) + 1] == crf
    ours = Job("mp4", Video(0, codec, preset=speed, crf=float(crf)))
    (said,) = lines(files[0], ours, files[1])
    preset = speed if codec == "h264" else str(convert.SVT_PRESET)
    assert f"-preset {preset} -crf {crf}" in said


def test_ratios_are_of_the_same_round_when_costs_are_told() -> None:
    own = [Cost(10, 20, 0), Cost(30, 40, 0)]
    others = [Cost(10, 10, 0), Cost(20, 40, 0)]
    assert convert._costs(own, others) == ["20.0 s (1.00 to 1.50)", "30.0 s (1.00 to 2.00)"]
