"""`./millrace deploy` on the running pipeline: what runs is what the sources say, and works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from cli import aws
from cli.monitoring import prepare_monitoring
from tests.harness.pipeline import REPOSITORY, Pipeline

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]


def _run(pipeline: Pipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "deploy", "--target", "localstack", *arguments],
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


def test_nothing_changes_and_all_works_when_deployed_again(pipeline: Pipeline) -> None:
    done = _run(pipeline, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert "nothing would change" in done.stderr
    outputs = json.loads(done.stdout)
    assert outputs["api_url"] == pipeline.api_url
    assert outputs["site_url"] == pipeline.site_url
    assert done.stderr.count("✓") == 8, "plan, deployment and six looks"


def test_prometheus_finds_its_token_and_the_api_when_its_folder_is_made(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in aws.environment(0):
        monkeypatch.setenv(name, "restored afterwards")
    for _ in range(2):
        prepare_monitoring(tmp_path, pipeline.api_url, pipeline.port, 100)
        token = (tmp_path / "metrics.token").read_text()
        monkeypatch.setattr(aws, "new_token", lambda *_: pytest.fail("a second token"))
    (group,) = json.loads((tmp_path / "targets" / "millrace.yml").read_text())
    (target,) = group["targets"]
    answer = requests.get(
        f"{target}/metrics", headers={"Authorization": f"Bearer {token.strip()}"}, timeout=60
    )
    assert answer.status_code == 200
    assert (tmp_path / "metrics.token").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "alerts.yml").exists()
