"""How good a rendition looks beside its reference: VMAF, SSIM, PSNR and bitrate.

`python -m bench.quality REFERENCE RENDITION…`; a rendition is an MP4 or a media playlist. It is
scaled up to the reference's size (bicubic, as VMAF's models expect) and compared picture n with
picture n, whatever the timestamps say; so both must hold the same number of pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.tools import Video, judge_ffmpeg, run, video_of

_FEATURES = r"feature=name=psnr|name=float_ssim"
# One side is often tagged and the other is not: ffmpeg would convert between the two.
_SAME_COLOURS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"


@dataclass(frozen=True, slots=True)
class Options:
    """`subsample` N judges every N-th picture; `first` and `frames` choose a part of the video."""

    subsample: int = 1
    first: int = 0
    frames: int | None = None
    threads: int = os.cpu_count() or 1
    lenient_tail: int = 0  # pictures that one of the two may have more than the other


@dataclass(frozen=True, slots=True)
class Quality:
    vmaf: float
    vmaf_harmonic: float
    vmaf_p1: float  # 1 % of the pictures are worse than this
    ssim: float
    psnr_db: float
    bitrate_bps: float
    frames: int


class FramesDifferError(Exception):
    """Reference and rendition cannot be compared picture by picture."""


def measure(
    reference: Path | str, rendition: Path | str, options: Options | None = None
) -> Quality:
    options = options or Options()
    wanted, made = video_of(reference), video_of(rendition)
    if abs(wanted.frames - made.frames) > options.lenient_tail:
        raise FramesDifferError(f"{rendition}: {made.frames} pictures, not {wanted.frames}")
    scores = _scores(str(reference), str(rendition), wanted, options)
    return _summary(scores, made)


def _chain(options: Options) -> str:
    """Only the chosen pictures, numbered by their order."""
    end = f":end_frame={options.first + options.frames}" if options.frames else ""
    return f"settb=1/1000,setpts=N,trim=start_frame={options.first}{end},setpts=N"


def _scores(
    reference: str, rendition: str, size: Video, options: Options
) -> list[dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "vmaf.json"
        judge = f"libvmaf=log_fmt=json:log_path={log}:n_threads={options.threads}"
        judge += f":n_subsample={options.subsample}:shortest=1:{_FEATURES}"
        scale = f"scale={size.width}:{size.height}:flags=bicubic+accurate_rnd"
        graph = (
            f"[0:v]{_SAME_COLOURS},{_chain(options)},{scale},format=yuv420p[made];"
            f"[1:v]{_SAME_COLOURS},{_chain(options)},format=yuv420p[wanted];[made][wanted]{judge}"
        )
        command = (judge_ffmpeg(), "-nostdin", "-v", "error", "-i", rendition, "-i", reference)
        run(*command, "-filter_complex", graph, "-fps_mode", "passthrough", "-f", "null", "-")
        answer: dict[str, Any] = json.loads(log.read_text())
    # With subsampling the log still names the pictures between, without a score.
    return [one["metrics"] for one in answer["frames"] if "vmaf" in one["metrics"]]


def _summary(scores: list[dict[str, float]], made: Video) -> Quality:
    vmaf = sorted(score["vmaf"] for score in scores)
    count = len(vmaf)
    return Quality(
        vmaf=sum(vmaf) / count,
        vmaf_harmonic=count / sum(1 / (score + 1) for score in vmaf) - 1,  # as libvmaf pools
        vmaf_p1=vmaf[int(count * 0.01)],
        ssim=sum(score["float_ssim"] for score in scores) / count,
        psnr_db=sum(score["psnr_y"] for score in scores) / count,
        bitrate_bps=made.bitrate_bps,
        frames=count,
    )


def _table_row(name: str, quality: Quality) -> str:
    return (
        f"{name:<40} {quality.vmaf:7.2f} {quality.vmaf_harmonic:7.2f} {quality.vmaf_p1:7.2f} "
        f"{quality.ssim:8.5f} {quality.psnr_db:6.2f} {quality.bitrate_bps / 1000:9.1f}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="VMAF, SSIM, PSNR and bitrate of renditions.")
    parser.add_argument("reference")
    parser.add_argument("renditions", nargs="+")
    parser.add_argument("--subsample", type=int, default=1, help="judge every N-th picture")
    parser.add_argument("--first", type=int, default=0, help="first picture")
    parser.add_argument("--frames", type=int, help="number of pictures")
    parser.add_argument("--lenient-tail", type=int, default=0, help="pictures too many or missing")
    parser.add_argument("--json", action="store_true", help="one JSON object a rendition")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    options = Options(
        subsample=given.subsample,
        first=given.first,
        frames=given.frames,
        lenient_tail=given.lenient_tail,
    )
    if not given.json:
        print(f"{'rendition':<40}    VMAF harmon.      1%     SSIM   PSNR      kb/s")
    for rendition in given.renditions:
        quality = measure(given.reference, rendition, options)
        if given.json:
            print(json.dumps({"rendition": rendition, **asdict(quality)}))
        else:
            print(_table_row(rendition[-40:], quality), flush=True)


if __name__ == "__main__":
    main()
