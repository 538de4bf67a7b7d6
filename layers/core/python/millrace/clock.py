"""The time. One place, so that tests can move it instead of waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from millrace import keys


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present, aware, in UTC."""
    return _source()


def stamp(offset_s: float = 0.0) -> str:
    """`now` plus `offset_s` seconds as the table stores it."""
    return keys.timestamp(now() + timedelta(seconds=offset_s))


def age_s(stamped: str) -> float:
    """Seconds since a stored time; negative when it lies ahead."""
    return (now() - datetime.fromisoformat(stamped)).total_seconds()


@contextmanager
def source(replacement: Callable[[], datetime]) -> Iterator[None]:
    """Take the time from elsewhere for a while (tests)."""
    global _source  # noqa: PLW0603 - the process has one clock
    previous, _source = _source, replacement
    try:
        yield
    finally:
        _source = previous
