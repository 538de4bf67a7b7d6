"""SQLite files, as the state is kept in.

Write-ahead logging hands every commit to the operating system, so the death of this process at any
instant loses none. `synchronous=NORMAL` keeps the file whole through a power failure too, which
may cost the last commits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FormatError(Exception):
    """The file was written by another version; the text says what to do."""


def open_database(path: Path, tables: str, file_format: int) -> sqlite3.Connection:
    """Open or make the file. One connection for all threads: the caller locks.

    Raises FormatError when it has another format than `file_format`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if found not in (0, file_format):
        raise FormatError(
            f"{path} has format {found}, this version reads format {file_format}: use the version "
            "that wrote it, or start afresh with `./millrace reset`"
        )
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
        f"{tables} PRAGMA user_version={file_format};"
    )
    return database


@contextmanager
def committed(database: sqlite3.Connection) -> Iterator[None]:
    """All of the block's changes, or none when it, or the commit (a full disk), raises."""
    database.execute("BEGIN")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise
