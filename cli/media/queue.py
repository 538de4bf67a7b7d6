"""The queue of a batch: a table in SQLite in the output folder, which outlives every crash.

A row is one file. Its moves are conditional writes, so that two batches on one folder share the
work and never do the same file twice.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cli.media.failures import Failure, from_os
from cli.media.output import alive

NAME = ".millrace-batch.sqlite3"
_TABLE = """CREATE TABLE IF NOT EXISTS jobs (
  source TEXT PRIMARY KEY, target TEXT NOT NULL UNIQUE, identity TEXT NOT NULL,
  options TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  owner INTEGER, not_before REAL NOT NULL DEFAULT 0, reason TEXT, message TEXT,
  source_bytes INTEGER, target_bytes INTEGER, took_s REAL,
  file TEXT, stream INTEGER, time_s REAL, advice TEXT, warnings TEXT)"""


class State(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    """The target was there already."""
    FAILED = "failed"


ENDED = (State.DONE, State.SKIPPED, State.FAILED)


@dataclass(frozen=True, slots=True)
class Job:
    source: str
    target: str
    state: State
    attempts: int
    reason: str | None
    message: str | None
    source_bytes: int | None
    target_bytes: int | None
    took_s: float | None
    file: str | None = None
    """What the failure is about: the source, or the target on a full disk."""
    stream: int | None = None
    time_s: float | None = None
    advice: str | None = None
    warnings: str | None = None
    """What the last attempt said of it, a line each."""

    @property
    def failure(self) -> Failure | None:
        """Why it failed, or None."""
        if self.state is not State.FAILED:
            return None
        return Failure(
            self.reason or "INTERNAL",
            self.message or "",
            file=self.file,
            stream=self.stream,
            time_s=self.time_s,
            advice=self.advice,
        )


_COLUMNS = ", ".join(Job.__slots__)


def identity(source: Path) -> str:
    """Changes when the file does.

    Raises:
        Failure: it is not there any more.
    """
    try:
        facts = source.stat()
    except OSError as error:
        raise from_os(error, source) from error
    return f"{facts.st_size} {facts.st_mtime_ns}"


class Queue:
    """Args:
    folder: the batch's output; it exists.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._base = sqlite3.connect(
            folder / NAME, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute(_TABLE)
        self._reclaim()

    def close(self) -> None:
        with self._lock:
            self._base.close()

    def _do(self, statement: str, *values: object) -> int:
        """How many rows it changed."""
        with self._lock:
            return self._base.execute(statement, values).rowcount

    def _ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            return self._base.execute(statement, values).fetchall()

    def _reclaim(self) -> None:
        """What a batch was at that was killed waits again."""
        for (owner,) in self._ask("SELECT DISTINCT owner FROM jobs WHERE state = ?", State.RUNNING):
            if not alive(int(str(owner))):
                statement = "UPDATE jobs SET state = ?, owner = NULL WHERE state = ? AND owner = ?"
                self._do(statement, State.PENDING, State.RUNNING, owner)

    def add(self, source: Path, target: Path, options: str, *, again: bool = False) -> None:
        """Let a file wait; one that is known only if it, or what is wanted of it, changed.

        Args:
            again: also if it failed before.

        Raises:
            Failure: the file is gone, or others have its places in the output folder.
        """
        known = identity(source)
        other = target.with_name(f"{source.name}{target.suffix}")
        for path in (target, other):
            inserted = self._do(
                "INSERT OR IGNORE INTO jobs"
                " (source, target, identity, options, state, source_bytes)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                *(str(source), str(path), known, options, State.PENDING, source.stat().st_size),
            )
            if inserted or self._ask("SELECT 1 FROM jobs WHERE source = ?", str(source)):
                break
        else:
            message = "Another file has its place in the output folder."
            raise Failure("USAGE", message, file=source, advice="rename one of them")
        failed = State.FAILED if again else None
        self._do(
            "UPDATE jobs SET state = ?, attempts = 0, identity = ?, options = ?, source_bytes = ?,"
            " reason = NULL, message = NULL, file = NULL, stream = NULL, time_s = NULL,"
            " advice = NULL, warnings = NULL WHERE source = ? AND state IN (?, ?, ?)"
            " AND (identity <> ? OR options <> ? OR state = ?)",
            *(State.PENDING, known, options, source.stat().st_size, str(source), *ENDED),
            *(known, options, failed),
        )

    def claim(self) -> Job | None:
        """The next file, which is now ours; None if none is due."""
        while True:
            due = self._ask(
                "SELECT source FROM jobs WHERE state = ? AND not_before <= ?"
                " ORDER BY rowid LIMIT 1",
                *(State.PENDING, time.time()),
            )
            if not due:
                return None
            taken = self._do(
                "UPDATE jobs SET state = ?, owner = ?, attempts = attempts + 1"
                " WHERE source = ? AND state = ?",
                *(State.RUNNING, os.getpid(), due[0][0], State.PENDING),
            )
            if taken:
                return self._job(str(due[0][0]))

    def _job(self, source: str) -> Job:
        (row,) = self._ask(f"SELECT {_COLUMNS} FROM jobs WHERE source = ?", source)  # noqa: S608
        return _job(row)

    def end(
        self,
        job: Job,
        state: State,
        failure: Failure | None = None,
        *,
        warnings: Sequence[str] = (),
        target_bytes: int | None = None,
        took_s: float | None = None,
    ) -> Job:
        """Note how it ended, if it is still ours.

        Args:
            target_bytes: of what was made; None leaves what is known of an earlier result.
        """
        why = failure
        self._do(
            "UPDATE jobs SET state = ?, owner = NULL, reason = ?, message = ?, file = ?,"
            " stream = ?, time_s = ?, advice = ?, warnings = ?,"
            " target_bytes = COALESCE(?, target_bytes), took_s = ?"
            " WHERE source = ? AND state = ? AND owner = ?",
            state,
            *((why.reason, why.message, why.file or job.source) if why else (None, None, None)),
            *((why.stream, why.time_s, why.advice) if why else (None, None, None)),
            *("\n".join(warnings) or None, target_bytes, took_s),
            *(job.source, State.RUNNING, os.getpid()),
        )
        return self._job(job.source)

    def put_back(self, job: Job, wait_s: float = 0.0, *, forgive: bool = False) -> None:
        """Let it wait again.

        Args:
            forgive: the attempt does not count.
        """
        self._do(
            "UPDATE jobs SET state = ?, owner = NULL, not_before = ?, attempts = attempts - ?"
            " WHERE source = ? AND state = ? AND owner = ?",
            *(State.PENDING, time.time() + wait_s, int(forgive), job.source, State.RUNNING),
            os.getpid(),
        )

    def total(self) -> int:
        """How many there are."""
        (count,) = self._ask("SELECT COUNT(*) FROM jobs")[0]
        return int(str(count))

    def open(self) -> int:
        """How many are not at their end."""
        statement = "SELECT COUNT(*) FROM jobs WHERE state IN (?, ?)"
        (count,) = self._ask(statement, State.PENDING, State.RUNNING)[0]
        return int(str(count))

    def jobs(self) -> Iterator[Job]:
        """All, in the order in which they came."""
        for row in self._ask(f"SELECT {_COLUMNS} FROM jobs ORDER BY rowid"):  # noqa: S608
            yield _job(row)


def _job(row: tuple[object, ...]) -> Job:
    named = dict(zip(Job.__slots__, row, strict=True))
    return Job(**{**named, "state": State(str(named["state"]))})  # type: ignore[arg-type]
