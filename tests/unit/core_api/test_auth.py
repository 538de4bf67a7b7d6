from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from millrace import auth, keys, model
from millrace.auth import Caller, Role
from millrace.model import Token
from millrace.problems import Problem


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        model.bind("millrace", region="us-east-1")
        model.Item.create_table(billing_mode="PAY_PER_REQUEST")
        yield


def caller(*roles: Role) -> Caller:
    return Caller("ann", "0" * 64, frozenset(roles))


def test_only_the_hash_is_stored_when_a_token_is_made() -> None:
    new = auth.create_token("ann", ["uploader", "admin"])
    assert auth.TOKEN.fullmatch(new.secret)
    assert new.token_id == hashlib.sha256(new.secret.encode()).hexdigest()
    stored = Token.get(keys.token_pk(new.token_id), keys.TOKEN_SK)
    assert new.secret not in str(stored.to_simple_dict())
    assert stored.roles == ["admin", "uploader"]


def test_tokens_differ_when_made_for_the_same_name() -> None:
    assert len({auth.create_token("ann", ["uploader"]).secret for _ in range(20)}) == 20


def test_a_token_cannot_be_guessed_when_made() -> None:
    """256 random bits take longer than there is time, however many may be tried."""
    with pytest.MonkeyPatch.context() as patch:
        drawn = {32: "d" * 43}
        patch.setattr(secrets, "token_urlsafe", drawn.__getitem__)
        assert auth.create_token("ann", ["uploader"]).secret == f"mr_{drawn[32]}"


def test_the_table_is_not_asked_when_a_token_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Token, "get", lambda pk, *_: asked.append(pk))
    for header in ("Bearer mr_short", f"Bearer {'x' * 5000}", "Basic YTpi", " ", None):
        with pytest.raises(Problem):
            auth.verify(header)
    assert asked == []


def test_it_knows_who_asks_when_the_token_is_good() -> None:
    new = auth.create_token("ann", [Role.UPLOADER])
    for scheme in ("Bearer", "bearer", "BEARER "):
        found = auth.verify(f"{scheme} {new.secret}")
        assert (found.name, found.token_id) == ("ann", new.token_id)
        assert found.roles == {Role.UPLOADER}


def test_dynamodb_may_forget_a_token_when_it_expired_a_month_ago() -> None:
    expires_at = datetime(2026, 5, 31, tzinfo=UTC)
    new = auth.create_token("ann", ["uploader"], expires_at=expires_at)
    stored = Token.get(keys.token_pk(new.token_id), keys.TOKEN_SK)
    assert stored.ttl == expires_at + timedelta(days=30)


@pytest.mark.parametrize("by", ["secret", "token_id"])
def test_it_is_gone_when_revoked(by: str) -> None:
    new = auth.create_token("ann", ["uploader"])
    assert auth.revoke_token(getattr(new, by))
    assert not auth.revoke_token(getattr(new, by))


@pytest.mark.parametrize(
    ("name", "roles", "options"),
    [
        ("", ["uploader"], {}),
        ("  ", ["uploader"], {}),
        ("a\nb", ["uploader"], {}),
        ("x" * 101, ["uploader"], {}),
        ("ann", [], {}),
        ("ann", ["owner"], {}),
        ("ann", ["uploader"], {"expires_at": datetime(2026, 1, 1)}),
    ],
)
def test_nothing_is_made_when_the_wish_makes_no_sense(
    name: str, roles: list[str], options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        auth.create_token(name, roles, **options)


def test_an_admin_has_every_role_and_owns_everything_when_asked() -> None:
    admin, uploader = caller(Role.ADMIN), caller(Role.UPLOADER)
    assert admin.has(Role.UPLOADER)
    assert admin.owns("bob")
    assert uploader.owns("ann")
    assert not uploader.has(Role.ADMIN)
    assert not uploader.owns("bob")
    assert not uploader.owns(None)  # objects that came without an upload are nobody's
