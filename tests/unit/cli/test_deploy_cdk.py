"""How the CDK's programs are run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cli import deploy_cdk
from cli.deploy_cdk import DeployError


def test_output_is_logged_and_followed_when_a_program_runs(tmp_path: Path) -> None:
    seen: list[str] = []
    log = tmp_path / "logs" / "deploy.log"
    deploy_cdk._run([sys.executable, "-c", "print('hello')"], {}, log, seen.append)
    assert seen == ["hello\n"]
    assert log.read_text() == "hello\n"


def test_end_of_the_output_is_told_when_a_program_fails(tmp_path: Path) -> None:
    program = "import sys; print('a reason'); sys.exit(3)"
    with pytest.raises(DeployError, match=r"deploy\.log\):\na reason"):
        deploy_cdk._run(
            [sys.executable, "-c", program], {}, tmp_path / "deploy.log", lambda _line: None
        )


def test_program_ends_when_the_one_who_follows_gives_up(tmp_path: Path) -> None:
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    pids: list[int] = []

    def give_up(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deploy_cdk._run([sys.executable, "-c", program], {}, tmp_path / "log", give_up)
    assert not Path(f"/proc/{pids[0]}").exists()


def test_programs_know_no_credentials_and_call_nobody_when_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    environment = deploy_cdk._tools()
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert environment["CDK_DISABLE_CLI_TELEMETRY"] == "1"
    assert environment["PATH"].startswith(str(Path(sys.executable).parent))


def test_resources_are_counted_when_the_template_is_read(tmp_path: Path) -> None:
    template: dict[str, dict[str, object]] = {"Resources": {"A": {}, "B": {}}}
    (tmp_path / "Millrace.template.json").write_text(json.dumps(template))
    assert deploy_cdk._resource_count(tmp_path) == 2
