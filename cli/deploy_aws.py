"""Deployment into an AWS account: whoever the usual environment, profile or SSO say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk.functions import FIRST_TOKEN
from cdk.settings import Settings
from cli.deploy import Outputs, Progress, queue_urls
from cli.deploy_cdk import QUALIFIER, DeployError, bootstrap, deploy_stack
from cli.deploy_site import publish_site
from cli.deploy_sweep import STACK
from cli.state import REPOSITORY

_PASSED_ON = ("AWS_", "DOCKER_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS")
"""Beginnings of variables, proxies' in small letters, too."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where to deploy to."""

    session: boto3.Session
    number: str
    region: str
    caller: str
    """ARN of whoever deploys."""

    @property
    def environment(self) -> dict[str, str]:
        """What lets the CDK's programs in; they are given nothing else of this one."""
        names = [name for name in os.environ if name.upper().startswith(_PASSED_ON)]
        given = {name: os.environ[name] for name in names}
        # Credentials of a machine in EC2 come from there.
        return {"AWS_EC2_METADATA_DISABLED": "false", **given, "AWS_REGION": self.region}

    @property
    def is_prepared(self) -> bool:
        """Whether `cdk bootstrap` was run here."""
        name = f"/cdk-bootstrap/{QUALIFIER}/version"
        return _parameter(self.session, name)


def account() -> Account:
    """
    Raises:
        DeployError: no region, no credentials, or AWS does not take them.
    """
    # Every other client of AWS knows this variable, too.
    session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
    if not session.region_name:
        raise DeployError("no region: set AWS_REGION, e.g. export AWS_REGION=eu-central-1")
    try:
        caller = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise DeployError(
            f"AWS does not let us in ({error}); set AWS_PROFILE, or log in with aws sso login"
        ) from error
    return Account(session, caller["Account"], session.region_name, caller["Arn"])


def refuse_missing_tools(settings: Settings) -> None:
    """
    Raises:
        DeployError: the images are to be built here, and nothing here can build them.
    """
    if not settings.image_repository and shutil.which("docker") is None:
        raise DeployError(
            "Docker builds the functions' images, and there is none here: install it, or build "
            "them elsewhere and give -c image_repository=…"
        )


def prepare(where: Account, log: Path, progress: Progress) -> None:
    """`cdk bootstrap`, where nobody has done it."""
    if not where.is_prepared:
        progress("preparing the account (cdk bootstrap)")
        bootstrap(where.number, where.region, where.environment, log)


def deploy(
    where: Account, assembly: Path, log: Path, progress: Progress, *, adopt: bool = False
) -> Outputs:
    """Bring the account to what the assembly says, and publish the pages.

    Raises:
        DeployError: the CDK's command failed.
    """
    raw = deploy_stack(assembly, where.environment, log, progress, adopt=adopt)
    outputs = outputs_of(raw)
    progress("publishing the pages")
    addresses = {"apiUrl": outputs.api_url, "signalUrl": outputs.signal_url}
    s3 = where.session.client("s3")
    publish_site(s3, outputs.site_bucket, REPOSITORY / "frontend", addresses)
    return outputs


def outputs_of(raw: Mapping[str, str]) -> Outputs:
    """CloudFormation's outputs as they are."""
    return Outputs(
        api_url=raw["ApiUrl"],
        signal_url=raw["SignalUrl"],
        site_url=raw["SiteUrl"],
        uploads_bucket=raw["UploadsBucket"],
        site_bucket=raw["SiteBucket"],
        table=raw["Table"],
        queue_urls=queue_urls(raw),
        distribution_domain=raw.get("DistributionDomain", ""),
    )


def stack_outputs(session: Any) -> dict[str, str] | None:
    """Of the stack as it is; None when there is none."""
    try:
        (stack,) = session.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    if stack["StackStatus"] in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS"):
        return None
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def first_token(where: Account, table: str, settings: Settings) -> str | None:
    """Make a token that may do everything.

    Returns:
        The token, if it is to be shown; None when it is in the parameter `FIRST_TOKEN`.
    """
    from millrace import auth, model

    model.bind(table, where.region)
    secret = auth.create_token("first run", ["admin", "uploader"]).secret
    if settings.token_store != "parameter":  # noqa: S105 - a place
        return secret
    where.session.client("ssm").put_parameter(
        Name=FIRST_TOKEN, Value=secret, Type="SecureString", Overwrite=True
    )
    return None


def _parameter(session: boto3.Session, name: str) -> bool:
    ssm = session.client("ssm")
    try:
        ssm.get_parameter(Name=name)
    except ssm.exceptions.ParameterNotFound:
        return False
    return True
