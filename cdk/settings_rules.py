"""What a setting may be. Every message names the setting, and what it takes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cdk.settings import Settings

CHOICES = {
    "architecture": ("x86_64", "arm64"),
    "container": ("cmaf", "mpegts"),
    "sandbox": ("try", "require"),
    "token_store": ("terminal", "parameter"),
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    "log_retention": (
        *("ONE_DAY", "THREE_DAYS", "FIVE_DAYS", "ONE_WEEK", "TWO_WEEKS", "ONE_MONTH"),
        *("TWO_MONTHS", "THREE_MONTHS", "FOUR_MONTHS", "FIVE_MONTHS", "SIX_MONTHS", "ONE_YEAR"),
        *("THIRTEEN_MONTHS", "EIGHTEEN_MONTHS", "TWO_YEARS", "THREE_YEARS", "FIVE_YEARS"),
        *("SIX_YEARS", "SEVEN_YEARS", "EIGHT_YEARS", "NINE_YEARS", "TEN_YEARS", "INFINITE"),
    ),
}
_AT_LEAST = {
    **dict.fromkeys(("chunk_segments", "max_upload_bytes", "max_duration_s", "max_pixels"), 1),
    **dict.fromkeys(("max_output_bytes", "uploads_per_minute", "daily_budget_usd"), 1),
    "wrong_tokens_per_minute": 1,
    **dict.fromkeys(("head_segments", "monthly_budget_usd", "upload_retention_days"), 0),
    "waf_requests_per_minute": 10,  # the least that WAF takes
}
_CONCURRENCY = (2, 1000)
"""Of an event source mapping of SQS."""
_MEMORY_MB = (512, 10240)
"""Lambda's most; the least leaves the engine as much as Python has beside it."""
_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_CERTIFICATE = re.compile(r"arn:aws[\w-]*:acm:us-east-1:\d{12}:certificate/[\w-]+")
_SITE_ACL = re.compile(r"arn:aws[\w-]*:wafv2:us-east-1:\d{12}:global/webacl/[\w-]+/[\w-]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class ContextError(ValueError):
    """A context value that cannot be used; the message names it."""


def check(settings: Settings) -> None:
    """
    Raises:
        ContextError: a value is out of range, or does not go with another.
    """
    rules: tuple[Callable[[Settings], None], ...]
    rules = (_choices, _numbers, _addresses, _site, _money)
    for rule in rules:
        rule(settings)


def _choices(settings: Settings) -> None:
    for name, choices in CHOICES.items():
        value = getattr(settings, name)
        if value not in choices:
            raise ContextError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def _numbers(settings: Settings) -> None:
    for name, least in _AT_LEAST.items():
        if getattr(settings, name) < least:
            raise ContextError(f"{name} must be at least {least}")
    for spec in fields(settings):
        for end, (least, most) in (("_concurrency", _CONCURRENCY), ("_memory_mb", _MEMORY_MB)):
            value = getattr(settings, spec.name)
            if spec.name.endswith(end) and value and not least <= value <= most:
                message = f"{spec.name} must be between {least} and {most}, or 0 for the usual"
                raise ContextError(message)
    if not 0 <= settings.debug_percent <= 100:
        raise ContextError("debug_percent must be between 0 and 100")


def _addresses(settings: Settings) -> None:
    for part in settings.webhook_networks.split(","):
        if part.strip() != "public" and not _is_network(part.strip()):
            raise ContextError(f"webhook_networks has networks and public, not {part!r}")
    for name in ("site_url", "callback_url"):
        if getattr(settings, name).endswith("/"):
            raise ContextError(f"{name} must not end with a slash")
    for name, schemes in (("stun_urls", ("stun:", "stuns:")), ("turn_urls", ("turn:", "turns:"))):
        urls = getattr(settings, name)
        for part in [] if urls == "none" else [part.strip() for part in urls.split(",")]:
            if not part.startswith(schemes):
                raise ContextError(f"{name} has {' and '.join(schemes)} addresses, not {part!r}")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _site(settings: Settings) -> None:
    for name in ("domain", "certificate_arn", "site_web_acl_arn"):
        if getattr(settings, name) and not settings.cdn:
            raise ContextError(f"{name} is of CloudFront, and cdn is false")
    if settings.domain and not _HOST.fullmatch(settings.domain):
        wanted = "a host name in small letters such as video.example.com"
        raise ContextError(f"domain must be {wanted}, not {settings.domain!r}")
    if bool(settings.domain) != bool(settings.certificate_arn):
        raise ContextError("domain and certificate_arn go together: give both, or none")
    if settings.domain and settings.site_url:
        raise ContextError("domain and site_url both name the site: give one of them")
    for name, pattern, what in (
        ("certificate_arn", _CERTIFICATE, "an ACM certificate"),
        ("site_web_acl_arn", _SITE_ACL, "a web ACL of scope CLOUDFRONT"),
    ):
        value = getattr(settings, name)
        if value and not pattern.fullmatch(value):
            raise ContextError(f"{name} must be the ARN of {what} in us-east-1, not {value!r}")


def _money(settings: Settings) -> None:
    for name in ("budget_email", "alarm_email"):
        address = getattr(settings, name)
        if address and not _EMAIL.fullmatch(address):
            raise ContextError(f"{name} must be an address, not {address!r}")
    if bool(settings.monthly_budget_usd) != bool(settings.budget_email):
        raise ContextError("monthly_budget_usd and budget_email go together: give both, or none")
