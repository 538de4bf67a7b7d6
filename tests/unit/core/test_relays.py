from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from millrace import clock, relays


class Ssm:
    """Holds one parameter, and counts who asks for it."""

    def __init__(self) -> None:
        self.value, self.asked = "first", 0

    def get_parameter(self, Name: str, WithDecryption: bool) -> Any:  # noqa: N803
        assert (Name, WithDecryption) == ("/secret", True)
        self.asked += 1
        return {"Parameter": {"Value": self.value}}


def test_secret_is_read_again_when_it_may_have_changed() -> None:
    ssm, now = Ssm(), 0.0
    secret = relays.Secret(ssm, "/secret", lambda: now)
    assert (secret(), secret(), ssm.asked) == ("first", "first", 1)
    ssm.value, now = "second", 301.0
    assert (secret(), ssm.asked) == ("second", 2)


def test_secret_is_not_asked_for_when_there_is_no_relay() -> None:
    ssm = Ssm()
    servers = relays.Servers(("stun:a",), (), relays.Secret(ssm, "/secret"))
    assert servers.for_member("m") == [{"urls": ["stun:a"]}]
    assert ssm.asked == 0


def test_call_is_made_without_a_relay_when_its_secret_is_missing() -> None:
    def missing() -> str:
        raise ClientError({"Error": {"Code": "ParameterNotFound"}}, "GetParameter")

    assert relays.Servers(("stun:a",), ("turn:b",), missing).for_member("m") == [
        {"urls": ["stun:a"]}
    ]


def test_credentials_are_those_of_the_draft_when_they_are_made() -> None:
    """As coturn checks them: HMAC-SHA1 over time and name, in base 64 (20 bytes: 28 letters)."""
    username, credential = relays.credentials("north", "anne")
    expires, _, name = username.partition(":")
    assert name == "anne"
    assert int(expires) == pytest.approx(clock.now().timestamp() + relays.LIFE_S, abs=2)
    assert len(credential) == 28


@pytest.mark.parametrize(
    ("text", "urls"),
    [("none", ()), ("", ()), ("stun:a, turn:b,", ("stun:a", "turn:b"))],
)
def test_addresses_are_read_when_the_setting_lists_them(text: str, urls: tuple[str, ...]) -> None:
    assert relays.parse_urls(text) == urls
