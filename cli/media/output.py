"""Where results go: never over the input, never half, never over something unasked."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.media.failures import Failure, from_os

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def existing_options(command: _Decorated) -> _Decorated:
    """What to do where the output is there already."""
    skip = "Leave an output that is there, and succeed."
    command = click.option("--skip-existing", is_flag=True, help=skip)(command)
    return click.option("--overwrite", is_flag=True, help="Replace an output that is there.")(
        command
    )


def wanted(source: Path, target: Path, *, overwrite: bool, skip_existing: bool) -> bool:
    """Whether the target is to be made; its folder is.

    Raises:
        Failure: OUTPUT_IS_INPUT, OUTPUT_EXISTS, or the folder cannot be made or written to.
    """
    if target.exists():
        if source.exists() and target.samefile(source):
            raise Failure("OUTPUT_IS_INPUT", "The output is the input.", file=target)
        if skip_existing:
            return False
        if not overwrite:
            raise Failure("OUTPUT_EXISTS", "It is there already.", file=target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os(error, target.parent) from error
    if not os.access(target.parent, os.W_OK | os.X_OK):
        message = "Files cannot be made in this folder."
        raise Failure("NOT_PERMITTED", message, file=target.parent)
    return True


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """A path beside the target, gone at the end unless `publish` moved it to its place."""
    _sweep(target)
    path = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
    try:
        yield path
    finally:
        _remove(path)


def publish(path: Path, target: Path) -> None:
    """Put a finished file or folder in its place, in one step for files.

    Raises:
        Failure: the system refuses.
    """
    try:
        if path.is_dir() and target.exists():
            _remove(target)
        path.replace(target)
    except OSError as error:
        raise from_os(error, target) from error


def _sweep(target: Path) -> None:
    """Remove what runs left that were killed."""
    name = re.compile(rf"\.{re.escape(target.stem)}\.(\d+)\.part{re.escape(target.suffix)}")
    with suppress(OSError):
        for path in target.parent.iterdir():
            found = name.fullmatch(path.name)
            if found and not alive(int(found[1])):
                _remove(path)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink(missing_ok=True)
