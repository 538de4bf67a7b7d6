"""Forecasts that neither jump nor lie, and what is printed of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from cli.media.progress import Forecast, Now, Progress, Stage, _fitting
from cli.media.voice import Voice


def forecasts(
    speed: Callable[[float], float], step_s: float = 0.5
) -> Iterator[tuple[float, float | None]]:
    """Times and time left as told, of a work that is done at `speed(time)` of it a second."""
    forecast, now_s, fraction = Forecast(), 0.0, 0.0
    while fraction < 1:
        forecast.update(fraction, now_s)
        yield now_s, forecast.left_s
        now_s += step_s
        fraction += speed(now_s) * step_s


def test_forecast_is_true_when_the_speed_is_steady() -> None:
    told = [(now_s, left_s) for now_s, left_s in forecasts(lambda _: 0.01) if left_s is not None]
    assert told[0][0] <= 2
    assert all(now_s + left_s == pytest.approx(100, rel=0.02) for now_s, left_s in told)


def test_forecast_does_not_jump_when_scenes_are_hard_by_turns() -> None:
    chance = random.Random(7)
    told = [
        (now_s, left_s)
        for now_s, left_s in forecasts(lambda _: 0.01 * chance.choice((0.4, 1, 1.6)))
        if left_s is not None and now_s > 10
    ]
    ends = [now_s + left_s for now_s, left_s in told]
    end_s = told[-1][0]
    assert all(abs(end - end_s) < 0.3 * end_s for end in ends)
    steps = [abs(one - other) for one, other in pairwise(ends)]
    assert max(steps) < 0.1 * end_s


def test_forecast_follows_when_the_second_half_is_twice_as_hard() -> None:
    told = dict(forecasts(lambda now_s: 0.01 if now_s < 50 else 0.005))
    left_s = told[90.0]
    assert left_s == pytest.approx(60, rel=0.2)


def test_forecast_says_nothing_when_nothing_has_moved() -> None:
    forecast = Forecast()
    for now_s in range(20):
        forecast.update(0.0, float(now_s))
    assert forecast.left_s is None


def lines(fractions: list[float | None], **more: float) -> list[dict[str, object]]:
    return [{"type": "progress", "fraction": each, **more} for each in fractions]


def test_every_tenth_is_a_line_when_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress(Voice(), "some/film.mp4") as progress:
        for line in lines([n / 200 for n in range(201)], frames=7, fps=25, speed=1.5, bytes=2000):
            progress.line(line)
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in told] == [f"{n * 10}%," for n in range(1, 11)]
    assert told[0].startswith("  film.mp4: 10%, frame 7, 25 fps, 1.5×, 2.0 kB")


def test_stages_share_the_bar_when_there_are_two(capsys: pytest.CaptureFixture[str]) -> None:
    stages = (Stage("pass 1", 1), Stage("pass 2", 3))
    with Progress(Voice(as_json=True), "film.mp4", stages) as progress:
        progress.line(lines([0.5])[0])
        progress.stage("pass 2")
        progress.line(lines([0.5])[0])
    told = capsys.readouterr().out
    assert '"stage": "pass 1", "fraction": 0.125' in told
    assert '"stage": "pass 2", "fraction": 0.625' in told


def test_pictures_weigh_twice_as_much_as_time_when_they_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress(Voice(as_json=True), "film.mp4", pictures=200) as progress:
        progress.line(lines([0.4], frames=50)[0])
    assert '"fraction": 0.3,' in capsys.readouterr().out


def test_nothing_is_promised_when_the_length_is_unknown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress(Voice(as_json=True), "film.ts") as progress:
        progress.line(lines([None], frames=10)[0])
    told = capsys.readouterr().out
    assert '"fraction": null, "eta_s": null, "frames": 10' in told


def test_parts_are_left_out_when_a_line_is_short() -> None:
    parts = ["frame 82", "30 fps", "1.3×"]
    assert _fitting(parts, 16) == "frame 82, 30 fps"
    assert _fitting(parts, 22) == "frame 82, 30 fps, 1.3×"
    assert _fitting(parts, -5) == ""


def test_bitrate_is_what_was_written_when_a_time_is_known() -> None:
    now = Progress(Voice(), "film.mp4")._now(
        {"type": "progress", "fraction": 0.5, "bytes": 1_000_000, "time_s": 4.0}
    )
    assert isinstance(now, Now)
    assert now.bitrate_bps == 2_000_000
