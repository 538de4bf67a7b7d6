"""What the per-title ladder saves: its bits beside the fixed ladder's, at equal VMAF.

`python -m bench.per_title` codes some clips three times: with `ffmpeg` as ladders are usually made
(average bit rates at the caps), with the engine's fixed ladder (constant quality, capped), and with
the ladder that `analyse` chose. Ratios are per clip and their mean:

- bits: all renditions together, raw.
- equal: the mean ratio of rates over the VMAF range both ladders cover, each ladder's rates
  interpolated (in logarithms) between its renditions.
- target: the rate at which a ladder first shows the target VMAF (interpolated, or its best).
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.clips import MIXED, Section, mezzanine
from bench.plans import fixed_plan, last_line, written
from bench.quality import Options, measure
from bench.tools import CACHE, ENGINE, run
from millrace import fitting
from millrace.plan import Plan
from millrace.renditions import Rendition

# Four seconds of each kind, two shots of the film; the estimate was fitted on other pictures of it.
CLIPS = (
    Section("animation-short", MIXED[0].file, 6, 120),
    Section("hand-held-short", MIXED[1].file, 40, 120),
    Section("traffic-short", MIXED[2].file, 200, 120),
    Section("film-short-1", MIXED[3].file, 430, 120),
    Section("film-short-2", MIXED[3].file, 880, 120),
)
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Made:
    """A rendition as it came out."""

    name: str
    bps: float
    vmaf: float


Ladder = list[Made]


def ffmpeg_ladder(source: Path, made: Plan, folder: Path) -> list[Path]:
    """One process, all renditions, average bit rates at the caps."""
    renditions = made.video.renditions
    files = [folder / f"{rendition.name}.mp4" for rendition in renditions]
    if all(file.exists() for file in files):
        return files
    folder.mkdir(parents=True, exist_ok=True)
    splits = "".join(f"[in{n}]" for n in range(len(renditions)))
    graph = f"[0:v]split={len(renditions)}{splits}"
    outputs: list[str | Path] = []
    for n, (rendition, file) in enumerate(zip(renditions, files, strict=True)):
        graph += f";[in{n}]scale={rendition.width}:{rendition.height}:flags=bicubic[v{n}]"
        outputs += ["-map", f"[v{n}]", *_average_rate(made, rendition), file]
    run("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, "-filter_complex", graph, *outputs)
    return files


def _average_rate(made: Plan, rendition: Rendition) -> list[str]:
    rate = rendition.maxrate_bps
    caps = ["-b:v", str(rate), "-maxrate", str(rate * 107 // 100), "-bufsize", str(rate * 3 // 2)]
    frames = str(made.segment_frames)
    return ["-c:v", "libx264", "-preset", made.video.preset, *caps, "-g", frames]


def engine_ladder(source: Path, made: Plan, folder: Path) -> list[Path]:
    at = written(made, folder / "plan.json")
    run(ENGINE, "transcode", source, "--plan", at, "--output", folder)
    return [folder / rendition.name / "index.m3u8" for rendition in made.video.renditions]


def judged(source: Path, made: Plan, files: list[Path], subsample: int) -> Ladder:
    ladder = []
    for rendition, file in zip(made.video.renditions, files, strict=True):
        quality = measure(source, file, Options(subsample=subsample))
        ladder.append(Made(rendition.name, quality.bitrate_bps, quality.vmaf))
        print(
            f"    {rendition.name:<6} {quality.bitrate_bps / 1000:8.0f} kb/s  {quality.vmaf:6.2f}"
        )
    return ladder


def envelope(ladder: Ladder) -> Ladder:
    """Renditions that look better than all cheaper ones, by rising rate."""
    best: Ladder = []
    for one in sorted(ladder, key=lambda made: made.bps):
        if not best or one.vmaf > best[-1].vmaf:
            best.append(one)
    return best


def rate_for(ladder: Ladder, vmaf: float) -> float:
    """Bits a second for a quality; outside its range, those of the nearest rendition."""
    points = envelope(ladder)
    for low, high in pairwise(points):
        if low.vmaf <= vmaf <= high.vmaf:
            share = (vmaf - low.vmaf) / (high.vmaf - low.vmaf)
            return math.exp(math.log(low.bps) * (1 - share) + math.log(high.bps) * share)
    return points[0].bps if vmaf < points[0].vmaf else points[-1].bps


def equal_quality_ratio(ours: Ladder, theirs: Ladder) -> float | None:
    """Mean ratio of rates (geometric) over the common range; None if there is none."""
    low = max(min(one.vmaf for one in ours), min(one.vmaf for one in theirs))
    high = min(max(one.vmaf for one in ours), max(one.vmaf for one in theirs))
    if high <= low:
        return None
    at = [low + (high - low) * n / _STEPS for n in range(_STEPS + 1)]
    logs = [math.log(rate_for(ours, vmaf) / rate_for(theirs, vmaf)) for vmaf in at]
    return math.exp(sum(logs) / len(logs))


@dataclass(frozen=True, slots=True)
class Ratios:
    bits: float
    equal: float | None
    target: float
    vmaf: float  # difference of the means over renditions


def ratios(ours: Ladder, theirs: Ladder, target_vmaf: float) -> Ratios:
    reached = min(target_vmaf, max(one.vmaf for one in ours), max(one.vmaf for one in theirs))
    return Ratios(
        bits=sum(one.bps for one in ours) / sum(one.bps for one in theirs),
        equal=equal_quality_ratio(ours, theirs),
        target=rate_for(ours, reached) / rate_for(theirs, reached),
        vmaf=sum(one.vmaf for one in ours) / len(ours)
        - sum(one.vmaf for one in theirs) / len(theirs),
    )


def _text(name: str, found: Ratios) -> str:
    equal = "   –" if found.equal is None else f"{found.equal:4.2f}"
    return (
        f"  beside {name:<12} bits {found.bits:4.2f}  at equal VMAF {equal}  "
        f"at the target {found.target:4.2f}  mean VMAF {found.vmaf:+5.2f}"
    )


@dataclass(frozen=True, slots=True)
class Settings:
    preset: str
    target_vmaf: float
    subsample: int
    capped: bool  # also beside the engine's fixed ladder


def chosen(source: Path, fixed: Plan, folder: Path, target_vmaf: float) -> Plan:
    """The fixed plan with the ladder that the engine finds for this source."""
    command = ("analyse", source, "--plan", written(fixed, folder / "fixed.json"))
    analysis = last_line(ENGINE, *command, "--target-vmaf", str(target_vmaf))
    for rung in analysis["renditions"]:
        why = rung["useless_because"] or f"{rung['average_bps'] / 1000:.0f} kb/s, {rung['vmaf']}"
        print(f"    predicted {rung['name']:<6} crf {rung['crf']} {why}")
    return fitting.fitted(fixed, analysis)


def compare(section: Section, settings: Settings) -> dict[str, Ratios]:
    source = mezzanine(section.name, (section,))
    folder = CACHE / "per-title" / section.name
    fixed = fixed_plan(source, settings.preset)
    print(f"{section.name}\n  engine, per title", flush=True)
    own = chosen(source, fixed, folder, settings.target_vmaf)
    ours = judged(source, own, engine_ladder(source, own, folder / "own"), settings.subsample)
    print("  ffmpeg, average rates", flush=True)
    files = ffmpeg_ladder(source, fixed, folder / settings.preset)
    others = {"ffmpeg": judged(source, fixed, files, settings.subsample)}
    if settings.capped:
        print("  engine, fixed", flush=True)
        files = engine_ladder(source, fixed, folder / "capped")
        others["fixed engine"] = judged(source, fixed, files, settings.subsample)
    found = {name: ratios(ours, them, settings.target_vmaf) for name, them in others.items()}
    for name, one in found.items():
        print(_text(name, one), flush=True)
    return found


def _mean(found: list[Ratios]) -> Ratios:
    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    return Ratios(
        bits=mean([one.bits for one in found]),
        equal=mean([one.equal for one in found if one.equal is not None]),
        target=mean([one.target for one in found]),
        vmaf=mean([one.vmaf for one in found]),
    )


def main() -> None:
    names = [clip.name for clip in CLIPS]
    parser = argparse.ArgumentParser(description="Bits of the per-title ladder at equal VMAF.")
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--target-vmaf", type=float, default=93)
    parser.add_argument("--subsample", type=int, default=8, help="judge every N-th picture")
    parser.add_argument("--capped", action="store_true", help="beside our fixed ladder, too")
    parser.add_argument("--clip", action="append", choices=names, help="only these")
    given = parser.parse_args()
    settings = Settings(given.preset, given.target_vmaf, given.subsample, given.capped)
    clips = [clip for clip in CLIPS if not given.clip or clip.name in given.clip]
    found = [compare(clip, settings) for clip in clips]
    print("all clips")
    for name in found[0]:
        print(_text(name, _mean([one[name] for one in found])))


if __name__ == "__main__":
    main()
