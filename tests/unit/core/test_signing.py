"""Signatures of webhooks against the specification's own vector."""

from __future__ import annotations

import base64
import re
import time
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from millrace import signing
from tests.unit.core.harness import REPOSITORY

GUIDE = (REPOSITORY / "docs" / "how-to" / "webhooks.md").read_text()

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signature_is_the_specifications_when_given_its_vector() -> None:
    assert signing.headers(EVENT_ID, AT, BODY, [SECRET]) == {
        "webhook-id": EVENT_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_either_secret_verifies_when_a_secret_was_rotated() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    headers = signing.headers("evt_1", datetime.now(UTC), BODY, [new, old])
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers) == {"test": 2432232314}


def test_secrets_are_long_and_different_when_made() -> None:
    secrets = {signing.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    for secret in secrets:
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


def receiver(name: str) -> Any:
    """A function out of the guide, as a reader would copy it."""
    (code,) = [
        block
        for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
        if f"def {name}(" in block
    ]
    scope: dict[str, Any] = {"remember": lambda *_: None}
    exec(code, scope)
    return scope[name]


def test_guides_receivers_take_what_is_genuine_and_nothing_else_when_copied() -> None:
    body, now = '{"type": "webhook.test"}', datetime.now(UTC)
    headers = signing.headers("evt_1", now, body, [signing.new_secret(), SECRET])
    by_hand, by_library = receiver("is_genuine"), receiver("receive")
    assert by_hand(body.encode(), headers, SECRET)
    assert by_library(body.encode(), headers) == 204
    late = signing.headers("evt_1", datetime.fromtimestamp(time.time() - 600, UTC), body, [SECRET])
    other = signing.headers("evt_1", now, body, [signing.new_secret()])
    forged = {**headers, "webhook-id": "evt_2"}
    for bad in (late, other, forged):
        assert not by_hand(body.encode(), bad, SECRET)
        assert by_library(body.encode(), bad) == 400
    assert not by_hand(body.encode() + b" ", headers, SECRET)
