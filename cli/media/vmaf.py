"""The quality setting that reaches a VMAF, found by encoding samples with our own engine.

H.264 is measured by the engine itself (`analyse`: its model of VMAF errs by 0.8 on average); other
codecs by libvmaf in an ffmpeg that has it.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

SAMPLES = 3
SAMPLE_S = 2.0
MOST_TRIALS = 5
_NEAR = 0.3
"""VMAF: no closer does a whole number of CRF come."""


@functools.cache
def program() -> str | None:
    """An ffmpeg with libvmaf: $MILLRACE_FFMPEG, the one on PATH, or imageio-ffmpeg's."""
    for candidate in (os.environ.get("MILLRACE_FFMPEG"), shutil.which("ffmpeg"), _wheel()):
        if candidate and _has_libvmaf(candidate):
            return candidate
    return None


def _wheel() -> str | None:
    """Without reading the package, which takes a while."""
    spec = importlib.util.find_spec("imageio_ffmpeg")
    if spec is None or spec.origin is None:
        return None
    found = sorted((Path(spec.origin).parent / "binaries").glob("ffmpeg-*"))
    return str(found[0]) if found else None


def _has_libvmaf(candidate: str) -> bool:
    try:
        listed = subprocess.run(
            [candidate, "-hide_banner", "-filters"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return " libvmaf " in listed.stdout
