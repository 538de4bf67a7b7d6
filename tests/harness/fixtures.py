"""The one running pipeline that integration and browser tests share, and a film on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.harness import media
from tests.harness.growth import Watcher
from tests.harness.pipeline import REPOSITORY, Pipeline, free_port
from tests.harness.secrets_in import secrets_in


@contextmanager
def running_pipeline(name: str, more: Mapping[str, str] | None = None) -> Iterator[Pipeline]:
    """A Millrace on a state directory of its own, started from nothing.

    Chunks are small, so that even short clips are made of several; webhooks may lead
    to this machine.

    Args:
        more: settings.
    """
    state_dir = REPOSITORY / "build" / name
    shutil.rmtree(state_dir, ignore_errors=True)
    settings = {
        "MILLRACE_CHUNK_SEGMENTS": "3",
        "MILLRACE_WEBHOOK_NETWORKS": "public,127.0.0.0/8",
        "MILLRACE_WEBHOOK_PLAIN_HTTP": "true",
    }
    running = Pipeline(state_dir, settings={**settings, **(more or {})})
    try:
        yield running.start()
    finally:
        if running.process is not None and running.process.poll() is None:
            running.stop()
    leaks = list(secrets_in(state_dir / "logs"))
    assert not leaks, f"{len(leaks)} secrets in the logs of the whole suite: {leaks[:5]}"


@pytest.fixture(scope="session")
def pipeline() -> Iterator[Pipeline]:
    """The one that nobody does any harm to. Calls have a relay where one is installed."""
    relay = {"MILLRACE_TURN": "1", "MILLRACE_TURN_PORT": str(free_port())}
    with running_pipeline("test-state", relay if shutil.which("turnserver") else None) as running:
        yield running


@pytest.fixture(scope="session")
def watched(pipeline: Pipeline) -> tuple[dict[str, Any], Watcher]:
    """A real 52-second film trailer, completed; long enough for several chunks. Its playlists were
    looked at all the while."""
    video_id = pipeline.upload(media.SINTEL)
    watcher = Watcher(f"{pipeline.site_url}/videos/{video_id}/master.m3u8")
    return pipeline.wait(video_id, meanwhile=watcher.look), watcher


@pytest.fixture(scope="session")
def sintel(watched: tuple[dict[str, Any], Watcher]) -> dict[str, Any]:
    """The film alone."""
    return watched[0]
