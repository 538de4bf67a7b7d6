"""Where `./millrace deploy` and `destroy` go: an AWS account, or a LocalStack on this machine."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from cdk.settings import Settings
from cli import aws, deploy_aws
from cli.deploy import DeployConfig, Outputs, Progress, deploy, deployed_settings, forget
from cli.deploy_aws import Account
from cli.deploy_cdk import DeployError
from cli.state import State


class Target(Protocol):
    """A place to deploy to."""

    @property
    def where(self) -> str:
        """As a person reads it."""

    @property
    def settings(self) -> Settings: ...

    @property
    def suffix(self) -> str:
        """End of the bucket names."""

    @property
    def session(self) -> Any:
        """Makes clients."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Leads the CDK's programs there."""

    @property
    def log(self) -> Path: ...

    @property
    def keeps_data(self) -> bool:
        """Whether buckets and table outlive their stack, as the template says."""

    def apply(self, assembly: Path, progress: Progress, *, adopt: bool) -> Outputs:
        """Bring it to what the assembly says, and publish the pages."""

    def forget(self) -> None:
        """It was taken away."""


@dataclass(frozen=True, slots=True)
class AwsTarget:
    account: Account
    settings: Settings
    log: Path

    @property
    def where(self) -> str:
        place = f"account {self.account.number}, {self.account.region}, as {self.account.caller}"
        endpoint = self.environment.get("AWS_ENDPOINT_URL")
        return f"{place}, at {endpoint}" if endpoint else place

    @property
    def suffix(self) -> str:
        return self.settings.suffix or f"{self.account.number}-{self.account.region}"

    @property
    def session(self) -> Any:
        return self.account.session

    @property
    def environment(self) -> Mapping[str, str]:
        return self.account.environment

    @property
    def keeps_data(self) -> bool:
        return "AWS_ENDPOINT_URL" not in self.environment

    def apply(self, assembly: Path, progress: Progress, *, adopt: bool) -> Outputs:
        deploy_aws.refuse_missing_tools(self.settings)
        deploy_aws.prepare(self.account, self.log, progress)
        return deploy_aws.deploy(self.account, assembly, self.log, progress, adopt=adopt)

    def forget(self) -> None:
        """Nothing is remembered here."""


@dataclass(frozen=True, slots=True)
class LocalTarget:
    config: DeployConfig
    state: State | None
    """Of the `./millrace up` that started it, if one did."""

    @property
    def where(self) -> str:
        return f"LocalStack at {aws.endpoint(self.config.port)}"

    @property
    def settings(self) -> Settings:
        return self.config.settings()

    @property
    def suffix(self) -> str:
        return self.settings.suffix

    @property
    def session(self) -> Any:
        return aws.session(self.config.port)

    @property
    def environment(self) -> Mapping[str, str]:
        return aws.environment(self.config.port)

    @property
    def keeps_data(self) -> bool:
        return False  # LocalStack does not know RetainExceptOnCreate

    @property
    def log(self) -> Path:
        return self.config.state_dir / "logs" / "deploy.log"

    def apply(self, assembly: Path, progress: Progress, *, adopt: bool) -> Outputs:  # noqa: ARG002
        if adopt:
            raise DeployError("--adopt is for AWS: LocalStack takes over nothing")
        outputs = deploy(self.config, progress)
        running = self.state and self.state.running()
        if self.state and running:
            self.state.publish(replace(running, api_url=outputs.api_url))
            aws.first_token(self.state.token_file, self.config.port)
        return outputs

    def forget(self) -> None:
        forget(self.config.state_dir)
        if self.state:
            self.state.token_file.unlink(missing_ok=True)  # it was in the table


def find(name: str, state: State, given: Mapping[str, str], port: int | None) -> Target:
    """The target that was asked for.

    Args:
        name: `aws` or `localstack`.
        given: settings by name, as context.
        port: of a LocalStack that `./millrace up` did not start.

    Raises:
        DeployError: nothing answers there, or AWS does not let us in.
        ContextError: a setting is wrong.
    """
    if name == "aws":
        if port is not None:
            raise DeployError("--port is for --target localstack")
        settings = Settings.from_names(given)  # before anybody is asked
        return AwsTarget(deploy_aws.account(), settings, state.logs / "deploy-aws.log")
    Settings.from_names(given)
    config = _local_config(state, given, port)
    _refuse_silence(config.port)
    running = state.running()
    return LocalTarget(config, state if running and running.port == config.port else None)


def _local_config(state: State, given: Mapping[str, str], port: int | None) -> DeployConfig:
    """What runs is deployed as it was, but for what was given."""
    running = state.running()
    if port is None and running is None:
        raise DeployError("nothing runs here: ./millrace up starts it (or give --port)")
    if port is not None and (running is None or port != running.port):
        return DeployConfig(
            state_dir=state.root / f"port-{port}",
            port=port,
            signal_port=port + 1,
            extra_settings=dict(given),
        )
    assert running is not None
    known = deployed_settings(state.root)
    callback = urlsplit(known.get("callback_url", "")).port
    return DeployConfig(
        state_dir=state.root,
        port=running.port,
        signal_port=callback or running.port + 1,
        extra_settings={**known, **given},
    )


def _refuse_silence(port: int) -> None:
    url = f"{aws.endpoint(port)}/_localstack/health"
    try:
        with urllib.request.urlopen(url, timeout=10):  # noqa: S310 - of this machine
            return
    except (urllib.error.URLError, OSError) as error:
        raise DeployError(f"no LocalStack answers at {aws.endpoint(port)}: {error}") from error


__all__ = ["AwsTarget", "LocalTarget", "Target", "find"]
