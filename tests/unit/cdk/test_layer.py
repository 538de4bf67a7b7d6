from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

import pytest

from cdk import layer


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return layer.build(tmp_path / "core")


def _contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_layer_has_the_package_and_its_dependencies_when_built(built: Path) -> None:
    folders = {path.name for path in (built / "python").iterdir()}
    assert {"millrace", "pynamodb", "aws_lambda_powertools", "jmespath"} <= folders
    assert (built / "python" / "millrace" / "keys.py").exists()


def test_layer_leaves_out_what_lambda_brings_when_built(built: Path) -> None:
    folders = {path.name for path in (built / "python").iterdir()}
    assert not folders & {"boto3", "botocore", "s3transfer", "urllib3"}


def test_layer_has_no_caches_and_no_compiled_files_when_built(built: Path) -> None:
    assert not [name for name in _contents(built) if name.endswith((".pyc", ".so", "RECORD"))]


def test_layer_keeps_the_licences_when_built(built: Path) -> None:
    licences = [name for name in _contents(built) if "licen" in name.lower()]
    assert any("pynamodb" in name for name in licences)


def test_layer_is_the_same_when_built_again(built: Path, tmp_path: Path) -> None:
    assert _contents(layer.build(tmp_path / "again")) == _contents(built)


def test_layer_is_refused_when_a_requirement_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("not-a-package-of-ours==1\n")
    monkeypatch.setattr(layer, "REQUIREMENTS", requirements)
    with pytest.raises(layer.LayerError, match="not-a-package-of-ours"):
        layer.build(tmp_path / "core")


def test_layer_is_refused_when_the_installed_version_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("jmespath==0.0.1  # never\n")
    monkeypatch.setattr(layer, "REQUIREMENTS", requirements)
    with pytest.raises(layer.LayerError, match=r"jmespath==0\.0\.1"):
        layer.build(tmp_path / "core")


def test_layer_is_refused_when_a_package_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("cffi\n")
    monkeypatch.setattr(layer, "REQUIREMENTS", requirements)
    with pytest.raises(layer.LayerError, match="cffi is not pure Python"):
        layer.build(tmp_path / "core")


def test_image_requirements_are_the_tested_versions_when_pinned() -> None:
    pins = Path(layer.ROOT / "functions" / "requirements.txt").read_text().splitlines()
    for name, version in (line.split("==") for line in pins if "==" in line):
        assert metadata.version(name) == version
