"""What an image of a function is built from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = "functions/Dockerfile"


@contextmanager
def build_context(function: str) -> Iterator[Path]:
    """A folder with just the files of one function's image.

    The repository itself is a build context too (`.dockerignore` narrows it), but the CDK would
    look at each of its files, those of node_modules included; and an image would be built again
    for a change of another function.
    """
    sources = (
        *("requirements.txt", "functions/requirements.txt", DOCKERFILE, "functions/sbom.py"),
        *("LICENSE", "THIRD_PARTY_NOTICES.md"),
        *("engine", "layers/core/python", f"functions/{function}"),
    )
    with TemporaryDirectory() as folder:
        for source in sources:
            target = Path(folder) / source
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, target, ignore=_not_built)
            else:
                shutil.copy(ROOT / source, target)
        yield Path(folder)


def _not_built(folder: str, names: list[str]) -> set[str]:
    unwanted = {"__pycache__"}
    if Path(folder) == ROOT / "engine":
        unwanted |= {"tests", "fuzz"}
    return unwanted & set(names)
