"""The CDK context that Millrace understands (`cdk deploy -c name=value`), typed and checked."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

Architecture = Literal["x86_64", "arm64"]


class ContextError(ValueError):
    """A context value that cannot be used; the message names it."""


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
    uploads_per_minute: int = 600
    """That one access token may begin; beyond, the API answers 429."""
    image_repository: str = ""
    """Take the functions' images from the ECR repositories `{image_repository}-{function}` instead
    of building them, e.g. `millrace`."""
    image_tag: str = "latest"
    site_url: str = ""
    """Public base URL of the site bucket, no trailing slash; default its own HTTPS address."""
    allowed_origins: tuple[str, ...] = ()
    """Origins whose pages may upload (comma-separated); default that of the site bucket."""
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
    webhook_networks: str = "public"
    """Where webhooks may lead: networks like `10.1.0.0/16` and `public`, comma-separated."""
    webhook_plain_http: bool = False
    """Whether webhooks may have `http://` addresses."""
    daily_budget_usd: int = 100
    """Beyond, by estimate, an alarm rings."""
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
    layer: str = "build/layer/core"
    """Folder of the layer, from the repository's root; `python -m cdk.layer` makes it."""
    nag: bool = True
    """Check the template against cdk-nag's AwsSolutions rules; a finding stops the synthesis."""

    def __post_init__(self) -> None:
        for spec in fields(self):
            limit = getattr(self, spec.name)
            if spec.name.endswith("_concurrency") and limit and not 2 <= limit <= 1000:
                raise ContextError(f"{spec.name} must be between 2 and 1000")
        if self.architecture not in ("x86_64", "arm64"):
            raise ContextError(f"architecture must be x86_64 or arm64, not {self.architecture!r}")
        if self.container not in ("cmaf", "mpegts"):
            raise ContextError(f"container must be cmaf or mpegts, not {self.container!r}")
        for name in (
            *("chunk_segments", "max_upload_bytes", "max_duration_s"),
            *("max_pixels", "max_output_bytes", "uploads_per_minute", "daily_budget_usd"),
        ):
            if getattr(self, name) < 1:
                raise ContextError(f"{name} must be at least 1")
        for part in self.webhook_networks.split(","):
            if part.strip() != "public" and not _is_network(part.strip()):
                raise ContextError(f"webhook_networks has networks and public, not {part!r}")
        if not 0 <= self.debug_percent <= 100:
            raise ContextError("debug_percent must be between 0 and 100")
        if self.head_segments < 0:
            raise ContextError("head_segments must be at least 0")
        for name in ("site_url", "callback_url"):
            if getattr(self, name).endswith("/"):
                raise ContextError(f"{name} must not end with a slash")
        self._check_servers("stun_urls", ("stun:", "stuns:"))
        self._check_servers("turn_urls", ("turn:", "turns:"))

    def _check_servers(self, name: str, schemes: tuple[str, ...]) -> None:
        urls = getattr(self, name)
        parts = [] if urls == "none" else [part.strip() for part in urls.split(",")]
        for part in parts:
            if not part.startswith(schemes):
                raise ContextError(f"{name} has {' and '.join(schemes)} addresses, not {part!r}")

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

    def to_context(self) -> dict[str, str]:
        """The settings that differ from their defaults, as `-c` arguments take them."""
        defaults = Settings()
        return {
            spec.name: _format(getattr(self, spec.name))
            for spec in fields(self)
            if getattr(self, spec.name) != getattr(defaults, spec.name)
        }


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


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
