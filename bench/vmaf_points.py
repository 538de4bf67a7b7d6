"""What the engine's fidelity measures say of coded pictures, beside their VMAF: the material that
`bench.fit_vmaf` fits the engine's model on. Takes minutes; kept in build/bench/vmaf-points.json."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.tools import CACHE, CLIPS, ENGINE, judge_ffmpeg, run

STEP = 5  # every fifth picture is judged
PICTURES = 12
CRFS = (20, 27, 34)
RUNGS = ((1, 1), (2, 3), (4, 9), (1, 3))  # of the height: 1080p, 720p, 480p and 360p of 1080p
POINTS = CACHE / "vmaf-points.json"


@dataclass(frozen=True, slots=True)
class Shot:
    """Pictures of a clip, as they are or scaled: scaled up they are soft, scaled down sharp."""

    clip: str  # shots of one clip are fitted or held out together
    file: str
    first: int
    width: int
    height: int
    filters: str = ""


_BUNNY, _SINTEL = "bigbuckbunny.mp4", "sintel_trailer-720p.mp4"
_CAR, _CITY = "car-detection.mp4", "cityCC0.mpg"
_GRAIN = ",noise=alls=14:allf=t:all_seed=7"

SHOTS = (
    Shot("animation", _BUNNY, 90, 1280, 720),
    Shot("animation", _BUNNY, 8, 960, 540),
    Shot("animation", _BUNNY, 110, 640, 360),
    Shot("animation", _BUNNY, 30, 640, 360, _GRAIN),
    Shot("film", _SINTEL, 340, 1280, 720),
    Shot("film", _SINTEL, 250, 1920, 1080),
    Shot("film", _SINTEL, 850, 960, 540),
    Shot("film", _SINTEL, 560, 640, 360),
    Shot("film", _SINTEL, 930, 640, 360),
    Shot("film", _SINTEL, 620, 640, 360, _GRAIN),
    Shot("traffic", _CAR, 20, 768, 432),
    Shot("traffic", _CAR, 150, 1280, 720),
    Shot("hand-held", _CITY, 60, 720, 404),
    Shot("hand-held", _CITY, 10, 1280, 720),
)


@dataclass(frozen=True, slots=True)
class Point:
    """One judged picture."""

    clip: str
    shot: int
    height: int
    crf: int
    information: tuple[float, ...]
    detail: float
    motion: float
    vmaf: float


def _raw(path: Path, *source: str, filters: str, pictures: int | None = None) -> Path:
    limit = ("-frames:v", str(pictures)) if pictures else ()
    shape = ("-vf", filters, "-pix_fmt", "yuv420p", "-f", "rawvideo", *limit)
    run("ffmpeg", "-nostdin", "-v", "error", "-y", *source, *shape, path)
    return path


def _reference(shot: Shot, path: Path) -> Path:
    trim = f"trim=start_frame={shot.first},setpts=N/25/TB"
    scale = f"scale={shot.width}:{shot.height}:flags=lanczos"
    return _raw(
        path,
        *("-i", str(CLIPS / shot.file)),
        filters=f"{trim},{scale}{shot.filters}",
        pictures=PICTURES,
    )


def _raw_input(shot: Shot, path: Path) -> tuple[str, ...]:
    size = f"{shot.width}x{shot.height}"
    return ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-r", "25", "-i", str(path))


def _coded(shot: Shot, reference: Path, height: int, crf: int, folder: Path) -> Path:
    """The pictures coded at a height, decoded and scaled up again."""
    width = 2 * round(height * shot.width / shot.height / 2)
    coded = folder / f"{height}-{crf}.mkv"
    scale = ("-vf", f"scale={width}:{height}:flags=bicubic")
    encoder = ("-c:v", "libx264", "-preset", "veryfast", "-crf", str(crf), "-threads", "1")
    source = _raw_input(shot, reference)
    run("ffmpeg", "-nostdin", "-v", "error", "-y", *source, *scale, *encoder, coded)
    back = f"scale={shot.width}:{shot.height}:flags=bicubic"
    return _raw(coded.with_suffix(".yuv"), "-i", str(coded), filters=back)


def _vmaf(shot: Shot, reference: Path, made: Path) -> dict[int, float]:
    log = made.with_suffix(".json")
    judge = f"libvmaf=log_fmt=json:log_path={log}:n_subsample={STEP}"
    inputs = (*_raw_input(shot, made), *_raw_input(shot, reference))
    run(judge_ffmpeg(), "-nostdin", "-v", "error", *inputs, "-lavfi", judge, "-f", "null", "-")
    frames = json.loads(log.read_text())["frames"]
    return {one["frameNum"]: one["metrics"]["vmaf"] for one in frames if "vmaf" in one["metrics"]}


def _measures(shot: Shot, reference: Path, made: Path) -> list[dict[str, Any]]:
    tool = ENGINE.with_name("millrace-fidelity")
    lines = run(tool, str(shot.width), str(shot.height), str(STEP), reference, made)
    return [json.loads(line) for line in lines.splitlines()]


def _points_of(number: int, shot: Shot) -> list[Point]:
    points = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = _reference(shot, folder / "reference.yuv")
        for part, whole in RUNGS:
            height = 2 * round(shot.height * part / whole / 2)
            for crf in CRFS:
                made = _coded(shot, reference, height, crf, folder)
                scores = _vmaf(shot, reference, made)
                for one in _measures(shot, reference, made):
                    at = one.pop("picture")
                    if at:  # VMAF knows no motion for the first picture
                        points.append(Point(shot.clip, number, height, crf, vmaf=scores[at], **one))
                made.unlink()
    print(f"{shot.clip} {shot.first}: {len(points)} points", flush=True)
    return points


def points() -> list[Point]:
    if not POINTS.exists():
        with ThreadPoolExecutor(2) as pool:
            lists = list(pool.map(_points_of, range(len(SHOTS)), SHOTS))
        POINTS.parent.mkdir(parents=True, exist_ok=True)
        POINTS.write_text(json.dumps([asdict(point) for one in lists for point in one]))
    return [Point(**stored) for stored in json.loads(POINTS.read_text())]


if __name__ == "__main__":
    print(len(points()), "points in", POINTS)
