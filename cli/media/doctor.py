"""`millrace doctor`: what works on this machine, tried and not guessed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from cli.console import console, escape, size_text
from cli.media import engine, job, libraries, vmaf
from cli.media.command import LocalCommand, examples, said
from cli.media.exits import Exit
from cli.media.failures import Failure
from cli.media.job import Audio, Job, Video
from cli.media.voice import write_line

_TRIAL = Path(__file__).with_name("trial.mp4")
"""A fifth of a second of 128×72, H.264 and AAC."""
_ENCODERS = {"h264": "mp4", "hevc": "mp4", "av1": "mp4", "vp9": "webm"}
_SOUNDS = {"aac": "mp4", "opus": "webm"}
_PACKAGES = "g++ cmake ninja-build pkg-config libavformat-dev libavcodec-dev libavfilter-dev \
libswscale-dev libswresample-dev libx264-dev libx265-dev libsvtav1enc-dev libzimg-dev \
libseccomp-dev libcurl4-openssl-dev nlohmann-json3-dev"
_LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    works: bool
    about: str
    remedy: str = ""
    required: bool = True


@click.command(cls=LocalCommand, epilog=examples(("millrace doctor --json", "for programs")))
@said
@click.pass_context
def doctor(context: click.Context, /, as_json: bool, quiet: bool, **_: Any) -> None:
    """Try every encoder on a tiny film; tell what is missing and how to install it.

    Also the versions of the libraries that the engine is linked with, and what they decode.

    Exit code 1 if something is missing that Millrace cannot do without.
    """
    checks = list(_checks())
    sick = any(check.required and not check.works for check in checks)
    if as_json:
        write_line({"type": "doctor", "ok": not sick, "checks": [asdict(it) for it in checks]})
    else:
        for check in checks:
            _show(check, quiet=quiet)
    context.exit(Exit.FOUND if sick else Exit.DONE)


def _show(check: Check, *, quiet: bool) -> None:
    if check.works and quiet:
        return
    mark = "[good]✓[/]" if check.works else ("[bad]✗[/]" if check.required else "[faint]–[/]")
    console.print(f"{mark} {escape(check.name):<22} {escape(check.about)}")
    if not check.works and check.remedy:
        console.print(f"  [faint]Try:[/] {escape(check.remedy)}")


def _checks() -> Iterator[Check]:
    found = _engine()
    yield found
    if found.works:
        yield from _libraries()
        with tempfile.TemporaryDirectory(prefix="millrace-doctor-") as folder:
            yield from _encoders(Path(folder))
    yield _vmaf()
    yield from _machine()


def _engine() -> Check:
    remedy = f"apt-get install {_PACKAGES} && pip install ."
    try:
        program = engine.path()
        version = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except Failure as failure:
        return Check("engine", False, failure.message, remedy)
    except (OSError, subprocess.SubprocessError) as error:
        return Check("engine", False, str(error), remedy)
    return Check("engine", True, f"{version}, {program}")


def _libraries() -> Iterator[Check]:
    """Nothing where the engine has them all inside."""
    found = libraries.linked(engine.path())
    if "avcodec" not in found:
        return
    versions = libraries.versions(found)
    yield Check("libraries", True, ", ".join(f"{name} {it}" for name, it in versions.items()))
    there = libraries.decoders(found)
    missing = [name for name in libraries.DECODERS if name not in there]
    about = ", ".join(name for name in libraries.DECODERS if name in there)
    about += f"; not {', '.join(missing)}" if missing else ""
    remedy = "apt-get install libavcodec-extra, or a libav that was built with them"
    yield Check("decoders", not missing, about, remedy, required=False)


def _encoders(folder: Path) -> Iterator[Check]:
    jobs = {
        **{
            codec: Job(container, Video(0, codec, preset="ultrafast", crf=40))
            for codec, container in _ENCODERS.items()
        },
        **{
            codec: Job(container, None, (Audio(1, codec, 64_000),))
            for codec, container in _SOUNDS.items()
        },
    }
    for name, trial in jobs.items():
        kind = f"{name}, {'sound' if name in _SOUNDS else 'pictures'}"
        output = folder / f"{name}.{trial.container}"
        try:
            job.convert(_TRIAL, trial, output, scratch=folder)
        except Failure as failure:
            remedy = f"apt-get install {_PACKAGES}, and build the engine again"
            yield Check(kind, False, failure.message, remedy)
        else:
            yield Check(kind, True, f"encodes to {trial.container}")


def _vmaf() -> Check:
    remedy = "pip install imageio-ffmpeg, or name an ffmpeg that has it in MILLRACE_FFMPEG"
    remedy += " (--target-vmaf needs it)"
    program = vmaf.program()
    about = program or "no ffmpeg with libvmaf"
    return Check("libvmaf", program is not None, about, remedy, required=False)


def _machine() -> Iterator[Check]:
    processors = len(os.sched_getaffinity(0))
    yield Check("processors", True, f"{processors} are used")
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    enough = free >= _LEAST_FREE_BYTES
    remedy = "free some, or let TMPDIR name a folder on another disk"
    yield Check("free space", enough, f"{size_text(free)} in {folder}", remedy, required=False)
