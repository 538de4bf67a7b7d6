"""Stills and a storyboard of ten minutes of 1080p over HTTP, against decoding all of it.

python -m bench.stills [--folder DIR] [--rounds N]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.long_sources import ten_minutes
from bench.remote import ENGINE, FileServer, Run, measured, median, row

_TIMES_S = (97, 311, 523)
_MOST_SHARE, _LEAST_FACTOR = 0.03, 10


def decoding_all(server: FileServer) -> Run:
    return measured(
        server, "ffmpeg", "-nostdin", "-v", "error", "-i", server.url, "-an", "-f", "null", "-"
    )


def our_stills(server: FileServer, folder: Path) -> Run:
    times = ",".join(map(str, _TIMES_S))
    return measured(
        server, ENGINE, "thumbnail", server.url, "--times", times, "--output", str(folder)
    )


def their_stills(server: FileServer, folder: Path) -> Run:
    """One ffmpeg per still: it seeks to one place in each input."""
    inputs: list[str] = []
    outputs: list[str] = []
    for number, time_s in enumerate(_TIMES_S):
        inputs += ["-ss", str(time_s), "-i", server.url]
        outputs += ["-map", f"{number}:v", "-frames:v", "1", "-s", "320x180"]
        outputs += [str(folder / f"theirs-{number}.png")]
    return measured(server, "ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, *outputs)


def our_storyboard(server: FileServer, folder: Path) -> Run:
    return measured(
        server, ENGINE, "thumbnail", server.url, "--storyboard", "--output", str(folder)
    )


def their_storyboard(server: FileServer, folder: Path) -> Run:
    """Key frames only, as well; ffmpeg reads everything between them all the same."""
    return measured(
        server,
        *("ffmpeg", "-nostdin", "-v", "error", "-y", "-skip_frame", "nokey", "-i", server.url),
        *("-an", "-vf", "fps=1/3,scale=160:90,tile=10x10", str(folder / "theirs-%d.jpg")),
    )


def report(name: str, ours: list[Run], theirs: list[Run], whole: Run, size: int) -> Run:
    mine, other = median(ours), median(theirs)
    print(" ", row(f"{name}, millrace-engine", mine, size))
    print(" ", row(f"{name}, ffmpeg", other, size))
    print(
        f"    {whole.wall_s / mine.wall_s:.1f}x (wall) and {whole.cpu_s / mine.cpu_s:.1f}x (CPU) "
        f"as fast as decoding all; {other.wall_s / mine.wall_s:.1f}x and "
        f"{other.cpu_s / mine.cpu_s:.1f}x as fast as that ffmpeg"
    )
    return mine


def compare(source: Path, folder: Path, rounds: int) -> bool:
    """All in turns; whether the engine is within its limits."""
    with FileServer(source).running() as server:
        runs: dict[str, list[Run]] = {}
        for _ in range(rounds):
            runs.setdefault("all", []).append(decoding_all(server))
            runs.setdefault("stills", []).append(our_stills(server, folder))
            runs.setdefault("their stills", []).append(their_stills(server, folder))
            runs.setdefault("board", []).append(our_storyboard(server, folder))
            runs.setdefault("their board", []).append(their_storyboard(server, folder))
        size, whole = server.size, median(runs["all"])
        print(f"{source.name}: {size / 1e6:.0f} MB")
        print(" ", row("decoding all, ffmpeg", whole, size))
        stills = report("three stills", runs["stills"], runs["their stills"], whole, size)
        board = report("storyboard", runs["board"], runs["their board"], whole, size)
    few = stills.sent_bytes < _MOST_SHARE * size
    fast = whole.wall_s > _LEAST_FACTOR * max(stills.wall_s, board.wall_s)
    print(f"  three stills {'within' if few else 'NOT within'} 3 % of the bytes")
    print(f"  both {'' if fast else 'NOT '}at least {_LEAST_FACTOR}x as fast as decoding all")
    return few and fast


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep the sources there")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        good = compare(ten_minutes(folder), Path(scratch), options.rounds)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
