"""What the deployment decides by itself; that it works is shown on the real LocalStack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli import deploy
from cli.deploy import ON_ONE_MACHINE, DeployConfig, Outputs

RAW = {
    "ApiId": "abc",
    "ApiStage": "api",
    "ApiUrl": "https://abc.execute-api.nowhere/api",
    "SiteUrl": "http://127.0.0.1:4900/millrace-site-local",
    "UploadsBucket": "millrace-uploads-local",
    "SiteBucket": "millrace-site-local",
    "Table": "millrace",
    "ProbeQueue": "http://127.0.0.1:4900/queue/us-east-1/000000000000/millrace-probe",
}


def _outputs(tmp_path: Path) -> Outputs:
    return deploy._outputs(RAW, DeployConfig(state_dir=tmp_path, port=4900, signal_port=4901))


def test_apis_are_reached_by_address_when_deployed_locally(tmp_path: Path) -> None:
    outputs = _outputs(tmp_path)
    assert outputs.signal_url == "ws://127.0.0.1:4901/signal"
    assert outputs.api_url == "http://127.0.0.1:4900/_aws/execute-api/abc/api"
    assert outputs.queue_urls == {"probe": RAW["ProbeQueue"]}


def test_local_settings_differ_from_aws_in_names_and_sizes_only_when_deployed(
    tmp_path: Path,
) -> None:
    config = DeployConfig(state_dir=tmp_path, port=4900, signal_port=4901, chunk_segments=4)
    assert config.settings().to_context() == {
        "suffix": "local",
        "cdn": "false",
        "image_repository": "millrace",
        "image_tag": "local",
        "site_url": "http://127.0.0.1:4900/millrace-site-local",
        "allowed_origins": "http://127.0.0.1:4900,http://localhost:4900",
        **{f"{name}_concurrency": str(most) for name, most in ON_ONE_MACHINE.items()},
        "chunk_segments": "4",
        "callback_url": "http://127.0.0.1:4901/signal",
        "stun_urls": "none",
    }


def test_callers_are_told_of_stun_servers_when_one_machine_asks_for_them(tmp_path: Path) -> None:
    asked = {"stun_urls": "stun:192.168.1.10:3478"}
    config = DeployConfig(state_dir=tmp_path, extra_settings=asked)
    assert config.settings().stun_urls == asked["stun_urls"]


def test_record_is_read_back_when_it_was_written(tmp_path: Path) -> None:
    settings = {"suffix": "local"}
    record = deploy._Record("a", "b", _outputs(tmp_path), settings)
    record.write(tmp_path)
    assert deploy.deployed_settings(tmp_path) == settings
    assert deploy._Record.read(tmp_path) == record
    assert isinstance(deploy._Record.read(tmp_path).outputs, Outputs)


def test_next_start_deploys_anew_when_the_record_was_forgotten(tmp_path: Path) -> None:
    deploy._Record("a", "b", _outputs(tmp_path)).write(tmp_path)
    deploy.forget(tmp_path)
    assert deploy._Record.read(tmp_path) == deploy._Record()
    assert deploy.deployed_settings(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"stack": "a", "site": "b"})])
def test_record_counts_as_none_when_it_is_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "deployed.json").write_text(text)
    assert deploy._Record.read(tmp_path) == deploy._Record()
