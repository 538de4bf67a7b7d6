"""docs/explanation/security.md against the tests and the repository."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.harness.media import REPOSITORY

PAGE = (REPOSITORY / "docs" / "explanation" / "security.md").read_text()
PINS = (
    *("requirements.txt", "requirements-dev.txt"),
    *("functions/requirements.txt", "local/requirements.txt"),
)
NAMED = re.compile(r"`((?:tests|engine/tests)/[\w./-]+)::([^`]+)`")
SECRETS = {
    "AWS key": r"\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[A-Z2-7]{16}\b",
    "private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}",
    "access token": r"\bmr_(?!(.)\1{42})[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])",
    "webhook's secret": r"\bwhsec_(?!MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw)[A-Za-z0-9+/]{32,}=*",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{20,}",
}
"""What is none is left out: AWS's and Standard Webhooks' own examples, tokens of one letter."""
HINTS = {
    "AWS key": ("AKIA", "ASIA"),
    "private key": ("PRIVATE KEY",),
    "access token": ("mr_",),
    "webhook's secret": ("whsec_",),
    "GitHub token": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    "Slack token": ("xox",),
}
"""What a secret of the kind holds: looked for first, which takes a tenth of the time."""


def named() -> list[tuple[str, str]]:
    """The file and the name of each proof; a long name may go on in the next line."""
    return [(path, " ".join(test.split())) for path, test in NAMED.findall(PAGE)]


@pytest.mark.parametrize(("path", "test"), named(), ids=lambda value: value[-60:])
def test_proof_exists_when_the_page_names_it(path: str, test: str) -> None:
    source = (REPOSITORY / path).read_text()
    if path.endswith(".py"):
        assert f"def {test}(" in source
    elif path.endswith(".js"):
        assert f'test("{test}"' in source
    else:
        assert f'TEST_CASE("{test}")' in source


def test_every_threat_names_a_proof_when_listed() -> None:
    threats = re.findall(r"^### (.+?)\n(.*?)(?=^##)", f"{PAGE}\n##", re.MULTILINE | re.DOTALL)
    assert len(threats) > 12
    assert [name for name, text in threats if not NAMED.search(text)] == []


def tracked() -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name]


def secrets_in(text: str) -> list[str]:
    return [
        name
        for name, pattern in SECRETS.items()
        if any(hint in text for hint in HINTS[name]) and re.search(pattern, text)
    ]


def test_no_secret_is_committed_when_all_files_are_searched() -> None:
    found = {}
    for name in tracked():
        path = REPOSITORY / name
        if path.is_file():
            text = path.read_text(errors="ignore")
            if kinds := secrets_in(text):
                found[name] = kinds
    assert found == {}


@pytest.mark.parametrize("kind", SECRETS)
def test_secret_is_found_when_there_is_one(kind: str) -> None:
    letters = "Zq7" * 20
    examples = {
        "AWS key": "AKIA" + "Q7" * 8,
        "private key": f"-----BEGIN PRIVATE{' '}KEY-----\n{letters}",
        "access token": f"mr_{letters[:43]}",
        "webhook's secret": f"whsec_{letters[:44]}",
        "GitHub token": f"ghp_{letters[:36]}",
        "Slack token": f"xoxb-{letters[:24]}",
    }
    assert secrets_in(examples[kind]) == [kind]


def test_every_package_is_pinned_when_installed() -> None:
    """What was audited is what runs: exact versions, and npm's files by their checksums."""
    for name in PINS:
        lines = (REPOSITORY / name).read_text().splitlines()
        wanted = [line for line in lines if line and not line.startswith(("#", "-r ", "./"))]
        assert [line for line in wanted if not re.fullmatch(r"[\w.\[\]-]+==[\w.!+]+", line)] == []
    lock = json.loads((REPOSITORY / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())


def test_no_table_is_written_as_csv_when_all_modules_are_read() -> None:
    folders = ("layers/core/python/millrace", "functions", "cli", "frontend/js")
    files = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.[pj][ys]")]
    assert len(files) > 100
    writing = re.compile(r"^(?:import|from) csv\b|text/csv", re.MULTILINE)
    assert [path.name for path in files if writing.search(path.read_text())] == []
