"""The search for secrets in logs finds them; and our logger does not write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from millrace import auth, signing
from tests.harness.secrets_in import secrets_in


@pytest.mark.parametrize(
    "secret",
    [
        auth._generate().secret,
        "https://s3/k?X-Amz-Signature=0123abcd",
        "X-Amz-Credential=AKIA%2F2026",
        signing.new_secret(),
        'x", "passphrase": "open sesame',
        '{\\"credential\\":\\"c2VjcmV0',
    ],
    ids=["token", "signature", "credential", "webhook", "passphrase", "relay"],
)
def test_secret_is_found_and_not_repeated_when_it_is_in_a_log(tmp_path: Path, secret: str) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "api.log").write_text(f'fine\n{{"token":"{secret}"}}\n')
    (found,) = secrets_in(tmp_path)
    assert "api.log:2" in found
    assert secret not in found


def test_nothing_is_found_when_there_are_names_of_secrets_only(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("mr_short whsec_ X-Amz-Signature= videos/mr_film\n")
    assert list(secrets_in(tmp_path)) == []


@pytest.mark.parametrize("fails", [False, True])
def test_test_fails_when_a_secret_is_in_its_output(
    request: pytest.FixtureRequest, fails: bool
) -> None:
    """As pytest makes its report, of a test that passed and wrote this."""
    text = auth._generate().secret if fails else "fine"
    call = pytest.CallInfo.from_call(lambda: None, "call")
    item = pytest.Function.from_parent(request.node.parent, name="wrote", callobj=lambda: None)
    item.add_report_section("call", "stdout", f"{text}\n")
    report = item.ihook.pytest_runtest_makereport(item=item, call=call)
    assert (report.outcome, text in str(report.longrepr)) == (
        "failed" if fails else "passed",
        False,
    )
