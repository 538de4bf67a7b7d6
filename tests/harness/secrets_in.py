"""Looks for what must never be in a log: tokens, signatures, secrets.

The logs of the suite are those of every Millrace that it runs, looked through as each ends
(`fixtures.running_pipeline`), and what each test wrote to its output: there the functions' and the
API's own lines are, where they are called without a cloud. A secret in either fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pluggy
import pytest

SECRET = re.compile(
    rb"mr_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"  # an access token
    rb"|X-Amz-(?:Signature|Credential)=[^\s&\"]+"  # of a presigned URL
    rb"|(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=]{20,}"  # of a webhook
    rb"|\"(?:passphrase|credential)\\*\": ?\\*\"[^\"\\]"  # of a room, and for a relay
)


def secrets_in(folder: Path) -> Iterator[str]:
    """Where there are some in log files: the file, the line, and the line's beginning. Never the
    secret."""
    for path in sorted(folder.rglob("*.log*")):
        for number, before, kind in _found(path.read_bytes()):
            yield f"{path.name}:{number}: …{before}⟨{kind}…⟩"


def _found(content: bytes) -> Iterator[tuple[int, str, str]]:
    """Line, what stands before the secret, and how the secret begins."""
    for number, line in enumerate(content.splitlines(), start=1):
        if found := SECRET.search(line):
            before = line[max(0, found.start() - 120) : found.start()]
            yield number, before.decode(errors="replace"), found[0][:6].decode(errors="replace")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pluggy.Result[pytest.TestReport], None]:
    """Fails a test in whose output there is a secret."""
    outcome = yield
    report = outcome.get_result()
    if not report.passed:
        return  # what is printed of a failure may hold anything
    for title, text in report.sections:
        for number, before, kind in _found(text.encode(errors="replace")):
            report.outcome = "failed"
            report.longrepr = f"a secret in {title}, line {number}: …{before}⟨{kind}…⟩"
