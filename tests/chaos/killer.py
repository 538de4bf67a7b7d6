"""Kills what runs and fills the disk, at moments that follow from a seed."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psutil

from tests.harness.pipeline import Pipeline

DISK_MIB = 192
FULL_S = 2.5
"""So short that it costs a task two of its four attempts at most: they are 1, 2 and 4 s apart."""
_LEAST_PAUSE_S, _MOST_PAUSE_S = 0.3, 2.5
_PATIENCE_S = 2.0
_SELECTIONS = ("--chunk", "--audio", "--subtitles")


def disk_folder(pipeline: Pipeline) -> Path:
    """Where functions keep their temporary files."""
    return pipeline.state_dir / "cloud" / "functions" / "tmp"


@cache
def namespace() -> tuple[str, ...]:
    """How to start a program that may mount something for itself; empty where nobody may."""
    unprivileged = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    command = ("unshare", *unprivileged, "--mount", "--")
    try:
        done = subprocess.run([*command, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return ()
    return command if done.returncode == 0 else ()


@dataclass
class Killer:
    """One storm's deaths."""

    pipeline: Pipeline
    seed: int
    emulator_kills: int = 1
    struck: Counter[str] = field(default_factory=Counter)
    _killed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"killer-{self.seed}")

    def rage(self, seconds: float, stop: threading.Event) -> None:
        """Until the time is over; the emulator dies at moments drawn beforehand."""
        began = time.monotonic()
        deaths = sorted(
            self._chance.uniform(0.3, 0.9) * seconds for _ in range(self.emulator_kills)
        )
        turns = self._turns()
        while (passed := time.monotonic() - began) < seconds and not stop.is_set():
            if deaths and passed > deaths[0]:
                deaths.pop(0)
                self.kill_emulator()
            else:
                next(turns)()
            stop.wait(self._chance.uniform(_LEAST_PAUSE_S, _MOST_PAUSE_S))
        if deaths:  # a short storm must have them, too
            self.kill_emulator()

    def _turns(self) -> Iterator[Callable[[], None]]:
        """Every means again and again, in an order that is drawn anew each time."""
        means = [self.kill_engine] * 3 + [self.kill_function] * 2
        means += [self.fill_disk] if namespace() else []
        while True:
            self._chance.shuffle(means)
            yield from means

    def kill_engine(self) -> None:
        """One for each task: whoever kills the same one four times is to see its video fail."""
        self._kill("an engine was killed", "millrace-engine", "transcode")

    def kill_function(self) -> None:
        self._kill("a function was killed", "awslambdaric")

    def kill_emulator(self) -> None:
        """The cloud itself; `up` starts another."""
        with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess, ValueError):
            psutil.Process(self.pipeline.running["cloud_pid"]).kill()
            self.struck["the emulator was killed"] += 1

    def fill_disk(self) -> None:
        """To its last byte, for a while. It is seen through the process that has it mounted."""
        assert self.pipeline.process is not None
        seen = Path(f"/proc/{self.pipeline.process.pid}/root{disk_folder(self.pipeline).resolve()}")
        filler = seen / "filler"
        try:
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(1 << 16))
            time.sleep(self._chance.uniform(0.5, FULL_S))
        finally:
            with contextlib.suppress(OSError):
                filler.unlink()
        self.struck["the disk was full"] += 1

    def _kill(self, what: str, *words: str) -> None:
        """One of those that run; the first that comes, if none does."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (found := self._unharmed(*words)):
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        process, work = self._chance.choice(found)
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
            self._killed.add(work)
            self.struck[what] += 1

    def _unharmed(self, *words: str) -> list[tuple[psutil.Process, str]]:
        """Processes whose task lost none before, with what tells that task."""
        found = []
        for process in self.pipeline.processes(*words):
            with contextlib.suppress(psutil.Error):
                if (work := _task_of(process)) not in self._killed:
                    found.append((process, work))
        return found


def _task_of(process: psutil.Process) -> str:
    """An engine's source and part, without the signature that every attempt has anew; of a
    function, which has many tasks, the process itself."""
    line = process.cmdline()
    if "transcode" not in line:
        return str(process.pid)
    source = line[line.index("transcode") + 1].partition("?")[0]
    parts = [index for index, word in enumerate(line) if word in _SELECTIONS]
    return " ".join([source, *(word for index in parts for word in line[index : index + 2])])
