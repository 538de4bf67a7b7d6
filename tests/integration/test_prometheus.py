"""Debian's Prometheus beside a running Millrace, set up as the how-to says."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from millrace import clock, keys
from millrace.model import Worker
from tests.harness import media
from tests.harness.pipeline import REPOSITORY, Pipeline, eventually, free_port
from tests.harness.prometheus import Asked, rules, shown

pytestmark = [
    *(pytest.mark.needs_cloud, pytest.mark.needs_engine, pytest.mark.needs_prometheus),
]

HOW_TO = REPOSITORY / "docs" / "how-to" / "monitoring.md"
ANSWERED_WITHIN_S = 120


@pytest.fixture
def prometheus(pipeline: Pipeline, tmp_path: Path) -> Iterator[str]:
    """The address of one that has read `/metrics` once, and does so every other second."""
    prepare, run = re.findall(r"```bash\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    folder, port = tmp_path / "monitoring", free_port()
    prepare = prepare.replace("build/monitoring", str(folder))
    environment = {**os.environ, "MILLRACE_STATE_DIR": str(pipeline.state_dir)}
    bash = ["bash", "-euo", "pipefail", "-c"]
    subprocess.run([*bash, prepare], cwd=REPOSITORY, env=environment, check=True)
    for name in ("prometheus.yml", "alerts.yml"):
        path = folder / name
        path.write_text(path.read_text().replace("15s", "2s"))
    run = f"folder={folder}; exec {run.replace('9090', str(port))}"
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*bash, run], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/api/v1"
    try:
        eventually("a first reading", lambda: process.poll() is None and _is_read(url), 60)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _is_read(url: str) -> bool:
    # It says so in plain text while it starts.
    with suppress(requests.RequestException):
        found = ask(url, "query", query='up{job="millrace"}')["result"]
        return [sample["value"][1] for sample in found] == ["1"]
    return False


def ask(url: str, what: str, **parameters: Any) -> Any:
    return requests.get(f"{url}/{what}", parameters, timeout=10).json()["data"]


def is_answered(url: str, asked: Asked, since: float) -> bool:
    """Whether there is a number in what Grafana would draw."""
    window = {"start": since, "end": time.time(), "step": 1}
    found = ask(url, "query_range", query=asked.expression, **window)["result"]
    return any(value != "NaN" for series in found for _, value in series["values"])


@pytest.fixture
def busy_worker(pipeline: Pipeline) -> Iterator[None]:
    """One in the middle of a task. A real one has a load from its first heartbeat on, which
    a short film's tasks do not reach."""
    name = "worker-of-a-test"
    worker = Worker(
        keys.worker_pk(name),
        name,
        function="transcode",
        task_id="transcode-00000",
        cpu_percent=97.5,
        memory_bytes=1 << 30,
        heartbeat_at=clock.stamp(),
        ttl=clock.now() + timedelta(minutes=1),
    )
    table = pipeline.client("dynamodb")
    item = worker.serialize()
    table.put_item(TableName="millrace", Item=item)
    yield
    table.delete_item(TableName="millrace", Key={"pk": item["pk"], "sk": item["sk"]})


def test_every_query_of_a_dashboard_has_data_when_prometheus_reads_a_running_millrace(
    pipeline: Pipeline, prometheus: str, busy_worker: None
) -> None:
    began = time.time()
    pipeline.wait(pipeline.upload(media.clip("watched-by-prometheus.mp4", 2)), "completed")
    without_data = list(shown())

    def all_have_data() -> bool:
        without_data[:] = [q for q in without_data if not is_answered(prometheus, q, began)]
        return not without_data

    with suppress(AssertionError):
        eventually("data for every query", all_have_data, ANSWERED_WITHIN_S, every_s=1)
    assert [query.where for query in without_data] == []
    (group,) = ask(prometheus, "rules")["groups"]
    assert [rule["health"] for rule in group["rules"]] == ["ok"] * len(rules())
