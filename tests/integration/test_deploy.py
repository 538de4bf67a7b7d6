"""`./millrace deploy` on the running pipeline: what runs is what the sources say, and works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from cli import aws
from cli.monitoring import prepare_monitoring
from tests.harness.deployment import command
from tests.harness.pipeline import Pipeline

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]


def test_nothing_changes_and_all_works_when_deployed_again(pipeline: Pipeline) -> None:
    done = command(pipeline, "deploy", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert "nothing would change" in done.stderr
    outputs = json.loads(done.stdout)
    assert outputs["api_url"] == pipeline.api_url
    assert outputs["site_url"] == pipeline.site_url
    assert done.stderr.count("✓") == 8, "plan, deployment and six looks"


def test_plan_tells_the_change_and_makes_none_when_asked_for_it_alone(pipeline: Pipeline) -> None:
    changed = command(pipeline, "deploy", "--plan", "-c", "transcode_concurrency=7")
    assert changed.returncode == 3, changed.stderr
    assert "MaximumConcurrency" in changed.stderr
    unchanged = command(pipeline, "deploy", "--plan")
    assert unchanged.returncode == 0, unchanged.stderr
    assert "nothing would change" in unchanged.stderr


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
