"""`--size`: never more than that, and never more than is of use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.media import conversion, fit
from cli.media.conversion import Conversion
from cli.media.exits import Exit
from cli.media.failures import Failure
from cli.media.job import Job, Video
from cli.media.voice import Voice
from cli.media.wishes import Wishes
from tests.harness import media

SMALL = "320x180"
MOST = 1_000_000


def sized(source: Path, target: Path, *options: str) -> Result:
    words = ["transcode", str(source), str(target), "--json", *options]
    return CliRunner().invoke(main, words, prog_name="millrace")


def plan_of(result: Result) -> dict[str, Any]:
    assert result.exit_code == Exit.DONE, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    plan: dict[str, Any] = next(event for event in events if event["type"] == "plan")
    return plan


def film() -> Path:
    return media.clip("sizes-film.mp4", 2, SMALL)


@pytest.mark.needs_engine
def test_film_is_copied_when_it_fits_already(tmp_path: Path) -> None:
    target = tmp_path / "a.mkv"
    plan = plan_of(sized(film(), target, "--size", "25MB"))
    assert plan["job"]["video"]["codec"] == "copy"
    assert target.stat().st_size == pytest.approx(film().stat().st_size, rel=0.05)


@pytest.mark.needs_engine
@pytest.mark.parametrize("options", [["--scale", "90p"], ["--end", "1"], ["--two-pass"]])
def test_file_is_no_larger_than_the_source_when_something_is_changed(
    options: Sequence[str], tmp_path: Path
) -> None:
    target = tmp_path / "a.mp4"
    plan = plan_of(sized(film(), target, "--size", "25MB", "--speed", "ultrafast", *options))
    own = media.ffprobe(film(), "-show_streams", "-select_streams", "v")["streams"][0]["bit_rate"]
    assert plan["job"]["video"]["rate"]["bitrate_bps"] == pytest.approx(int(own), rel=0.01)
    assert target.stat().st_size < 1.2 * film().stat().st_size


@pytest.mark.needs_engine
def test_failure_says_so_when_no_rate_makes_it_small_enough(tmp_path: Path) -> None:
    noise = media.ffmpeg(
        "sizes-noise.mp4",
        *("-f", "lavfi", "-i", "nullsrc=size=640x360:rate=25:duration=2,geq=random(1)*255:128:128"),
        *("-c:v", "libx264", "-preset", "ultrafast"),
    )
    result = sized(noise, tmp_path / "a.mp4", "--size", "12kB", "--speed", "ultrafast")
    assert result.exit_code == Exit.LIMIT
    error = json.loads(result.stdout.splitlines()[-1])
    assert error["reason"] == "LIMIT_EXCEEDED"
    assert "more than 12.0 kB" in error["message"]
    assert "--scale" in error["advice"]
    assert not list(tmp_path.iterdir())


class Encoder:
    """Makes files of these sizes, one after the other."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = list(sizes)
        self.asked: list[tuple[int, int | None]] = []

    def __call__(
        self, _source: Path, job: Job, path: Path, *, number: int | None, **_: Any
    ) -> Mapping[str, Any]:
        assert job.video is not None
        assert job.video.bitrate_bps is not None
        self.asked.append((job.video.bitrate_bps, number))
        path.write_bytes(bytes(self.sizes.pop(0)))
        return {"type": "result", "try": len(self.asked)}


def within(encoder: Encoder, path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(conversion, "convert", encoder)
    job = Job("mp4", Video(0, "h264", bitrate_bps=800_000, stats="notes"))
    encoder(path, job, path, number=2)
    work = Conversion(path, path, Wishes(size_bytes=MOST), Voice(quiet=True))
    return work._within(job, path, path.parent, MOST)


@pytest.mark.parametrize(
    ("sizes", "rates"),
    [
        ([900_000], [800_000]),
        ([1_100_000, 990_000], [800_000, 800_000 / 1.1 * fit.AGAIN_PARTS[0]]),
        # Less than half of the rate is not tried at once.
        ([4_000_000, 990_000], [800_000, 400_000 * fit.AGAIN_PARTS[0]]),
    ],
)
def test_second_pass_is_made_again_when_its_file_is_too_large(
    sizes: Sequence[int],
    rates: Sequence[float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoder = Encoder(*sizes)
    told = within(encoder, tmp_path / "a.mp4", monkeypatch)
    assert [rate for rate, _ in encoder.asked] == pytest.approx(rates, rel=0.001)
    assert {number for _, number in encoder.asked} == {2}
    assert told == (None if len(sizes) == 1 else {"type": "result", "try": 2})
    assert (tmp_path / "a.mp4").stat().st_size <= MOST


def test_limit_is_reported_when_it_is_too_large_after_every_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder(1_300_000, 1_200_000, 1_100_000)
    with pytest.raises(Failure, match=r"1\.1 MB, more than 1\.0 MB") as caught:
        within(encoder, tmp_path / "a.mp4", monkeypatch)
    assert caught.value.reason == "LIMIT_EXCEEDED"
    assert len(encoder.asked) == 1 + len(fit.AGAIN_PARTS)
    assert not encoder.sizes
