"""One source taken through everything the engine does with it: probe, a still, a transcode by the
plan the pipeline would make. What came of it is one value to compare."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from millrace import plan
from millrace.ladder import Rung
from millrace.media import parse
from millrace.plan import Plan
from tests.harness import media

ENGINES = media.REPOSITORY / "build" / "engine"
RUNGS = (Rung("90p", 90, 400_000, 30),)
WALL_TIME_S = 60
"""A bound that nothing here comes near to."""

Line = dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """The engine said no, in order: an error line and the exit code that belongs to it."""

    exit_code: int
    code: str
    position_s: float | None = None


@dataclass(frozen=True)
class Made:
    """What the first rendition is, and what the engine said about it."""

    size: str
    frames: int
    rate: str
    sounds: int = 0
    warnings: tuple[str, ...] = ()


Outcome = Refused | Made


@dataclass(frozen=True)
class Finished:
    exit_code: int
    lines: Sequence[Line]
    log: str
    peak_bytes: int
    """The most memory it had resident."""

    @property
    def last(self) -> Line:
        assert self.lines, self.log
        return self.lines[-1]


@dataclass(frozen=True)
class Engine:
    """A build of the engine, by the name of its CMake preset."""

    preset: str
    environment: Mapping[str, str]

    @property
    def path(self) -> Path:
        return ENGINES / self.preset / "millrace-engine"

    def run(self, *arguments: str | Path) -> Finished:
        """Run it to its end, which has to be in order, whatever the source."""
        limit = ("--wall-time-s", str(WALL_TIME_S))
        command = [str(argument) for argument in (self.path, *arguments, *limit)]
        finished = _run(command, {**os.environ, **self.environment})
        assert finished.exit_code in (0, 3, 4, 5, 6), f"{command}\n{finished}"
        kind = "result" if finished.exit_code == 0 else "error"
        assert finished.last["type"] == kind, finished.lines
        return finished


_MEASURED = """
import json, os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
told = json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss << 10])
os.write(int(sys.argv[1]), told.encode())
"""
"""Linux counts what a process had before exec, which is what its parent had: a small one it must
be, or the memory of the tests is measured."""


def _run(command: Sequence[str], environment: Mapping[str, str]) -> Finished:
    with TemporaryFile() as out, TemporaryFile() as log, TemporaryFile() as told:
        process = subprocess.Popen(
            [sys.executable, "-IS", "-c", _MEASURED, str(told.fileno()), *command],
            stdout=out,
            stderr=log,
            env=environment,
            pass_fds=[told.fileno()],
            start_new_session=True,
        )
        with _ended_when_overdue(process):
            process.wait()
        for file in (out, log, told):
            file.seek(0)
        lines = [json.loads(line) for line in out if line.strip()]
        text = log.read().decode(errors="replace")
        exit_code, peak_bytes = json.loads(told.read() or b"[-9, 0]")
    return Finished(exit_code, lines, text, peak_bytes)


@contextmanager
def _ended_when_overdue(process: subprocess.Popen[bytes]) -> Iterator[None]:
    timer = threading.Timer(2 * WALL_TIME_S, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def refused(finished: Finished) -> Refused:
    """The failure of a run; its message must be one for a person."""
    last = finished.last
    assert last["message"].endswith("."), last
    return Refused(finished.exit_code, last["code"], last.get("position_s"))


def plan_of(probed: Finished, **changes: Any) -> Plan:
    options: dict[str, Any] = {"chunk_segments": 8, "preset": "ultrafast", "rungs": RUNGS}
    return plan.make(parse(probed.last), **{**options, **changes})


def saved(the_plan: Plan, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "plan.json"
    file.write_text(json.dumps(the_plan.to_json()))
    return file


def go_through(engine: Engine, source: Path, folder: Path) -> Outcome:
    """Probe, still from the middle, transcode of the whole; the first failure is the outcome, and
    what fails to be probed must fail to give a still for the same reason."""
    probed = engine.run("probe", source)
    stills = ("thumbnail", source, "--output", folder / "stills", "--width", "64", "--times")
    if probed.exit_code != 0:
        assert refused(engine.run(*stills, "0")).code == probed.last["code"]
        return refused(probed)
    the_plan = plan_of(probed)
    still = engine.run(*stills, str(the_plan.thumbnails.times_s[1]))
    if still.exit_code != 0:
        return refused(still)
    check_still(folder / "stills", still.last["images"][0])
    plan_file = saved(the_plan, folder)
    made = engine.run("transcode", source, "--plan", plan_file, "--output", folder / "made")
    return refused(made) if made.exit_code != 0 else outcome(made, the_plan, folder / "made")


def check_still(folder: Path, image: Line) -> None:
    head = (folder / image["path"]).read_bytes()[:24]
    assert struct.unpack(">II", head[16:24]) == (image["width"], image["height"])
    assert max(image["width"] / 64, image["height"] / 180) == 1


def outcome(made: Finished, the_plan: Plan, folder: Path) -> Made:
    """What ffprobe finds in the first rendition, which must be what the engine says."""
    name = the_plan.video.renditions[0].name
    stream = media.ffprobe(joined(folder / name), "-show_streams", "-count_packets")["streams"][0]
    frames = int(stream["nb_read_packets"])
    assert frames == made.last["frames"]
    assert stream["r_frame_rate"] == "{num}/{den}".format(**the_plan.to_json()["frame_rate"])
    sounds = [track for track in made.last["audio"] if track["segments"] > 0]
    return Made(
        size=f"{stream['width']}x{stream['height']}",
        frames=frames,
        rate=stream["r_frame_rate"].removesuffix("/1"),
        sounds=len(sounds),
        warnings=tuple(sorted(warning["code"] for warning in made.last["warnings"])),
    )


def joined(folder: Path) -> Path:
    """A rendition as one file."""
    whole = folder / "whole.mp4"
    parts = [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    return whole
