"""The image of the whole, run as docker-compose.yml runs it: a video goes through."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.harness import media
from tests.harness.docker import LABEL, REPOSITORY, Docker

pytestmark = [pytest.mark.exhaustive, pytest.mark.needs_docker, pytest.mark.needs_root]

NAME = "millrace-whole"
STARTED_S = 400
CLIENT = """
import json, sys
from pathlib import Path
from tests.harness.pipeline import Pipeline
running = Pipeline(Path("/millrace/.millrace"), 4566, 4567)
print(json.dumps(running.wait(running.upload(Path(sys.argv[1])), "completed")))
"""


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    found: dict[str, Any] = compose["services"]["millrace"]
    return found


def options(service: dict[str, Any]) -> list[str]:
    """Of `docker run`, as Compose would give them; no ports: nobody comes from outside."""
    environment = [f"{name}={value}" for name, value in service["environment"].items()]
    many = {
        "--env": environment,
        "--volume": [f"{NAME}-{volume}" for volume in service["volumes"]],
        "--tmpfs": service["tmpfs"],
        "--cap-drop": service["cap_drop"],
        "--security-opt": service["security_opt"],
    }
    assert service["init"]
    assert service["read_only"]
    given = ["--init", "--read-only", "--network", "none"]
    return [
        *given,
        *(part for key, values in many.items() for each in values for part in (key, each)),
    ]


@pytest.fixture(scope="module")
def whole(docker: Docker, service: dict[str, Any]) -> Iterator[Docker]:
    image = docker.build(service["build"]["dockerfile"], service["image"])
    volumes = [f"{NAME}-{volume.split(':')[0]}" for volume in service["volumes"]]
    tools = ("--volume", f"{REPOSITORY}/tests:/tools/tests:ro")
    started = ("run", "--detach", "--name", NAME, "--label", LABEL)
    docker(*started, *options(service), *tools, image)
    try:
        _wait_until_ready(docker, service["healthcheck"]["test"][1:])
        yield docker
    finally:
        docker("rm", "--force", NAME)
        docker("volume", "rm", *volumes)


def _wait_until_ready(docker: Docker, check: list[str]) -> None:
    deadline = time.monotonic() + STARTED_S
    while time.monotonic() < deadline:
        if docker("inspect", "--format", "{{.State.Running}}", NAME).strip() != "true":
            break
        if docker.succeeds("exec", NAME, *check):
            return
        time.sleep(1)
    pytest.fail(f"it did not start:\n{docker('logs', '--tail', '50', NAME)}")


def test_video_is_completed_when_the_whole_runs_in_docker(whole: Docker) -> None:
    clip = f"/tools/{media.SINTEL.relative_to(REPOSITORY)}"
    path = "PYTHONPATH=/tools:/millrace/layers/core/python:/millrace"
    done = whole("exec", "--env", path, NAME, "python", "-B", "-c", CLIENT, clip)
    assert json.loads(done.splitlines()[-1])["status"] == "completed"


def test_code_cannot_be_changed_when_the_whole_runs_in_docker(whole: Docker) -> None:
    owned = whole("exec", NAME, "find", "/millrace", "-xdev", "!", "-user", "root").split()
    assert set(owned) == {f"/millrace/{name}" for name in (".millrace", "build/cdk", "build/layer")}
    assert whole("exec", NAME, "id", "-u").strip() == "10001"
    assert not whole.succeeds("exec", NAME, "touch", "/millrace/cli/new.py")


def test_it_ends_in_good_order_when_it_is_stopped(whole: Docker, service: dict[str, Any]) -> None:
    grace = service["stop_grace_period"].removesuffix("s")
    whole("stop", "--time", grace, NAME)
    assert whole("inspect", "--format", "{{.State.ExitCode}}", NAME).strip() in ("0", "130", "143")
