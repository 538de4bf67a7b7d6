"""The functions' images, built once for all tests here."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from tests.harness.docker import BASE, REPOSITORY, Docker, daemon, make_base
from tests.unit.local.executor.conftest import fleet, function, settings

__all__ = ["fleet", "function", "settings"]

FUNCTIONS = ("probe", "transcode", "thumbnail")


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """Of a daemon of the tests' own, or of the one on this machine that DOCKER_HOST names."""
    given = os.environ.get("DOCKER_HOST")
    own = daemon(REPOSITORY / "build" / "docker")
    with contextlib.nullcontext(Docker(given)) if given else own as found:
        if not found.has(BASE):
            make_base(found)
        yield found
        found.remove_containers()


@pytest.fixture(scope="session")
def built(docker: Docker) -> dict[str, str]:
    """Function → its image."""
    return {
        name: docker.build("functions/Dockerfile", f"millrace-{name}", FUNCTION=name)
        for name in FUNCTIONS
    }


@pytest.fixture(params=FUNCTIONS)
def image(request: pytest.FixtureRequest, built: dict[str, str]) -> str:
    return built[str(request.param)]
