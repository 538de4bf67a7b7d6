"""`millrace thumbs` on the real engine: the right pictures of the right times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageChops, ImageStat

from cli.__main__ import main
from cli.media.exits import Exit
from tests.harness import media, webvtt

SAME = 5.0
"""Mean difference: of untagged pictures the colours are guessed, and a sheet has times in it."""
pytestmark = pytest.mark.needs_engine


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["thumbs", *map(str, arguments)], prog_name="millrace")


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of luma, 0 to 255."""
    shape = (160, 90)
    pair = [picture.convert("L").resize(shape) for picture in (one, other)]
    return ImageStat.Stat(ImageChops.difference(*pair)).mean[0]


def test_pictures_are_those_of_their_times_when_all_kinds_are_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    kinds = ["--at", "0:01", "--at", "4", "--sheet", "2x1", "--storyboard", "--interval", "1"]
    result = run(media.BUNNY, "-o", folder, *kinds, "--json")
    assert result.exit_code == Exit.DONE
    assert json.loads(result.stdout)["files"] == [
        *("still-01.jpg", "still-02.jpg", "sheet.jpg", "storyboard", "storyboard.vtt")
    ]
    truth = {}
    for time_s in (1, 1.328, 3.984, 4):
        frame = tmp_path / f"{time_s}.png"
        arguments = ["-ss", str(time_s), "-i", str(media.BUNNY), "-frames:v", "1"]
        truth[time_s] = Image.open(media.ffmpeg(frame.name, *arguments))
    stills = [Image.open(folder / f"still-0{number}.jpg") for number in (1, 2)]
    assert stills[0].size == (1280, 720)
    for still, time_s in zip(stills, (1, 4), strict=True):
        assert difference(still, truth[time_s]) < SAME < difference(still, truth[5 - time_s])
    sheet = Image.open(folder / "sheet.jpg")
    left = sheet.crop((8, 64, 8 + 788, 64 + 443))
    right = sheet.crop((804, 64, 804 + 788, 64 + 443))
    assert difference(left, truth[1.328]) < SAME < difference(left, truth[3.984])
    assert difference(right, truth[3.984]) < SAME
    cues = webvtt.read((folder / "storyboard.vtt").read_bytes()).cues
    assert len(cues) == 6
    assert (folder / "storyboard" / "00.jpg").exists()
    assert not list(folder.glob(".*"))


def test_nothing_is_replaced_when_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "still-01.jpg").write_text("mine")
    refused = run(media.BUNNY, "-o", tmp_path)
    assert refused.exit_code == Exit.USAGE
    assert "still-01.jpg: It is there already." in refused.stderr
    assert run(media.BUNNY, "-o", tmp_path, "--skip-existing").exit_code == Exit.DONE
    assert (tmp_path / "still-01.jpg").read_text() == "mine"
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {f"still-0{number}.jpg" for number in (1, 2, 3)}
