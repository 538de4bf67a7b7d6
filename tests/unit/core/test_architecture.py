"""docs/ARCHITECTURE.md against the code."""

from __future__ import annotations

import re

from millrace.model import TaskStatus, VideoStatus
from tests.unit.core.harness import REPOSITORY

PAGE = (REPOSITORY / "docs" / "ARCHITECTURE.md").read_text()
SOURCE = REPOSITORY / "layers" / "core" / "python" / "millrace"


def test_every_module_named_exists() -> None:
    named = set(re.findall(r"`([a-z_]+)\.py`", PAGE)) - {"app"}
    assert named
    for name in named:
        assert (SOURCE / f"{name}.py").exists(), name


def test_every_function_and_file_named_exists() -> None:
    for name in re.findall(r"`(tests/[a-z_/.]+)`", PAGE):
        assert (REPOSITORY / name).exists(), name
    for module, function in re.findall(r"`([a-z]+)\.([a-z_]+)`", PAGE):
        path = SOURCE / f"{module}.py"
        if path.exists() and function != "py":
            assert f"def {function}(" in path.read_text(), f"{module}.{function}"


def test_state_diagrams_show_every_state() -> None:
    videos, tasks = re.findall(r"stateDiagram-v2(.*?)```", PAGE, re.DOTALL)
    shown = set(re.findall(r"[A-Z_]{5,}", videos))
    assert shown == set(VideoStatus)
    assert set(re.findall(r"[A-Z]{4,}", tasks)) == set(TaskStatus)
