"""How fast and with how few bytes a 2 GB file is probed over HTTP, its index at either end.

python -m bench.probe [--folder DIR] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from bench.long_sources import two_gigabytes
from bench.remote import ENGINE, FileServer, Run, measured, median, row

_MOST_SHARE, _MOST_S = 0.01, 0.3


def compare(source: Path, rounds: int) -> bool:
    """Both programs in turns; whether the engine is within its limits."""
    with FileServer(source).running() as server:
        ours: list[Run] = []
        theirs: list[Run] = []
        for _ in range(rounds):
            ours.append(measured(server, ENGINE, "probe", server.url))
            theirs.append(
                measured(
                    server,
                    *("ffprobe", "-v", "error", "-show_format", "-show_streams"),
                    *("-show_chapters", "-of", "json", server.url),
                )
            )
        told = json.loads(ours[0].output.splitlines()[-1])["format"]
        ours_run, theirs_run = median(ours), median(theirs)
        print(f"{source.name}: {server.size / 1e9:.2f} GB, {told['duration_s']:.0f} s")
        print(" ", row("millrace-engine probe", ours_run, server.size))
        print(" ", row("ffprobe", theirs_run, server.size))
        within = ours_run.sent_bytes < _MOST_SHARE * server.size and ours_run.wall_s < _MOST_S
        print(f"  {'within' if within else 'NOT within'} 1 % of the bytes and {_MOST_S} s")
        return within


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep the sources there")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        sources = [two_gigabytes(folder, moov_first=first) for first in (True, False)]
        good = [compare(source, options.rounds) for source in sources]
    raise SystemExit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
