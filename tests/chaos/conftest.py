"""A pipeline to be killed, beside the one that other tests share: they mostly wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.fixtures import running_pipeline
from tests.harness.pipeline import Pipeline


@pytest.fixture(scope="session")
def pipeline() -> Iterator[Pipeline]:
    with running_pipeline("chaos-state") as running:
        yield running
