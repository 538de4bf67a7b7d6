"""The functions' tests share the pretended AWS of the domain's tests."""

from __future__ import annotations

from tests.unit.core.conftest import aws_environment, cloud, engine, no_sockets

__all__ = ["aws_environment", "cloud", "engine", "no_sockets"]
