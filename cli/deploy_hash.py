"""Fingerprints of everything a deployment is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from cdk import layer
from cdk.page_policy import page_policy
from cdk.settings import Settings

STACK_SOURCES = (
    "app.py",
    "chalicelib",
    "cdk",
    "functions",
    "layers/core/python",
    "requirements.txt",
    "package-lock.json",
)
IMAGE_SOURCES = ("engine",)
"""Of images that the deployment builds itself."""
SITE_SOURCES = ("frontend",)


def stack_hash(repository: Path, settings: Settings) -> str:
    """Changes when the template or any code in it could."""
    versions = {item.metadata["Name"]: item.version for item in layer.dependencies()}
    facts: dict[str, object] = {"settings": asdict(settings), "layer": versions}
    sources = STACK_SOURCES if settings.image_repository else STACK_SOURCES + IMAGE_SOURCES
    if settings.cdn:
        facts["policy"] = page_policy()
    return _hash(repository, sources, facts)


def site_hash(repository: Path, addresses: Mapping[str, str]) -> str:
    """Changes when any published page, script or address does."""
    return _hash(repository, SITE_SOURCES, {"addresses": dict(addresses)})


def _hash(repository: Path, sources: Iterable[str], facts: object) -> str:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for source in sources:
        for path in _files(repository / source):
            name = path.relative_to(repository).as_posix()
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return sorted(
        path
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    )
