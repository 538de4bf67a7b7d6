"""The one running pipeline that integration, browser and chaos tests share, and a film on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import media
from tests.harness.pipeline import REPOSITORY, Pipeline


@pytest.fixture(scope="session")
def pipeline() -> Iterator[Pipeline]:
    """A Millrace on a state directory of its own, started from nothing.

    Chunks are small, so that even short clips are made of several; webhooks may lead
    to this machine.
    """
    state_dir = REPOSITORY / "build" / "test-state"
    shutil.rmtree(state_dir, ignore_errors=True)
    settings = {
        "MILLRACE_CHUNK_SEGMENTS": "3",
        "MILLRACE_WEBHOOK_NETWORKS": "public,127.0.0.0/8",
        "MILLRACE_WEBHOOK_PLAIN_HTTP": "true",
    }
    running = Pipeline(state_dir, settings=settings)
    try:
        yield running.start()
    finally:
        if running.process is not None and running.process.poll() is None:
            running.stop()


@pytest.fixture(scope="session")
def sintel(pipeline: Pipeline) -> dict[str, Any]:
    """A real 52-second film trailer, completed; long enough for several chunks."""
    return pipeline.wait(pipeline.upload(media.SINTEL))
