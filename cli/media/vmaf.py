"""The quality setting that reaches a VMAF, found by encoding samples with our own engine and
measuring them with the libvmaf of an ffmpeg that has it."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.media import job as jobs
from cli.media.effort import Effort
from cli.media.failures import Failure, of_output
from cli.media.job import Job, Video
from cli.media.presets import HIGHEST_CRF

SAMPLES = 3
SAMPLE_S = 2.0
MOST_TRIALS = 5
NEAR = 0.4
"""VMAF: closer need nobody come."""
_LEAST_CRF = 8
_TIMEOUT_S = 3600
_GET_IT = "pip install imageio-ffmpeg (after pipx: pipx inject millrace imageio-ffmpeg)"


@dataclass(frozen=True, slots=True)
class Trial:
    crf: int
    vmaf: float


@functools.cache
def program() -> str | None:
    """An ffmpeg with libvmaf: $MILLRACE_FFMPEG, the one on PATH, or imageio-ffmpeg's."""
    for candidate in (os.environ.get("MILLRACE_FFMPEG"), shutil.which("ffmpeg"), _wheel()):
        if candidate and _has_libvmaf(candidate):
            return candidate
    return None


def _wheel() -> str | None:
    """Without reading the package, which takes a while."""
    spec = importlib.util.find_spec("imageio_ffmpeg")
    if spec is None or spec.origin is None:
        return None
    found = sorted((Path(spec.origin).parent / "binaries").glob("ffmpeg-*"))
    return str(found[0]) if found else None


def _has_libvmaf(candidate: str) -> bool:
    try:
        listed = subprocess.run(
            [candidate, "-hide_banner", "-filters"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return " libvmaf " in listed.stdout


def search(target: float, first: int, highest: int, measure: Callable[[int], float]) -> list[Trial]:
    """Trials, the one to take last: that nearest to the target from above, or the best there is.

    By interpolation between the nearest two, at most `MOST_TRIALS`.

    Args:
        first: the CRF to begin with.
        highest: the codec's.
        measure: the VMAF of a CRF; falls as that rises.
    """
    trials: dict[int, float] = {}
    crf = min(max(first, _LEAST_CRF), highest)
    while crf not in trials and len(trials) < MOST_TRIALS:
        trials[crf] = measure(crf)
        if abs(trials[crf] - target) <= NEAR:
            break
        crf = _next(trials, target, highest)
    enough = [crf for crf, vmaf in trials.items() if vmaf >= target - NEAR]
    best = max(enough) if enough else min(trials)
    others = [Trial(*pair) for pair in trials.items() if pair[0] != best]
    return [*others, Trial(best, trials[best])]


_SLOPE = -1.0
"""VMAF a CRF, before two trials tell."""


def _next(trials: Mapping[int, float], target: float, highest: int) -> int:
    above = max((crf for crf, vmaf in trials.items() if vmaf >= target), default=None)
    below = min((crf for crf, vmaf in trials.items() if vmaf < target), default=None)
    if above is not None and below is not None:
        part = (trials[above] - target) / (trials[above] - trials[below])
        guess = above + part * (below - above)
        # Between the two, and rather too good than too bad.
        return min(max(int(guess), above + 1), max(above, below - 1))
    known = above if above is not None else below
    assert known is not None
    ordered = sorted(trials)
    slope = _SLOPE
    if len(ordered) > 1:
        # The nearest two: the curve flattens towards the best quality.
        one, other = ordered[-2:] if above is not None else ordered[:2]
        slope = (trials[other] - trials[one]) / (other - one)
    step = (target - trials[known]) / min(slope, -0.2)
    step = round(max(-16.0, min(16.0, step))) or (1 if above is not None else -1)
    return min(max(known + step, _LEAST_CRF), highest)


def crf_for(
    target: float,
    source: Path,
    job: Job,
    duration_s: float | None,
    *,
    scratch: Path,
    effort: Effort,
    on_trial: Callable[[int, Trial], None],
) -> Trial:
    """The CRF of a job's pictures that reaches `target`, and what it reaches.

    What is measured is the encoder's loss: samples are compared with the source as it is after
    cropping, scaling and tone mapping.

    Args:
        duration_s: of what is converted; None: not known, so that the begin stands for all.
        on_trial: is told of each, with its number.

    Raises:
        Failure: no libvmaf, or the encoder failed.
    """
    ffmpeg = program()
    if ffmpeg is None:
        message = "There is no ffmpeg with libvmaf to measure with."
        raise Failure("USAGE", message, advice=f"{_GET_IT}, or use --crf")
    video = job.video
    assert video is not None
    assert video.crf is not None
    spans = _spans(job.start_s, duration_s)

    def encode(name: str, span: tuple[float, float], wanted: Video) -> Path:
        made = scratch / f"{name}.mkv"
        sample = Job("mkv", wanted, start_s=span[0], end_s=span[1])
        try:
            jobs.convert(source, sample, made, scratch=scratch, effort=effort)
        except Failure as failure:
            raise of_output(failure, made) from failure
        return made

    # Without loss in H.264, which here has 8 bits; in 10 bits as good as without.
    codec = "hevc" if video.pixel_depth == 10 else "h264"
    lossless = replace(video, codec=codec, preset="ultrafast", crf=0)
    truth = [encode(f"truth-{number}", span, lossless) for number, span in enumerate(spans)]
    count = 0

    def measure(crf: int) -> float:
        nonlocal count
        count += 1
        made = (encode("sample", span, replace(video, crf=crf)) for span in spans)
        scores = [_score(ffmpeg, *pair, scratch) for pair in zip(truth, made, strict=True)]
        vmaf = sum(scores) / len(scores)
        on_trial(count, Trial(crf, vmaf))
        return vmaf

    return search(target, round(video.crf), HIGHEST_CRF[video.codec], measure)[-1]


def _spans(start_s: float, duration_s: float | None) -> list[tuple[float, float]]:
    """Begins and ends of the samples, evenly spread; all of it if it is short."""
    if duration_s is None:
        return [(start_s, start_s + SAMPLE_S)]
    if duration_s <= SAMPLES * SAMPLE_S:
        return [(start_s, start_s + duration_s)]
    begins = (
        start_s + duration_s * (2 * number + 1) / (2 * SAMPLES) - SAMPLE_S / 2
        for number in range(SAMPLES)
    )
    return [(round(begin_s, 3), round(begin_s + SAMPLE_S, 3)) for begin_s in begins]


def _score(ffmpeg: str, reference: Path, made: Path, scratch: Path) -> float:
    """Mean VMAF of one sample."""
    log = scratch / "vmaf.json"
    compare = f"[0:v][1:v]libvmaf=log_fmt=json:log_path={log}:shortest=1"
    files = ["-i", str(made), "-i", str(reference)]
    _ffmpeg([ffmpeg, "-nostdin", "-v", "error", *files, "-lavfi", compare, "-f", "null", "-"])
    found: dict[str, Any] = json.loads(log.read_text())
    return float(found["pooled_metrics"]["vmaf"]["mean"])


def _ffmpeg(command: list[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT_S)
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[-500:]
        raise Failure("INTERNAL", f"libvmaf failed: {said}") from error
