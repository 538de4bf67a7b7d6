"""Which files a batch is about, and where each result goes."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from cli.media.failures import Failure

SUFFIXES = frozenset(
    f".{name}"
    for names in (
        "3gp asf avi flv gif ivf m2ts m4v mkv mov mp4 mpeg mpg mts",
        "mxf ogg ogv ts vob webm wmv",
    )
    for name in names.split()
)
"""What is taken out of folders; a file that is named is taken whatever it is called."""


def sources(
    named: Sequence[str], output: Path, *, patient: bool = False
) -> Iterator[tuple[Path, Path]]:
    """Files, each with its path below the output folder, in the order of their names.

    Hidden files, and what lies in the output folder, are left out.

    Args:
        patient: a pattern may have nothing that answers to it yet.

    Raises:
        Failure: a name, or a pattern, that nothing answers to; a folder that is the output's.
    """
    for name in named:
        found = [Path(name)] if Path(name).exists() else sorted(map(Path, _matching(name)))
        if not found and not (patient and glob.has_magic(name)):
            raise Failure("MISSING", "There is no such file or folder.", file=name)
        for path in found:
            if path.is_dir():
                yield from _in_folder(path.resolve(), output)
            else:
                yield path.resolve(), Path(path.name)


def _matching(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207 - also of absolute patterns


def _in_folder(folder: Path, output: Path) -> Iterator[tuple[Path, Path]]:
    if folder == output:
        message = "The results would lie among the sources, none of which would be converted."
        raise Failure("USAGE", message, file=folder, advice="name another folder with -o")
    results = output if folder in output.parents else None
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in below.parts)
        if hidden or path.suffix.lower() not in SUFFIXES or results in path.parents:
            continue
        if path.is_file():
            yield path, below
