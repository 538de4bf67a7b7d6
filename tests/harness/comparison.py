"""A file beside the one it was made of, both as ffmpeg decodes them: pictures, times, sound."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.harness import media

RATE_HZ = 48_000
_TICKS_PER_S = 90_000
_GAPS = "async=1:min_hard_comp=0.02:first_pts=0"  # silence where times say that nothing is heard


Facts = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """What a player has for eyes and ears, in seconds since the first picture (without pictures,
    since the file's zero)."""

    times_s: tuple[float, ...]
    sound_s: tuple[float, float] | None
    """From when until when something is heard in the first channel."""


@dataclass(frozen=True)
class Comparison:
    source: Shown
    made: Shown
    least_psnr_db: float
    """Of the picture that differs most; infinite where none does."""
    ssim: float


def facts(path: Path) -> Facts:
    """ffprobe's opinion of a file and its streams."""
    return media.ffprobe(path, "-show_streams", "-show_format")


def streams(about: Facts, kind: str) -> list[Facts]:
    """Those that are played: a cover is no video."""
    return [
        each
        for each in about["streams"]
        if each["codec_type"] == kind and not each["disposition"]["attached_pic"]
    ]


def compare(files: Sequence[tuple[Path, Facts]], folder: Path, change: str) -> Comparison:
    """The source and what was made of it; `change`: filters that make of the one's pictures what
    the other should show. Both are scaled to the latter's size and compared one by one, whatever
    their times."""
    command = ["ffmpeg", "-nostdin", "-y", "-v", "info", "-nostats"]
    for path, _ in files:
        command += ["-i", str(path)]
    if all(streams(about, "video") for _, about in files):
        command += _picture_outputs(folder, change)
    for index, (_, about) in enumerate(files):
        if streams(about, "audio"):
            sound = f"[{index}:a:0]aresample={RATE_HZ}:{_GAPS},pan=mono|c0=c0[s{index}]"
            command += ["-filter_complex", sound, "-map", f"[s{index}]"]
            command += ["-f", "f32le", str(folder / f"{index}.pcm")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return Comparison(
        source=_shown(folder, 0),
        made=_shown(folder, 1),
        least_psnr_db=_measure(r"PSNR .* min:(\S+)", done.stderr),
        ssim=_measure(r"SSIM .* All:(\S+)", done.stderr),
    )


def _picture_outputs(folder: Path, change: str) -> list[str]:
    graph = (
        f"[0:V:0]split[t0][a];[a]{change},settb=1/25,setpts=N[b];"
        "[1:V:0]split[t1][c];[c]settb=1/25,setpts=N[d];"
        "[b][d]scale2ref=flags=bicubic[e][f];[e]format=yuv420p,split[e1][e2];"
        "[f]format=yuv420p[g];[g][e1]ssim[h];[h][e2]psnr[same]"
    )
    words = ["-filter_complex", graph, "-map", "[same]", "-f", "null", "-"]
    for index in range(2):
        words += ["-map", f"[t{index}]", "-fps_mode", "passthrough"]
        words += ["-enc_time_base", f"1:{_TICKS_PER_S}", "-f", "framecrc"]
        words += [str(folder / f"{index}.crc")]
    return words


def _shown(folder: Path, index: int) -> Shown:
    crcs, pcm = folder / f"{index}.crc", folder / f"{index}.pcm"
    times = _times_s(crcs.read_text()) if crcs.exists() else []
    zero_s = times[0] if times else 0.0
    sound = _sound_s(np.fromfile(pcm, np.float32)) if pcm.exists() else None
    return Shown(
        tuple(time - zero_s for time in times),
        None if sound is None else (sound[0] - zero_s, sound[1] - zero_s),
    )


def _times_s(crcs: str) -> list[float]:
    """Of the lines `stream, decoded, shown, duration, bytes, checksum`."""
    rows = [line.split(",") for line in crcs.splitlines() if not line.startswith("#")]
    return [int(row[2]) / _TICKS_PER_S for row in rows]


def _sound_s(heard: npt.NDArray[np.float32]) -> tuple[float, float] | None:
    """Where it first and last reaches a third of its peak."""
    loud = np.flatnonzero(np.abs(heard) > np.abs(heard).max(initial=0) / 3)
    return (float(loud[0]) / RATE_HZ, float(loud[-1]) / RATE_HZ) if loud.size else None


def _measure(pattern: str, log: str) -> float:
    """A number that a filter tells at its end; infinite where none did."""
    found = re.findall(pattern, log)
    return float(found[-1]) if found else float("inf")
