"""Per-title analysis: what it decides, what it reads, and how near its estimates come to VMAF."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bench.quality import measure
from millrace import fitting, media, plan
from millrace.ladder import Rung
from millrace.plan import Plan
from tests.harness.media import REPOSITORY, ffmpeg

pytestmark = pytest.mark.needs_engine

ENGINE = REPOSITORY / "build" / "engine" / "release" / "millrace-engine"
RUNGS = (Rung("360p", 360, 900_000), Rung("240p", 240, 500_000), Rung("144p", 144, 250_000))
WITHIN_VMAF = 5.0
"""How far the estimate of a whole rendition may be from VMAF, and its bits: see docs/ENGINE.md."""

WITHIN_BITS = 0.4


def drawn(name: str, picture: str, seconds: int = 4) -> Path:
    """A generated clip with a key frame every second."""
    return ffmpeg(
        f"{name}.mp4",
        *("-f", "lavfi", "-i", f"{picture},format=yuv420p", "-t", str(seconds)),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-g", "25"),
    )


def easy() -> Path:
    return drawn(
        "slow-gradient", "nullsrc=size=640x360:rate=25,geq=lum=40+X/4+T*2:cb=110+Y/12:cr=128"
    )


def hard() -> Path:
    return drawn("grainy-card", "testsrc2=size=640x360:rate=25,noise=alls=18:allf=t:all_seed=5")


@dataclass(frozen=True)
class Title:
    """A source with its fixed plan and what the engine found."""

    source: Path
    fixed: Plan
    found: dict[str, Any]

    def rung(self, name: str) -> dict[str, Any]:
        return next(rung for rung in self.found["renditions"] if rung["name"] == name)

    @property
    def useful(self) -> list[str]:
        return [rung["name"] for rung in self.found["renditions"] if rung["useful"]]


def engine(*arguments: str | Path) -> dict[str, Any]:
    command = [str(ENGINE), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def analysed(source: Path, folder: Path, *options: str) -> Title:
    facts = media.parse(engine("probe", source))
    fixed = plan.make(facts, chunk_segments=100, preset="veryfast", rungs=RUNGS)
    path = folder / "plan.json"
    path.write_text(json.dumps(fixed.to_json()))
    return Title(source, fixed, engine("analyse", source, "--plan", path, *options))


def test_analysis_is_the_same_when_it_is_repeated_on_other_threads(tmp_path: Path) -> None:
    one, four = (analysed(hard(), tmp_path, "--threads", count).found for count in ("1", "4"))
    assert {**one, "wall_s": 0} == {**four, "wall_s": 0}


def test_rungs_are_dropped_and_bits_saved_when_content_is_easy(tmp_path: Path) -> None:
    title = analysed(easy(), tmp_path)
    assert len(title.useful) < len(RUNGS)
    best = title.rung(title.useful[0])
    assert best["vmaf"] >= 93
    assert best["average_bps"] < RUNGS[0].maxrate_bps / 4
    dropped = [rung for rung in title.found["renditions"] if not rung["useful"]]
    assert {rung["useless_because"] for rung in dropped} <= {"dearer", "no_gain", "not_needed"}


def test_rungs_are_kept_at_their_caps_when_content_is_hard(tmp_path: Path) -> None:
    title = analysed(hard(), tmp_path)
    assert title.useful == [rung.name for rung in RUNGS]
    assert title.rung("360p")["maxrate_bps"] == RUNGS[0].maxrate_bps
    assert title.rung("360p")["average_bps"] > RUNGS[0].maxrate_bps * 0.6
    assert title.rung("360p")["crf"] > analysed(easy(), tmp_path).rung("360p")["crf"]


def test_better_quality_costs_more_when_the_target_is_higher(tmp_path: Path) -> None:
    source = drawn("zoom", "mandelbrot=size=640x360:rate=25")
    low = analysed(source, tmp_path, "--target-vmaf", "80")
    high = analysed(source, tmp_path, "--target-vmaf", "92")
    best_low, best_high = low.rung(low.useful[0]), high.rung(high.useful[0])
    assert best_low["average_bps"] < best_high["average_bps"]
    assert best_low["vmaf"] < best_high["vmaf"]


def test_estimates_are_near_vmaf_when_the_clip_was_not_fitted_on(tmp_path: Path) -> None:
    title = analysed(drawn("zoom", "mandelbrot=size=640x360:rate=25"), tmp_path)
    own = fitting.fitted(title.fixed, title.found)
    path = tmp_path / "own.json"
    path.write_text(json.dumps(own.to_json()))
    engine("transcode", title.source, "--plan", path, "--output", tmp_path)
    for rendition in own.video.renditions:
        quality = measure(title.source, tmp_path / rendition.name / "index.m3u8")
        found = title.rung(rendition.name)
        assert abs(quality.vmaf - found["vmaf"]) < WITHIN_VMAF
        assert quality.bitrate_bps == pytest.approx(found["average_bps"], rel=WITHIN_BITS)


def test_little_is_read_and_decoded_when_the_video_is_long(tmp_path: Path) -> None:
    seconds = 120
    picture = "testsrc2=size=320x180:rate=25,noise=alls=12:allf=t:all_seed=5"
    source = drawn("long-noise", picture, seconds)
    title = analysed(source, tmp_path)
    assert title.found["pictures_decoded"] < seconds * 25 * Fraction(1, 10)
    assert title.found["bytes_read"] < source.stat().st_size * Fraction(1, 5)
    assert sum(sample["weight"] for sample in title.found["samples"]) == pytest.approx(1, abs=1e-4)


def test_analysis_calls_itself_unreliable_when_there_is_one_key_frame(tmp_path: Path) -> None:
    source = ffmpeg(
        "one-key-frame.mp4",
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=8"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "1000", "-sc_threshold", "0"),
    )
    title = analysed(source, tmp_path)
    assert title.found["reliable"] is False
    assert fitting.fitted(title.fixed, title.found) == title.fixed
