"""Plans for the measurements, made as the pipeline makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.tools import ENGINE, run
from millrace import media, plan
from millrace.plan import Plan


def last_line(*command: str | Path) -> dict[str, Any]:
    """The engine's result."""
    result: dict[str, Any] = json.loads(run(*command).splitlines()[-1])
    return result


def fixed_plan(source: Path, preset: str = "veryfast") -> Plan:
    """The default ladder for a source; one chunk."""
    info = media.parse(last_line(ENGINE, "probe", source))
    return plan.make(info, chunk_segments=1000, head_segments=0, preset=preset)


def written(made: Plan, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made.to_json()))
    return path
