"""Videos that several tests look at, uploaded once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import media
from tests.harness.pipeline import Pipeline


@pytest.fixture(scope="session")
def sintel(pipeline: Pipeline) -> dict[str, Any]:
    """A real 52-second film trailer, completed; long enough for several chunks."""
    return pipeline.wait(pipeline.upload(media.SINTEL))
