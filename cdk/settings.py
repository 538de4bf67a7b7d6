"""The CDK context that Millrace understands (`cdk deploy -c name=value`), typed and checked."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

from cdk import settings_rules
from cdk.settings_rules import ContextError

__all__ = ["ContextError", "Settings"]

Architecture = Literal["x86_64", "arm64"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a deployment may choose. Each field is the context key of the same name."""

    suffix: str = ""
    """End of the bucket names; default `{account}-{region}`."""
    architecture: Architecture = "x86_64"
    ingest_concurrency: int = 0
    """Invocations of the function at once (2 to 1000), like the next ones; 0: as `cdk/functions.py`
    says."""
    probe_concurrency: int = 0
    transcode_concurrency: int = 0
    thumbnail_concurrency: int = 0
    publish_concurrency: int = 0
    notify_concurrency: int = 0
    probe_memory_mb: int = 0
    """Memory of the function (512 to 10240), like the next ones; 0: as `cdk/functions.py` says.
    The processors that Lambda gives grow with it."""
    transcode_memory_mb: int = 0
    thumbnail_memory_mb: int = 0
    uploads_per_minute: int = 600
    """That one access token may begin; beyond, the API answers 429."""
    wrong_tokens_per_minute: int = 60
    """That one address may send; beyond, the API answers it 429 instead of 401."""
    image_repository: str = ""
    """Take the functions' images from the ECR repositories `{image_repository}-{function}` instead
    of building them, e.g. `millrace`."""
    image_tag: str = "latest"
    cdn: bool = True
    """Serve pages and media through CloudFront from a private bucket; else the bucket itself is
    public."""
    domain: str = ""
    """Host name of the site on CloudFront; default CloudFront's own."""
    certificate_arn: str = ""
    """ACM certificate of `domain`, in us-east-1, where CloudFront looks for it."""
    site_web_acl_arn: str = ""
    """Web ACL (WAF) of scope CLOUDFRONT before the site; it can only be made in us-east-1."""
    waf: bool = False
    """Put a web ACL (WAF) before the REST API: AWS's managed rules and a limit for each address."""
    waf_requests_per_minute: int = 600
    """That one address may send to the API; beyond, WAF answers 403."""
    site_url: str = ""
    """Public base URL of the site, no trailing slash; default the address of CloudFront, or of the
    bucket where `cdn` is off."""
    allowed_origins: tuple[str, ...] = ()
    """Origins whose pages may upload (comma-separated); default that of the site."""
    token_store: Literal["terminal", "parameter"] = "terminal"  # noqa: S105 - a place
    """Where `deploy` leaves the first access token: on standard output, once, or as the SSM
    parameter `/millrace/first-token`, encrypted. The table has the hashes of all tokens."""
    chunk_segments: int = 8
    """Segments of 4 s in one transcode task."""
    head_segments: int = 1
    """Those in the first one, which makes a video playable; 0: as the others."""
    preset: str = "veryfast"
    """Speed preset of the encoder."""
    keep_surround: bool = False
    """Offer 5.1 sound as it is, too, beside its down-mix."""
    container: Literal["cmaf", "mpegts"] = "cmaf"
    """Of the segments; `mpegts` is for players that know nothing else."""
    max_upload_bytes: int = 53_687_091_200
    max_duration_s: int = 43_200
    max_pixels: int = 36_000_000
    """Per frame."""
    max_output_bytes: int = 96_636_764_160
    """What one task may write."""
    sandbox: Literal["try", "require"] = "try"
    """Whether the engine works where the kernel lacks one of the walls around it."""
    webhook_networks: str = "public"
    """Where webhooks may lead: networks like `10.1.0.0/16` and `public`, comma-separated."""
    webhook_plain_http: bool = False
    """Whether webhooks may have `http://` addresses."""
    daily_budget_usd: int = 100
    """Beyond, by estimate, an alarm rings."""
    monthly_budget_usd: int = 0
    """Beyond, by AWS's own bill of the whole account, `budget_email` is told; 0: no such budget."""
    budget_email: str = ""
    alarm_email: str = ""
    """Whom alarms tell when they ring and when they end, the pipeline's and that of the daily
    budget; empty: nobody, they show in CloudWatch only."""
    xray: bool = False
    """Whether functions are traced by AWS X-Ray. The pipeline's own traces need no such switch."""
    callback_url: str = ""
    """Where the function `signal` posts messages to WebSockets, no trailing slash; default the
    WebSocket API's own HTTPS address."""
    stun_urls: str = "stun:stun.cloudflare.com:3478"
    """`stun:` addresses told to callers, comma-separated, or `none`. Such a server learns
    a caller's address, and nothing of the call."""
    turn_urls: str = "none"
    """`turn:` and `turns:` addresses of relays, comma-separated, or `none`."""
    log_level: str = "INFO"
    debug_percent: int = 1
    """Invocations in a hundred that log at DEBUG: the engine's arguments and every line it said."""
    log_retention: str = "ONE_MONTH"
    """How long logs are kept: a name of CDK's `RetentionDays`."""
    upload_retention_days: int = 0
    """After which a source is deleted, and its video cannot be made again; 0: never."""
    layer: str = "build/layer/core"
    """Folder of the layer, from the repository's root; `python -m cdk.layer` makes it."""
    nag: bool = True
    """Check the template against cdk-nag's AwsSolutions rules; a finding stops the synthesis."""

    def __post_init__(self) -> None:
        settings_rules.check(self)

    @classmethod
    def from_names(cls, given: Mapping[str, str]) -> Settings:
        """The settings that a person gave, by name.

        Raises:
            ContextError: as `from_context`, or there is no setting of that name.
        """
        known = [spec.name for spec in fields(cls)]
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ContextError(f"there is no setting {name}{hint}")
        return cls.from_context(given.get)

    @classmethod
    def from_context(cls, context: Callable[[str], Any]) -> Settings:
        """Read the settings.

        Args:
            context: looks up one context value by name, None when it is not set.

        Raises:
            ContextError: a value is out of range or of the wrong type.
        """
        values: dict[str, Any] = {}
        for spec in fields(cls):
            raw = context(spec.name)
            if raw is not None and raw != "":
                values[spec.name] = _parse(spec.name, str(spec.type), raw)
        return cls(**values)

    def to_full_context(self) -> dict[str, str]:
        """All settings as `-c` arguments take them; those that are empty by default may be absent
        there, too."""
        return {spec.name: _format(getattr(self, spec.name)) for spec in fields(self)}

    def to_context(self) -> dict[str, str]:
        """The settings that differ from their defaults, as `-c` arguments take them."""
        defaults = Settings()
        return {
            spec.name: _format(getattr(self, spec.name))
            for spec in fields(self)
            if getattr(self, spec.name) != getattr(defaults, spec.name)
        }


def _parse(name: str, type_name: str, raw: Any) -> Any:
    try:
        if type_name == "int":
            return int(raw)
        if type_name == "bool":
            return {"true": True, "false": False}[str(raw).lower()]
        if type_name.startswith("tuple"):
            return tuple(part.strip() for part in str(raw).split(",") if part.strip())
        return str(raw)
    except (ValueError, KeyError) as error:
        raise ContextError(f"context value {name}={raw!r} is not a {type_name}") from error


def _format(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(cast(tuple[str, ...], value))
    return str(value).lower() if isinstance(value, bool) else str(value)
