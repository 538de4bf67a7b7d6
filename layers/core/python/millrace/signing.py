"""Secrets and signatures of webhooks, as https://www.standardwebhooks.com specifies them (v1:
HMAC-SHA256 over id, timestamp and body)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

_SECRET_BYTES = 32
"""The specification asks for 24 to 64."""


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base 64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def headers(event_id: str, at: datetime, body: str, keys: Sequence[str]) -> dict[str, str]:
    """What makes a request verifiable.

    Args:
        event_id: the same on every retry, so that a receiver knows what it has seen.
        at: of this attempt, aware; a receiver refuses what is too old.
        keys: secrets that sign, the newest first; a receiver needs to know one of them.
    """
    signatures = [Webhook(key).sign(event_id, at, body) for key in keys]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
