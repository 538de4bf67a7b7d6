"""Puts the CDK app onto the one-machine cloud, with the real CDK command line.

A deployment is skipped when nothing that matters changed since the last one and its resources are
all there: that makes every start but the first a matter of a second.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from localstack_client.session import Session

from cdk.functions import SOCKET_STAGE
from cdk.settings import Settings
from cli import aws
from cli.deploy_cdk import DeployError, deploy_stack, prepare_account, synthesize
from cli.deploy_checks import missing_resources
from cli.deploy_hash import site_hash, stack_hash
from cli.deploy_site import publish_site
from cli.deploy_sweep import STACK, DataInTheWayError, sweep_unfinished
from cli.state import REPOSITORY, replace_text

__all__ = [
    "ON_ONE_MACHINE",
    "DeployConfig",
    "DeployError",
    "Outputs",
    "deploy",
    "deployed_settings",
    "forget",
    "template_file",
]

Progress = Callable[[str], None]

ON_ONE_MACHINE: Mapping[str, int] = {
    "ingest": 2,
    "probe": 2,
    "transcode": 2,
    "thumbnail": 2,
    "publish": 4,
    "notify": 4,
}
"""Function name → invocations at once, for a machine of few processors: they share them, and what
waits in a queue needs no memory."""


@dataclass(frozen=True, slots=True)
class DeployConfig:
    """What to deploy, and to which LocalStack."""

    state_dir: Path
    """Keeps what was deployed last (`deployed.json`) and the log (`logs/deploy.log`)."""
    port: int = 4566
    signal_port: int = 4567
    """Of the WebSocket gateway."""
    concurrency: Mapping[str, int] = field(default_factory=lambda: ON_ONE_MACHINE)
    """Function name → invocations at once (2 to 1000)."""
    chunk_segments: int = 8
    """Segments of 4 s in one transcode task."""
    head_segments: int = 1
    """Those in the first one, which makes a video playable; 0: as the others."""
    extra_settings: dict[str, str] = field(default_factory=dict)
    """More CDK context (see `cdk.settings.Settings`), e.g. `{"log_level": "DEBUG"}`."""

    def settings(self) -> Settings:
        """The same app as on AWS; only names, addresses and sizes of this machine differ."""
        site = f"{aws.endpoint(self.port)}/millrace-site-local"
        # A person may type either name of this machine.
        origins = ",".join(f"http://{host}:{self.port}" for host in ("127.0.0.1", "localhost"))
        context = {
            "suffix": "local",
            "cdn": "false",  # LocalStack has none: the bucket is served as it is
            "image_repository": "millrace",
            "image_tag": "local",
            "site_url": site,
            "allowed_origins": origins,
            "callback_url": f"http://127.0.0.1:{self.signal_port}/{SOCKET_STAGE}",
            "stun_urls": "none",  # unless asked for: nobody outside is told of calls
            **{f"{name}_concurrency": str(most) for name, most in self.concurrency.items()},
            "chunk_segments": str(self.chunk_segments),
            "head_segments": str(self.head_segments),
            **self.extra_settings,
        }
        return Settings.from_context(context.get)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the deployed parts are."""

    api_url: str
    """Base URL of the REST API as a browser on this machine reaches it, no trailing slash."""
    signal_url: str
    """Address of the WebSocket API."""
    site_url: str
    """Base URL of the pages and the media, no trailing slash."""
    uploads_bucket: str
    site_bucket: str
    table: str
    queue_urls: dict[str, str]
    """Function name → URL of the queue that feeds it."""
    distribution_domain: str = ""
    """CloudFront's own name of the site, where it serves it."""


def deploy(config: DeployConfig, progress: Progress = lambda _text: None) -> Outputs:
    """Bring LocalStack to the state the sources describe, and publish the pages.

    Args:
        config: which LocalStack; it must be ready.
        progress: told, in a few words, what is being done.

    Raises:
        DeployError: the CDK command failed, or resources are missing afterwards.
    """
    settings = config.settings()
    record = _Record.read(config.state_dir)
    wanted = stack_hash(REPOSITORY, settings)
    outputs = record.outputs if record.stack == wanted else None
    there = template_file(config.state_dir).exists()
    if outputs is None or not there or missing_resources(aws.session(config.port), settings):
        outputs = _deploy_stack(config, settings, wanted, progress)
        record = _Record(stack=wanted, site="", outputs=outputs)
    addresses = {"apiUrl": outputs.api_url, "signalUrl": outputs.signal_url}
    site = site_hash(REPOSITORY, addresses)
    if record.site != site:
        progress("publishing the pages")
        publish_site(
            aws.session(config.port).client("s3"),
            outputs.site_bucket,
            REPOSITORY / "frontend",
            addresses,
        )
    made_of = settings.to_full_context()
    _Record(stack=wanted, site=site, outputs=outputs, settings=made_of).write(config.state_dir)
    return outputs


def _deploy_stack(
    config: DeployConfig, settings: Settings, fingerprint: str, progress: Progress
) -> Outputs:
    log = config.state_dir / "logs" / "deploy.log"
    session = aws.session(config.port)
    progress("building the template")
    with ThreadPoolExecutor(1) as pool:
        # LocalStack loads each service at its first request, which takes seconds: meanwhile.
        prepared = pool.submit(_prepare, session)
        assembly = synthesize(settings, fingerprint, log)
        prepared.result()
    raw = deploy_stack(assembly, aws.environment(config.port), log, progress)
    missing = missing_resources(session, settings)
    if missing:
        raise DeployError(
            f"the deployment ended well, but is incomplete: {'; '.join(missing)}. "
            f"The log is {log}; ./millrace reset starts from nothing."
        )
    shutil.copyfile(assembly / f"{STACK}.template.json", template_file(config.state_dir))
    return _outputs(raw, config)


def _prepare(session: Session) -> None:
    prepare_account(session)
    try:
        sweep_unfinished(session)
    except DataInTheWayError as error:
        raise DeployError(str(error)) from error


def _outputs(raw: dict[str, str], config: DeployConfig) -> Outputs:
    """CloudFormation's outputs, with the API's address on this machine: API Gateway's own host name
    needs a DNS entry that only LocalStack's users on the Internet have."""
    api = f"{aws.endpoint(config.port)}/_aws/execute-api/{raw['ApiId']}/{raw['ApiStage']}"
    return Outputs(
        api_url=api,
        signal_url=f"ws://127.0.0.1:{config.signal_port}/{SOCKET_STAGE}",
        site_url=raw["SiteUrl"],
        uploads_bucket=raw["UploadsBucket"],
        site_bucket=raw["SiteBucket"],
        table=raw["Table"],
        queue_urls=queue_urls(raw),
    )


def queue_urls(raw: Mapping[str, str]) -> dict[str, str]:
    """Function name → URL of its queue, of CloudFormation's outputs."""
    return {
        name.removesuffix("Queue").lower(): value
        for name, value in raw.items()
        if name.endswith("Queue")
    }


@dataclass(frozen=True, slots=True)
class _Record:
    """What the last deployment onto this state was made of."""

    stack: str = ""
    site: str = ""
    outputs: Outputs | None = None
    settings: dict[str, str] = field(default_factory=dict)
    """All of them, as context."""

    @classmethod
    def read(cls, state_dir: Path) -> _Record:
        try:
            raw: dict[str, Any] = json.loads(_record_file(state_dir).read_text())
            outputs = Outputs(**raw["outputs"])
            return cls(raw["stack"], raw["site"], outputs, dict(raw["settings"]))
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return cls()  # none, or of an older version: deploy again

    def write(self, state_dir: Path) -> None:
        replace_text(_record_file(state_dir), json.dumps(asdict(self), indent=2))


def deployed_settings(state_dir: Path) -> dict[str, str]:
    """Of the last deployment onto this state, as context; nothing when there was none."""
    return _Record.read(state_dir).settings


def deployed_outputs(state_dir: Path) -> Outputs | None:
    """Of the last deployment onto this state."""
    return _Record.read(state_dir).outputs


def forget(state_dir: Path) -> None:
    """What was deployed is gone: the next start deploys anew."""
    _record_file(state_dir).unlink(missing_ok=True)


def template_file(state_dir: Path) -> Path:
    """The template that was deployed last: the gateway of WebSockets reads it."""
    return state_dir / "template.json"


def _record_file(state_dir: Path) -> Path:
    return state_dir / "deployed.json"
