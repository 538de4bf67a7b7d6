"""How much script a page makes a browser load."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"
PAGES = sorted(FRONTEND.glob("*.html"))
MOST_BYTES = 250_000
"""Compressed, of our own scripts and the vendored ones; hls.js, which plays, is beside it."""
IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']""")


def scripts_of(page: Path) -> set[Path]:
    """All that is loaded when the page is, and what its modules import."""
    sources = re.findall(r'<script[^>]*\bsrc="([^"]+)"', page.read_text())
    found: set[Path] = set()
    waiting = [(page.parent / source).resolve() for source in sources]
    while waiting:
        script = waiting.pop()
        if script in found or "hls" in script.parts:
            continue
        found.add(script)
        # Types are imported in comments.
        text = re.sub(r"/\*\*.*?\*/", "", script.read_text(), flags=re.DOTALL)
        waiting += [(script.parent / path).resolve() for path in IMPORT.findall(text)]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_stay_small_when_compressed(page: Path) -> None:
    scripts = scripts_of(page)
    assert len(scripts) > 5, "the imports are followed"
    assert sum(len(gzip.compress(script.read_bytes())) for script in scripts) < MOST_BYTES


def test_the_player_weighs_what_its_readme_says() -> None:
    player = FRONTEND / "player"
    served = [path for path in player.iterdir() if path.suffix in (".js", ".css")]
    kilobytes = sum(len(gzip.compress(path.read_bytes())) for path in served) / 1000
    assert f"this folder but hls.js is {kilobytes:.0f} kB" in (player / "README.md").read_text()


def test_charts_are_loaded_by_the_dashboard_alone() -> None:
    drawing = [
        page.name for page in PAGES if FRONTEND / "vendor/uplot/uplot.mjs" in scripts_of(page)
    ]
    assert drawing == ["dashboard.html"]
