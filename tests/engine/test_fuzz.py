"""The fuzz targets take their seeds, and for a while inputs made of them, without a finding."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.harness import sanitized
from tests.harness.media import REPOSITORY

SOURCES = REPOSITORY / "engine" / "fuzz"
CORPUS = SOURCES / "corpus"
RUNS = {"probe": 12000, "video": 9000, "audio": 5500}
"""About twenty seconds each. The seed is fixed, so that the outcome tells of the change at
hand; looking for what nobody knows yet takes hours (docs/ENGINE.md)."""


def fuzz(target: str, folder: Path, *options: str) -> str:
    """Run a target on the corpus; what it finds new is left in `folder`."""
    program = sanitized.built("fuzz") / "fuzz" / f"millrace-fuzz-{target}"
    command = [str(program), "-timeout=20", "-rss_limit_mb=2048", *options, str(folder)]
    done = subprocess.run(
        [*command, str(CORPUS)],
        cwd=folder,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return done.stderr


@pytest.mark.parametrize("target", RUNS)
def test_target_finds_nothing_when_it_runs_a_while(target: str, tmp_path: Path) -> None:
    words = f"-dict={SOURCES / 'dictionary.txt'}"
    log = fuzz(target, tmp_path, words, "-max_len=40000", "-seed=1", f"-runs={RUNS[target]}")
    assert "INITED" in log
    assert f"Done {RUNS[target]} runs" in log
    assert list(tmp_path.iterdir()), "not one input led anywhere new"


def test_corpus_is_small_when_it_is_cloned() -> None:
    sizes = [path.stat().st_size for path in CORPUS.iterdir()]
    assert len(sizes) > 15
    assert max(sizes) < 40_000
    assert sum(sizes) < 300_000
