"""Functions made of a few lines of source, run as real processes."""

from __future__ import annotations

import dataclasses
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.executor.fleet import Fleet
from local.executor.pool import FunctionPool
from local.executor.settings import Settings
from local.executor.spec import Command, FunctionSpec

MakeFunction = Callable[..., FunctionPool]


class NoCloud:
    """Stands in for CloudWatch and its logs, which these tests do not look at."""

    def put_log_events(self, **_: Any) -> None: ...

    def put_metric_data(self, **_: Any) -> None: ...


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Indirect parameters replace fields."""
    settings = Settings(
        python=Path(sys.executable),
        work_dir=tmp_path / "work",
        stop_grace_s=1.0,
        init_timeout_s=20.0,
    )
    return dataclasses.replace(settings, **getattr(request, "param", {}))


@pytest.fixture
def fleet(settings: Settings) -> Iterator[Fleet]:
    fleet = Fleet(settings, lambda _service, _region: NoCloud())
    yield fleet
    fleet.shutdown()


@pytest.fixture
def function(fleet: Fleet, tmp_path: Path) -> MakeFunction:
    """`function(source, **fields of FunctionSpec)` → its pool."""

    def make(source: str, **fields: Any) -> FunctionPool:
        name = f"f-{uuid.uuid4().hex[:8]}"
        folder = tmp_path / name
        folder.mkdir()
        (folder / "handler.py").write_text(textwrap.dedent(source))
        argv = (str(fleet.settings.python), "-m", "awslambdaric", "handler.handler")
        spec = FunctionSpec(name=name, command=Command(argv, folder), handler="handler.handler")
        spec = dataclasses.replace(spec, **{"timeout_s": 10.0, **fields})
        return fleet.add(name, spec)

    return make
