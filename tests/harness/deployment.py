"""`./millrace deploy` and `destroy`, as a person gives them beside a running pipeline."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.harness.pipeline import REPOSITORY, Pipeline


def command(pipeline: Pipeline, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one to its end, with the pipeline's LocalStack for its target."""
    return subprocess.run(
        [sys.executable, "-m", "cli", name, "--target", "localstack", *arguments],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "MILLRACE_STATE_DIR": str(pipeline.state_dir),
            "PYTHONPATH": f"{REPOSITORY}/layers/core/python:{REPOSITORY}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
