"""Clouds of their own for these tests: each in a fresh folder, on a free port."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local import server


class Machine:
    """One state directory, and the cloud that runs on it now."""

    def __init__(self, state_dir: Path) -> None:
        self.config = server.CloudConfig(state_dir=state_dir, port=free_port())
        self.cloud: server.Cloud | None = None

    def start(self) -> server.Cloud:
        self.cloud = server.start(self.config)
        self.cloud.wait_ready()
        return self.cloud

    def kill(self) -> None:
        assert self.cloud is not None
        self.cloud.kill()

    def crash_and_start(self) -> None:
        """kill -9, and another start on what is left on the disk."""
        self.kill()
        self.start()

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.config.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=50),
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("state"))
    yield made
    if made.cloud is not None:
        made.cloud.kill()
