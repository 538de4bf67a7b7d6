"""Long sources, made of a short clip by copying its packets: quick to make, and like real ones in
everything that matters here (1080p, about 4.4 Mb/s, a key frame at most every ten seconds)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.remote import REPOSITORY

_TRAILER = REPOSITORY / "tests" / "media" / "clips" / "sintel_trailer-720p.mp4"
_PART_S = 50
_TEN_MINUTES = 600 // _PART_S
_TWO_GIGABYTES = 2_000_000_000


def ten_minutes(folder: Path) -> Path:
    """Ten minutes of 1080p with sound, about 330 MB."""
    part = _made(
        folder / "part.mp4",
        *("-i", str(_TRAILER), "-t", str(_PART_S), "-vf", "scale=1920:1080:flags=bicubic"),
        *("-c:v", "libx264", "-preset", "veryfast", "-b:v", "5M", "-maxrate", "7M"),
        *("-bufsize", "10M", "-c:a", "aac", "-b:a", "128k"),
    )
    return _looped(folder / "ten-minutes.mp4", part, _TEN_MINUTES)


def thirty_minutes(folder: Path) -> Path:
    return _looped(folder / "thirty-minutes.mp4", ten_minutes(folder), 3)


def one_minute(folder: Path) -> Path:
    """The first minute of the ten."""
    return _made(
        folder / "one-minute.mp4", "-t", "60", "-i", str(ten_minutes(folder)), "-c", "copy"
    )


def two_gigabytes(folder: Path, *, moov_first: bool) -> Path:
    """The ten minutes over and over, with the index at the file's beginning or at its end."""
    source = ten_minutes(folder)
    times = -(-_TWO_GIGABYTES // source.stat().st_size)
    options = ("-movflags", "+faststart") if moov_first else ()
    name = "moov-first.mp4" if moov_first else "moov-last.mp4"
    return _looped(folder / name, source, times, *options)


def _looped(path: Path, source: Path, times: int, *options: str) -> Path:
    loop = ("-stream_loop", str(times - 1), "-i", str(source), "-c", "copy")
    return _made(path, *loop, *options)


def _made(path: Path, *arguments: str) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part.mp4")
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, str(temporary)]
        subprocess.run(command, check=True)
        temporary.replace(path)
    return path
