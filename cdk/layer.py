"""Makes the folder of the Lambda layer `core`: `python -m cdk.layer`.

The layer holds the `millrace` package and what it imports, in the very versions that the tests run
with: they are copied from the environment this runs in, along the dependencies of
`requirements.txt`. So it needs no network, and the same inputs make the same files.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
PACKAGE = ROOT / "layers" / "core" / "python" / "millrace"
LAYER = ROOT / "build" / "layer" / "core"
IN_LAMBDA = frozenset({"boto3", "botocore", "s3transfer"})
"""Part of Lambda's Python runtime; a second copy would only slow the cold start."""
_PIP_RECORDS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})


class LayerError(RuntimeError):
    """The layer cannot be made; the message names the package at fault."""


def build(target: Path = LAYER) -> Path:
    """Make the layer's folder anew.

    Returns:
        The folder that holds `python/`.

    Raises:
        LayerError: a package is not installed, has the wrong version, or is not pure Python.
    """
    python = target / "python"
    shutil.rmtree(target, ignore_errors=True)
    python.mkdir(parents=True)
    shutil.copytree(PACKAGE, python / "millrace", ignore=shutil.ignore_patterns("__pycache__"))
    for distribution in dependencies():
        for source, relative in _files(distribution):
            destination = python / relative
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, destination)
    return target


def dependencies() -> list[metadata.Distribution]:
    """The installed distributions that the layer needs, sorted by name."""
    waiting = [Requirement(line) for line in _requirement_lines()]
    found: dict[str, metadata.Distribution] = {}
    while waiting:
        requirement = waiting.pop()
        name = _canonical(requirement.name)
        if name in found or name in IN_LAMBDA:
            continue
        found[name] = _installed(requirement)
        needs = [Requirement(text) for text in found[name].requires or ()]
        waiting += [need for need in needs if need.marker is None or need.marker.evaluate()]
    return [found[name] for name in sorted(found)]


def _requirement_lines() -> list[str]:
    lines = (line.partition("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines())
    return [line for line in lines if line]


def _installed(requirement: Requirement) -> metadata.Distribution:
    try:
        distribution = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError as error:
        raise LayerError(f"the layer needs {requirement}, which is not installed here") from error
    if not requirement.specifier.contains(distribution.version, prereleases=True):
        raise LayerError(
            f"the layer needs {requirement}; installed is {distribution.version}: "
            "install requirements.txt again"
        )
    # A compiled package of this machine need not run on Lambda's.
    if "Root-Is-Purelib: true" not in (distribution.read_text("WHEEL") or ""):
        raise LayerError(f"{requirement.name} is not pure Python; the layer cannot hold it")
    return distribution


def _files(distribution: metadata.Distribution) -> Iterator[tuple[Path, Path]]:
    """Installed files with their place in the layer: no scripts, no caches, nothing of pip's."""
    for file in distribution.files or ():
        relative = Path(str(file))
        outside = ".." in relative.parts or "__pycache__" in relative.parts
        if not outside and relative.name not in _PIP_RECORDS:
            yield Path(str(distribution.locate_file(file))), relative


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    print(build())
