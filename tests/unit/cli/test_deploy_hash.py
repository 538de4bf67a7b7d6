from __future__ import annotations

from pathlib import Path

import pytest

from cdk.settings import Settings
from cli.deploy_hash import site_hash, stack_hash

API = "http://127.0.0.1:4566/_aws/execute-api/abc/api"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in (
        *("app.py", "cdk/functions.py", "functions/probe/handler.py", "frontend/index.html"),
        *("layers/core/python/millrace/keys.py", "requirements.txt", "docs/page.html"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one")
    return tmp_path


@pytest.mark.parametrize(
    "changed",
    [
        *("app.py", "cdk/functions.py", "functions/probe/handler.py", "requirements.txt"),
        "layers/core/python/millrace/keys.py",
    ],
)
def test_stack_hash_changes_when_a_source_does(repository: Path, changed: str) -> None:
    before = stack_hash(repository, Settings())
    (repository / changed).write_text("two")
    assert stack_hash(repository, Settings()) != before


def test_stack_hash_changes_when_a_setting_or_a_file_name_does(repository: Path) -> None:
    before = stack_hash(repository, Settings())
    assert stack_hash(repository, Settings(chunk_segments=4)) != before
    (repository / "app.py").rename(repository / "functions" / "app.py")
    assert stack_hash(repository, Settings()) != before


@pytest.mark.parametrize(
    "unrelated", ["docs/page.html", "frontend/index.html", "cdk/__pycache__/x.pyc", "cdk/README.md"]
)
def test_stack_hash_stays_when_the_change_is_not_deployed(repository: Path, unrelated: str) -> None:
    before = stack_hash(repository, Settings())
    path = repository / unrelated
    path.parent.mkdir(exist_ok=True)
    path.write_text("two")
    assert stack_hash(repository, Settings()) == before


def test_site_hash_changes_when_a_page_or_an_address_does(repository: Path) -> None:
    before = site_hash(repository, {"apiUrl": API})
    assert site_hash(repository, {"apiUrl": API, "signalUrl": "ws://x"}) != before
    (repository / "frontend" / "index.html").write_text("two")
    assert site_hash(repository, {"apiUrl": API}) != before
