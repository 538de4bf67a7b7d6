"""`./millrace backup` and `restore`: the state of one machine in one file, and back.

What is kept is what a crash at one instant would leave, which is what every start is made for
(docs/explanation/one-machine.md). To get it while Millrace runs, LocalStack, through which
everything is written, is stopped by the kernel (SIGSTOP) for as long as it takes to link or copy
its files: bodies of objects never change once they are written, so a second name does for them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import psutil

import millrace
from cli.console import console, fail, size_text
from cli.state import State
from local.server_lock import StateInUseError, StateLock

FORMAT = 1
MANIFEST = "millrace-backup.json"
_STAGING, _RESTORING = ".backup", ".restoring"
_STOPPED_WITHIN_S = 5.0
_LEFT_OUT = frozenset(
    {
        *("logs", "up.json", "up.log", "images.json", _STAGING, _RESTORING),
        *("cloud/tmp", "cloud/home", "cloud/cache", "cloud/functions", "cloud/cloud.lock"),
    }
)
"""What the next start makes anew, and logs."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(state: State, file: Path) -> None:
    """Write videos, jobs, queues and tokens into FILE (tar), also while Millrace runs."""
    if file.exists():
        fail(f"{file} is there already")
    if file.resolve().is_relative_to(state.root):
        fail(f"{file} would be in the next backup; write it outside of {state.root}")
    if not state.cloud.exists():
        fail(f"there is nothing in {state.root} yet")
    began = time.monotonic()
    staging = state.root / _STAGING
    try:
        paused_s = _stage(state, staging)
        files = _pack(staging, file)
    except (OSError, StateInUseError) as error:
        fail(f"no backup was made: {error}")
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    took_s = time.monotonic() - began
    paused = f", paused {paused_s:.1f} s" if paused_s else ""
    size = size_text(file.stat().st_size)
    console.print(f"[good]✓[/] {files} files, {size}, in {file} [faint]{took_s:.1f}s{paused}[/]")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def restore(state: State, file: Path) -> None:
    """Unpack FILE, which `backup` wrote, into a state directory without a state."""
    if state.cloud.exists():
        fail(f"{state.root} has a state; `./millrace reset` deletes it, --state-dir names another")
    restoring = state.root / _RESTORING
    shutil.rmtree(restoring, ignore_errors=True)  # of a restore that was cut short
    restoring.mkdir(parents=True)
    try:
        manifest = _unpack(file, restoring)
        # The cloud's folder last: without it there is no state, and this can be done again.
        for path in sorted(restoring.iterdir(), key=lambda path: path.name == state.cloud.name):
            path.replace(state.root / path.name)
    except (OSError, ValueError, tarfile.TarError) as error:
        fail(f"{file} could not be restored: {error}")
    finally:
        shutil.rmtree(restoring, ignore_errors=True)
    console.print(f"[good]✓[/] as of {manifest['at']}; ./millrace up starts it")


def _stage(state: State, staging: Path) -> float:
    """Put a second name or a copy of every file below `staging`.

    Returns:
        For how many seconds LocalStack was stopped.

    Raises:
        StateInUseError: it runs, but is not ready.
    """
    shutil.rmtree(staging, ignore_errors=True)  # of a backup that was cut short
    running = state.running()
    if running is None:
        lock = StateLock.acquire(state.cloud)
        try:
            _take(state.root, staging)
        finally:
            lock.close()
        return 0.0
    began = time.monotonic()
    with stopped(running.cloud_pid):
        _take(state.root, staging)
    return time.monotonic() - began


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process stands still meanwhile, and goes on whatever happens to this one.

    Raises:
        OSError: it cannot be stopped.
    """
    # Its standard input ends with this process, however that ends.
    guard = subprocess.Popen(
        ["/bin/sh", "-c", f"read _; kill -CONT {pid}"],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        os.kill(pid, signal.SIGSTOP)
        _wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        yield
    finally:
        guard.communicate()


def _wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _STOPPED_WITHIN_S
    while not reached():
        if time.monotonic() > deadline:
            raise OSError(f"LocalStack does not stop within {_STOPPED_WITHIN_S:.0f} s")
        time.sleep(0.005)


def _take(root: Path, staging: Path) -> None:
    bodies = root / "cloud" / "s3" / "bodies"
    for path in _files(root):
        target = staging / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.is_relative_to(bodies):
            _link(path, target)
        else:
            shutil.copy2(path, target)


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # not every file system has second names
        shutil.copy2(path, target)


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if _is_kept(root, here / name)]
        for name in names:
            path = here / name
            # Index of a write-ahead log: SQLite makes it anew.
            if _is_kept(root, path) and path.is_file() and path.suffix != ".sqlite-shm":
                yield path


def _is_kept(root: Path, path: Path) -> bool:
    return path.relative_to(root).as_posix() not in _LEFT_OUT


def _pack(staging: Path, file: Path) -> int:
    """Write the file, which nobody meets before it is whole. Returns how many files it holds."""
    paths = sorted(_files(staging))
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        # It holds tokens and secrets.
        with open(unfinished, "wb", opener=_private) as raw, tarfile.open(None, "w", raw) as tar:
            _add_manifest(tar, staging, len(paths))
            for path in paths:
                tar.add(path, path.relative_to(staging).as_posix())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(paths)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _add_manifest(tar: tarfile.TarFile, staging: Path, files: int) -> None:
    manifest = {
        "format": FORMAT,
        "version": millrace.__version__,
        "at": f"{datetime.now(UTC):%FT%TZ}",
        "files": files,
    }
    path = staging / MANIFEST
    path.write_text(json.dumps(manifest))
    tar.add(path, MANIFEST)


def _unpack(file: Path, into: Path) -> dict[str, Any]:
    """
    Raises:
        ValueError: the file is no backup, not whole, another version's, or names files elsewhere.
        tarfile.TarError: it is no tar file.
    """
    with tarfile.open(file, "r:") as tar:
        first = tar.next()
        member = tar.extractfile(first) if first and first.name == MANIFEST else None
        if member is None:
            raise ValueError("it is no backup of Millrace")
        manifest: dict[str, Any] = json.load(member)
        if manifest.get("format") != FORMAT:
            found = manifest.get("format")
            raise ValueError(f"it has format {found}, this version reads {FORMAT}")
        members = tar.getmembers()[1:]
        if len(members) != manifest.get("files"):
            raise ValueError(f"{len(members)} of its {manifest.get('files')} files are there")
        for each in members:
            _extract(tar, each, into)
    return manifest


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    """Debian 12's Python knows no extraction filters."""
    target = into / member.name
    source = tar.extractfile(member) if member.isreg() else None
    if source is None or not target.resolve().is_relative_to(into.resolve()):
        raise ValueError(f"{member.name!r} has no place in a state")
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = member.mode & 0o777
    with open(target, "xb", opener=lambda path, flags: os.open(path, flags, mode)) as file:
        shutil.copyfileobj(source, file)
