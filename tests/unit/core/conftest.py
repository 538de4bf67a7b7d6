"""Fixtures of the domain's unit tests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.unit.core.fake_engine import FakeEngine
from tests.unit.core.harness import Cloud, pretended_aws
from tests.unit.core.internet import Internet


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a unit test tried to connect to something")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    still = tmp_path / "picture.png"
    Image.new("RGB", (320, 160), "white").save(still)
    home = tmp_path / "fake-engine"
    home.mkdir()
    return FakeEngine.made(home, still)


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    pretended = Internet()
    pretended.attach(monkeypatch)
    return pretended


@pytest.fixture
def cloud(engine: FakeEngine, aws_environment: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with pretended_aws(engine, aws_environment.setenv) as made:
        yield made
