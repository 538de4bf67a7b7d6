"""What `deploy` and `destroy` say before anything is touched. That they work is shown on the real
LocalStack (`tests/integration/test_deploy.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from cdk.functions import FIRST_TOKEN
from cdk.settings import Settings
from cli.__main__ import main
from cli.deploy_aws import (
    Account,
    account,
    first_token,
    outputs_of,
    refuse_missing_tools,
)
from cli.deploy_cdk import DeployError
from cli.deploy_targets import AwsTarget
from millrace import auth, model

RAW = {
    **{"ApiUrl": "https://a/api", "SignalUrl": "wss://s", "SiteUrl": "https://d1.cloudfront.net"},
    **{"UploadsBucket": "u", "SiteBucket": "s", "Table": "millrace", "ProbeQueue": "https://q"},
    "DistributionDomain": "d1.cloudfront.net",
}


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a machine that never heard of AWS."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def in_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    region = "eu-central-1"
    monkeypatch.setenv("AWS_REGION", region)
    # The models are bound to it meanwhile; tests after this one have theirs elsewhere.
    for name, value in (("region", region), ("table_name", "millrace")):
        monkeypatch.setattr(model.Item.Meta, name, value, raising=False)
    monkeypatch.setattr(model.Item, "_connection", None)
    with mock_aws():
        yield account()


def _run(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--state-dir", str(tmp_path), *arguments])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "aws"], "set AWS_REGION"),
        (["--target", "aws", "-c", "domian=a.org"], "did you mean domain"),
        (["--target", "aws", "-c", "waf"], "name=value"),
        (["--target", "aws", "-c", "preset=fast", "--port", "4566"], "--port is for"),
        (["--target", "localstack"], "./millrace up starts it"),
        (["--target", "localstack", "-c", "probe_memory_mb=9"], "probe_memory_mb must be"),
        (["--target", "localstack", "--port", "1"], "no LocalStack answers"),
    ],
)
@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_nothing_is_begun_when_it_cannot_end_well(
    tmp_path: Path, command: str, arguments: list[str], message: str
) -> None:
    result = _run(tmp_path, command, *arguments)
    assert result.exit_code == 1
    assert message in " ".join(result.output.split())


def test_target_is_asked_for_when_none_is_given(tmp_path: Path) -> None:
    result = _run(tmp_path, "deploy")
    assert result.exit_code == 2
    assert "--target" in result.output


def test_account_and_region_are_named_when_aws_lets_us_in(
    in_account: Account, tmp_path: Path
) -> None:
    target = AwsTarget(in_account, Settings(), tmp_path / "log")
    assert target.where.startswith("account 123456789012, eu-central-1, as arn:aws:sts:")
    assert target.suffix == "123456789012-eu-central-1"
    assert not in_account.is_prepared


def test_another_endpoint_is_named_when_it_is_not_really_aws(
    in_account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert AwsTarget(in_account, Settings(), tmp_path / "log").where.endswith(
        "at http://127.0.0.1:4566"
    )


def test_programs_are_given_credentials_and_nothing_else_when_they_deploy(
    in_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "temporary")
    monkeypatch.setenv("UNRELATED_SECRET", "kept")
    given = in_account.environment
    assert given["AWS_SESSION_TOKEN"] == "temporary"
    assert given["AWS_REGION"] == "eu-central-1"
    assert "UNRELATED_SECRET" not in given


def test_nobody_is_let_in_when_there_are_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(DeployError, match="AWS does not let us in"):
        account()


def test_docker_is_asked_for_when_images_are_to_be_built_without_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refuse_missing_tools(Settings(image_repository="millrace"))
    with pytest.raises(DeployError, match="image_repository"):
        refuse_missing_tools(Settings())


def test_outputs_are_those_of_the_stack_when_deployed_to_aws() -> None:
    outputs = outputs_of(RAW)
    assert outputs.site_url == "https://d1.cloudfront.net"
    assert outputs.distribution_domain == "d1.cloudfront.net"
    assert outputs.queue_urls == {"probe": "https://q"}


@pytest.mark.parametrize("place", ["terminal", "parameter"])
def test_first_token_opens_the_api_when_made(in_account: Account, place: str) -> None:
    model.bind("millrace", in_account.region)
    model.Item.create_table(billing_mode="PAY_PER_REQUEST")
    secret = first_token(in_account, "millrace", Settings.from_names({"token_store": place}))
    assert (secret is None) == (place == "parameter")
    if secret is None:
        ssm = in_account.session.client("ssm")
        found = ssm.get_parameter(Name=FIRST_TOKEN, WithDecryption=True)["Parameter"]
        assert found["Type"] == "SecureString"
        secret = found["Value"]
    caller = auth.verify(f"Bearer {secret}")
    assert caller.is_admin
