"""Settings: the only reader of `os.environ`.

Each function states in `NEEDS` what it uses; `load` fails at cold start and names every variable
that is missing, instead of failing in the middle of somebody's video.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from millrace import model, news
from millrace.errors import MillraceError, Reason


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. A field the function does not need may be empty."""

    table: str = ""
    uploads_bucket: str = ""
    site_bucket: str = ""
    site_url: str = ""
    """Public base URL of the site bucket, without a trailing slash."""
    ingest_queue_url: str = ""
    probe_queue_url: str = ""
    transcode_queue_url: str = ""
    thumbnail_queue_url: str = ""
    publish_queue_url: str = ""
    notify_queue_url: str = ""
    ingest_dlq_url: str = ""
    probe_dlq_url: str = ""
    transcode_dlq_url: str = ""
    thumbnail_dlq_url: str = ""
    publish_dlq_url: str = ""
    notify_dlq_url: str = ""
    topic_arn: str = ""
    """SNS topic that events are published to."""
    engine: str = "millrace-engine"
    """Path of the engine, or its name on PATH."""
    max_upload_bytes: int = 53_687_091_200
    uploads_per_minute: int = 600
    """That one access token may begin."""
    wrong_tokens_per_minute: int = 60
    """That one address may send before it is answered 429."""
    max_duration_s: int = 43_200
    max_pixels: int = 36_000_000
    """Per frame."""
    max_memory_bytes: int = 805_306_368
    """Of the engine's process; below the function's own, whose end nobody can explain."""
    max_output_bytes: int = 96_636_764_160
    """Per task."""
    sandbox: str = "try"
    """Of the engine: where a wall is missing, `require` refuses to work, `try` says so."""
    chunk_segments: int = 8
    """Segments per transcode task."""
    head_segments: int = 1
    """Of the first one, which makes a video playable; 0: as the others."""
    preset: str = "veryfast"
    """Speed preset of the encoder."""
    keep_surround: bool = False
    """Offer 5.1 sound as it is, too, beside its down-mix."""
    container: str = "cmaf"
    """Of the segments: `cmaf`, or `mpegts` for players that know nothing else."""
    webhook_networks: str = "public"
    """Where webhooks may lead: networks like `10.1.0.0/16` and `public`, comma-separated."""
    webhook_plain_http: bool = False
    """Whether webhooks may have `http://` addresses."""
    callback_url: str = ""
    """Where messages to WebSockets are posted: the HTTPS address of the WebSocket API's stage."""
    stun_urls: str = "none"
    """Told to callers: `stun:` addresses, comma-separated, or `none`."""
    turn_urls: str = "none"
    """`turn:` and `turns:` addresses of relays, comma-separated, or `none`."""
    turn_secret_parameter: str = ""
    """Name of the SSM parameter that has the secret shared with the relays."""


CHOICES: Mapping[str, tuple[str, ...]] = {
    "container": ("cmaf", "mpegts"),
    "sandbox": ("try", "require"),
}


def variable(field: str) -> str:
    """The environment variable of a settings field."""
    return f"MILLRACE_{field.upper()}"


_HOOKS = ("webhook_networks", "webhook_plain_http")
_MAY_BE_ZERO = ("head_segments",)
_ENGINE = (
    *("engine", "max_duration_s", "max_pixels", "max_memory_bytes", "max_output_bytes"),
    "sandbox",
)
NEEDS: Mapping[str, tuple[str, ...]] = {
    "api": (
        *("table", "uploads_bucket", "site_bucket", "site_url"),
        *("max_upload_bytes", "uploads_per_minute", "wrong_tokens_per_minute", *_HOOKS),
        *("ingest_queue_url", "probe_queue_url", "transcode_queue_url", "thumbnail_queue_url"),
        *("publish_queue_url", "notify_queue_url"),
        *("ingest_dlq_url", "publish_dlq_url", "notify_dlq_url"),
    ),
    "ingest": (
        *("table", "uploads_bucket", "max_upload_bytes"),
        *("ingest_queue_url", "ingest_dlq_url", "probe_queue_url", "notify_queue_url"),
    ),
    "probe": (
        *("table", "uploads_bucket", "chunk_segments", "head_segments", "preset", *_ENGINE),
        *("keep_surround", "container"),
        *("probe_queue_url", "probe_dlq_url"),
        *("transcode_queue_url", "thumbnail_queue_url", "publish_queue_url", "notify_queue_url"),
    ),
    "transcode": (
        *("table", "uploads_bucket", "site_bucket", *_ENGINE),
        *("transcode_queue_url", "transcode_dlq_url", "publish_queue_url", "notify_queue_url"),
    ),
    "thumbnail": (
        *("table", "uploads_bucket", "site_bucket", *_ENGINE),
        *("thumbnail_queue_url", "thumbnail_dlq_url", "publish_queue_url", "notify_queue_url"),
    ),
    "publish": (
        *("table", "uploads_bucket", "site_bucket"),
        *("probe_queue_url", "transcode_queue_url", "thumbnail_queue_url"),
        *("publish_queue_url", "publish_dlq_url", "notify_queue_url"),
    ),
    "notify": ("table", "site_url", "notify_queue_url", "notify_dlq_url", "topic_arn", *_HOOKS),
    "signal": ("table", "callback_url", "stun_urls", "turn_urls", "turn_secret_parameter"),
    "monitor": (
        *("table", "uploads_bucket", "ingest_queue_url", "probe_queue_url"),
        *("transcode_queue_url", "thumbnail_queue_url", "publish_queue_url"),
        *("notify_queue_url", "topic_arn"),
        *("ingest_dlq_url", "publish_dlq_url", "notify_dlq_url"),
    ),
}
"""What each function (and the API) uses. The infrastructure gives each of them just these."""


def engine_environment() -> dict[str, str]:
    """What the engine's process sees of our environment: no credentials, no settings. It opens a
    presigned URL and needs nothing else."""
    hidden = ("AWS_", "MILLRACE_", "POWERTOOLS_", "_")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


def load(function: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of a function and bind the table. Called once, at cold start.

    Args:
        function: a name in `NEEDS`.
        environ: instead of the process's environment (tests).

    Raises:
        MillraceError: INTERNAL, naming each variable that is missing or no number that it can be.
    """
    source = os.environ if environ is None else environ
    values: dict[str, str | int | bool] = {}
    problems: list[str] = []
    for field in fields(Settings):
        if field.name not in NEEDS[function]:
            continue
        name, text = variable(field.name), source.get(variable(field.name), "")
        if text and isinstance(field.default, bool):
            values[field.name] = text == "true"
            if text not in ("true", "false"):
                problems.append(f"{name} must be true or false, not {text!r}")
        elif text and isinstance(field.default, int):
            least = 0 if field.name in _MAY_BE_ZERO else 1
            if text.isascii() and text.isdigit() and int(text) >= least:
                values[field.name] = int(text)
            else:
                problems.append(f"{name} must be a whole number from {least} on, not {text!r}")
        elif text and text not in CHOICES.get(field.name, (text,)):
            problems.append(f"{name} must be one of {', '.join(CHOICES[field.name])}")
        elif text:
            values[field.name] = text
        elif field.default == "":
            problems.append(f"{name} is missing")
    if problems:
        raise MillraceError(Reason.INTERNAL, f"{function} cannot start: {'; '.join(problems)}")
    settings = Settings(**values)  # type: ignore[arg-type]  # checked against the defaults above
    if model.Item.Meta.table_name != settings.table:
        model.bind(settings.table)
    if settings.notify_queue_url:
        news.bind(settings.notify_queue_url)
    return settings
