"""The engine built without the GPL's encoders: `cmake --preset without-gpl`."""

from __future__ import annotations

import math
import re
import subprocess
from pathlib import Path

import pytest

from millrace.ladder import Rung
from millrace.levels import Codec
from tests.harness import media
from tests.harness.ladder import hashes, pictures, video_stream
from tests.harness.sanitized import built
from tests.harness.trial import Engine, Refused, joined, plan_of, refused, saved

pytestmark = [pytest.mark.exhaustive, pytest.mark.needs_engine]
SECONDS, RATE = 12, 25
LEAST_DB = 30


@pytest.fixture(scope="module")
def engine() -> Engine:
    built("without-gpl", "millrace-engine")
    return Engine("without-gpl", {})


@pytest.fixture(scope="module")
def source() -> Path:
    return media.clip("without-gpl.mp4", SECONDS, "320x180")


def test_engine_asks_for_no_encoder_of_the_gpl_when_it_is_built_without(engine: Engine) -> None:
    needed = subprocess.check_output(["readelf", "-d", engine.path], text=True)
    libraries = re.findall(r"NEEDED.*\[lib(\w+)", needed)
    assert "openh264" in libraries
    assert not {"x264", "x265"} & set(libraries)


def test_chunks_are_the_whole_when_openh264_encodes_them(
    engine: Engine, source: Path, tmp_path: Path
) -> None:
    the_plan = plan_of(engine.run("probe", source), chunk_segments=1)
    assert the_plan.chunk_count == 3
    plan_file = saved(the_plan, tmp_path)
    transcode = ("transcode", source, "--plan", plan_file, "--output")
    engine.run(*transcode, tmp_path / "whole")
    for chunk in reversed(range(the_plan.chunk_count)):
        engine.run(*transcode, tmp_path / "parts", "--chunk", str(chunk))
    whole, parts = (joined(tmp_path / name / "90p") for name in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()
    assert video_stream(whole)["codec_name"] == "h264"
    assert len(hashes(whole)) == SECONDS * RATE
    assert distance_db(source, whole) > LEAST_DB


def distance_db(source: Path, made: Path) -> float:
    """Mean PSNR of the pictures, at the size of the one that was made."""
    errors = [
        sum((one - other) ** 2 for one, other in zip(left, right, strict=True)) / len(left)
        for left, right in zip(pictures(source, 160, 90), pictures(made, 160, 90), strict=True)
    ]
    return 10 * math.log10(255**2 / (sum(errors) / len(errors)))


def test_av1_is_made_and_hevc_refused_when_libx265_is_not_there(
    engine: Engine, source: Path, tmp_path: Path
) -> None:
    probed = engine.run("probe", source)
    outcomes = {}
    for codec in (Codec.AV1, Codec.HEVC):
        plan_file = saved(plan_of(probed, rungs=(Rung("90p", 90, 400_000, 30, codec),)), tmp_path)
        output = tmp_path / codec.name
        outcomes[codec] = engine.run("transcode", source, "--plan", plan_file, "--output", output)
    assert outcomes[Codec.AV1].exit_code == 0
    assert refused(outcomes[Codec.HEVC]) == Refused(4, "UNSUPPORTED_CODEC")
    assert "libx265" in outcomes[Codec.HEVC].last["message"]
