"""A pipeline for a measurement alone.

It is the one the tests drive: a person's `./millrace up`, and a client that does what a browser
does. That this comes from `tests/` spares a second client that would measure something else.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.tools import CACHE
from tests.harness.pipeline import Pipeline


@contextmanager
def own_pipeline(name: str, settings: Mapping[str, str] | None = None) -> Iterator[Pipeline]:
    """Started from nothing in `build/bench/NAME-state`, stopped at the end; its files stay.

    Args:
        settings: environment variables of `./millrace up`.
    """
    state_dir = CACHE / f"{name}-state"
    shutil.rmtree(state_dir, ignore_errors=True)
    running = Pipeline(state_dir, settings=dict(settings or {}))
    try:
        yield running.start()
    finally:
        if running.process is not None and running.process.poll() is None:
            running.stop()
