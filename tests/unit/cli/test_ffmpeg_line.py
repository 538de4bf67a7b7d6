"""What a dry run prints is what the engine does."""

from __future__ import annotations

import shlex
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cli.media.ffmpeg_line import lines
from cli.media.job import Job, Video

FILES = (Path("a.ts"), Path("b.mp4"))


def words(video: Video, **stream: Any) -> list[str]:
    (line,) = lines(FILES[0], Job("mp4", video), FILES[1], stream)
    return shlex.split(line)


@pytest.mark.parametrize(
    ("fps", "stream", "expected"),
    [
        (None, {"avg_frame_rate": {"num": 30000, "den": 1001}}, "300"),
        (Fraction(25), {"avg_frame_rate": {"num": 30000, "den": 1001}}, "250"),
        (Fraction(25), {}, "250"),
    ],
)
def test_key_frames_are_ten_seconds_apart_when_printed(
    fps: Fraction | None, stream: dict[str, Any], expected: str
) -> None:
    line = words(Video(0, "h264", crf=20.0, fps=fps), **stream)
    assert line[line.index("-g") + 1] == expected


def test_key_frames_are_left_to_ffmpeg_when_the_rate_is_not_known() -> None:
    rate = {"num": 0, "den": 0}
    assert "-g" not in words(Video(0, "h264", crf=20.0), avg_frame_rate=rate)


def test_fields_become_pictures_first_when_the_source_is_interlaced() -> None:
    video = Video(0, "h264", crf=20.0, width=640, height=360, hdr="keep")
    line = words(video, interlaced=True)
    assert line[line.index("-vf") + 1] == "bwdif=mode=send_frame,scale=640:360,setsar=1"
    assert "bwdif" not in " ".join(words(video, interlaced=False))
