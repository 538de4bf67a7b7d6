"""Wrong tokens are counted by the address that sent them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import app as api_module
from millrace import auth, clock, keys, transact
from millrace.model import Allowance
from tests.unit.api.conftest import Cloud
from tests.unit.api.support import Answer, Api

NOW = datetime(2030, 1, 1, 12, 0, 42, tzinfo=UTC)
WRONG = ("mr_short", f"mr_{'x' * 43}", f"mr_{'y' * 43}")
"""One malformed, two unknown."""


@pytest.fixture(autouse=True)
def three_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MILLRACE_WRONG_TOKENS_PER_MINUTE", "3")
    api_module.settings.cache_clear()
    with clock.source(lambda: NOW):
        yield
    api_module.settings.cache_clear()


@pytest.fixture
def come_from(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The address that requests come from, as API Gateway tells it: the last of the list."""
    address = ["203.0.113.7"]
    kind: Any = type(api_module.web)
    real = kind.request.fget

    def request(web: object) -> Any:
        found = real(web)
        found.context["identity"] = {"sourceIp": address[-1]}
        return found

    monkeypatch.setattr(kind, "request", property(request))
    return address


def guess(api: Api) -> list[tuple[int, str]]:
    answers: list[Answer] = [api.get("/stats", token=token) for token in WRONG]
    return [(answer.status, answer.problem) for answer in answers]


def test_address_waits_for_the_next_minute_when_it_sent_too_many_wrong_tokens(
    api: Api, come_from: list[str]
) -> None:
    unknown = (401, "token-unknown")
    assert guess(api) == [(401, "token-malformed"), unknown, unknown]
    assert guess(api) == [(429, "too-many-guesses")] * 3
    assert api.get("/videos", token=WRONG[0]).headers["retry-after"] == "18"
    with clock.source(lambda: NOW.replace(minute=1)):
        assert api.get("/stats", token=WRONG[1]).status == 401


def test_good_token_passes_when_others_guess_at_the_same_address(
    api: Api, admin: str, come_from: list[str], whole_cloud: Cloud
) -> None:
    come_from.append("203.0.113.8")
    guess(api)
    assert guess(api)[0][0] == 429
    assert api.get("/token", token=admin).status == 200
    assert api.get("/token").status == 401


def test_others_are_told_the_plain_truth_when_an_address_guessed_too_much(
    api: Api, come_from: list[str]
) -> None:
    come_from.append("203.0.113.9")
    guess(api)
    come_from.append("203.0.113.10")
    assert guess(api)[0] == (401, "token-malformed")


def test_addresses_count_as_one_when_they_are_one_customers(api: Api, come_from: list[str]) -> None:
    come_from.append("2001:db8:1:2::3")
    guess(api)
    come_from.append("2001:db8:1:2:ffff::4")
    assert guess(api)[0] == (429, "too-many-guesses")
    come_from.append("2001:db8:1:3::3")
    assert guess(api)[0] == (401, "token-malformed")
    kept = Allowance.get(keys.guesses_pk("2001:db8:1:2::/64"), keys.guesses_sk("2030-01-01T12:00"))
    assert kept.begun == 3
    assert (kept.ttl - NOW).total_seconds() == 3600


def test_nothing_is_written_when_a_token_is_good(
    api: Api, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a good token costs no write")

    monkeypatch.setattr(transact, "update_once", refuse)
    assert api.get("/token", token=admin).status == 200
    assert api.get("/videos").status == 200


def test_holder_is_no_guesser_when_a_token_has_expired(api: Api, come_from: list[str]) -> None:
    come_from.append("203.0.113.11")
    old = auth.create_token("ann", ["uploader"], expires_at=NOW.replace(second=1))
    assert {api.get("/token", token=old.secret).status for _ in range(5)} == {401}
