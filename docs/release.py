"""The notes of a release, from CHANGELOG.md: `python -m docs.release v0.2.0`."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def notes(tag: str, changelog: str, version: str) -> str:
    """What CHANGELOG.md says of a version.

    Args:
        tag: `v` and the version.
        version: of pyproject.toml, which the tag must name.

    Raises:
        ValueError: the tag, the code and the log do not agree.
    """
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, but the code is version {version}")
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)
    for section in sections[1:]:
        heading, _, text = section.partition("\n")
        if heading.startswith(f"[{version}]"):
            return re.sub(r"^\[[^\]]+\]: .*\n?", "", text, flags=re.MULTILINE).strip() + "\n"
    raise ValueError(f"CHANGELOG.md has no section [{version}]")


def main(tag: str) -> int:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    try:
        print(notes(tag, (REPOSITORY / "CHANGELOG.md").read_text(), project["version"]), end="")
    except ValueError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
