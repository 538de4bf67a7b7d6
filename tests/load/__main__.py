"""Uploads many videos at once to a Millrace of its own, or to the running one, and reports.

./millrace bench load --videos 120            # a pipeline of its own, below build/bench
./millrace bench load --videos 40 --running   # the one that `./millrace up` started
./millrace bench load --videos 8 --hours 2    # a soak: 8 people, each upload after the last
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.markdown import put_between_marks
from bench.own import own_pipeline
from bench.tools import CACHE, REPOSITORY
from tests.harness.pipeline import Pipeline
from tests.load import sources
from tests.load.report import Outcome, markdown, plot
from tests.load.sampling import Sampler

WORK = CACHE / "load"
PAGE = REPOSITORY / "docs" / "explanation" / "load.md"
IMAGES = REPOSITORY / "docs" / "images"
MOST_FAILED = 0.01
_SOAKED = 100
"""Files that a soak uploads over and over."""


def run(pipeline: Pipeline, videos: int, hours: float | None, folder: Path) -> Outcome:
    """Upload, follow, sample. Locust has a process of its own: it changes how sockets work."""
    folder.mkdir(parents=True, exist_ok=True)
    result = folder / "locust.json"
    result.unlink(missing_ok=True)
    kinds = sources.mix(_SOAKED if hours else videos)
    sources.write(kinds, folder / "sources.json")
    began_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    sampler = Sampler(pipeline.client("sqs"), pipeline.api_url, pipeline.running["pid"])
    with sampler.running():
        _locust(pipeline, videos, hours, folder)
    found = json.loads(result.read_text())
    return Outcome(
        found["jobs"],
        found["requests"],
        sampler.samples,
        psutil.cpu_count() or 1,
        platform.machine(),
        began_at,
    )


def _locust(pipeline: Pipeline, users: int, hours: float | None, folder: Path) -> None:
    environment = {
        **os.environ,
        "MILLRACE_LOAD_TOKEN": pipeline.token,
        "MILLRACE_LOAD_SOURCES": str(folder / "sources.json"),
        "MILLRACE_LOAD_RESULT": str(folder / "locust.json"),
        **({"MILLRACE_LOAD_HOURS": str(hours)} if hours else {}),
    }
    command = [sys.executable, "-m", "locust", "-f", "tests/load/locustfile.py", "--headless"]
    command += ["--users", str(users), "--spawn-rate", str(users), "--host", pipeline.api_url]
    # Failed requests are in the report; only Locust's own end counts here.
    command += ["--exit-code-on-error", "0", "--only-summary", "--loglevel", "WARNING"]
    with (folder / "locust.log").open("wb") as log:
        subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log, check=True)


@contextmanager
def _pipeline(running: Path | None) -> Iterator[Pipeline]:
    if running is None:
        with own_pipeline("load") as own:
            yield own
    else:
        port = json.loads((running / "up.json").read_text())["port"]
        yield Pipeline(running, port=port)


def _publish(outcome: Outcome, name: str) -> None:
    picture = f"![Queues, videos, processor and memory over time](../images/{name}.svg)"
    put_between_marks(PAGE, name, f"{markdown(outcome)}\n\n{picture}")
    plot(outcome, IMAGES / f"{name}.svg")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./millrace bench load", description=__doc__)
    parser.add_argument("--videos", type=int, default=120, help="uploads at once; people in a soak")
    parser.add_argument("--hours", type=float, help="soak: go on uploading for so long")
    parser.add_argument("--running", action="store_true", help="use the Millrace that runs")
    parser.add_argument("--publish", action="store_true", help="put the report into docs/")
    given = parser.parse_args()
    state = Path(os.environ.get("MILLRACE_STATE_DIR") or REPOSITORY / ".millrace")
    with _pipeline(state if given.running else None) as pipeline:
        outcome = run(pipeline, given.videos, given.hours, WORK)
    text = markdown(outcome)
    (WORK / "report.md").write_text(text + "\n")
    plot(outcome, WORK / "load.svg")
    print(text)
    if given.publish:
        _publish(outcome, "soak" if given.hours else "load")
    return 1 if len(outcome.failed) > MOST_FAILED * len(outcome.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
