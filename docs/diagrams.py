"""Draws the diagrams of the pages: `python -m docs.diagrams`, after npm's packages were installed.

A page shows the picture, and has its source in Mermaid folded up below. Each picture says of which
source it was made, so that only what changed is drawn, and a test finds the ones that are out of
date. Labels are plain SVG text: they are seen wherever a picture is.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import sync_playwright

REPOSITORY = Path(__file__).resolve().parent.parent
MERMAID = REPOSITORY / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
CHROMIUM = "/usr/bin/chromium"
_SHOWN = re.compile(
    r"!\[[^\]]+\]\((?P<picture>[^)]+\.svg)\)\n\n"
    r"<details><summary>The diagram's source</summary>\n\n"
    r"```mermaid\n(?P<source>.*?)```\n\n</details>",
    re.DOTALL,
)
_DRAW = """async ([name, source]) => {
  mermaid.initialize({
    startOnLoad: false,
    theme: "neutral",
    htmlLabels: false,
    // Nearly as wide as each other, so that labels fit on every system.
    fontFamily: "DejaVu Sans, Verdana, sans-serif",
    flowchart: { htmlLabels: false, useMaxWidth: false },
    sequence: { useMaxWidth: false },
    state: { useMaxWidth: false },
  });
  return (await mermaid.render(name, source)).svg;
}"""


@dataclass(frozen=True, slots=True)
class Diagram:
    """One of a page, and the file that shows it."""

    picture: Path
    source: str

    @property
    def mark(self) -> str:
        """What its picture holds if it was made of this source."""
        return f"<!-- source {hashlib.sha256(self.source.encode()).hexdigest()} -->"

    @property
    def fresh(self) -> bool:
        return self.picture.is_file() and self.mark in self.picture.read_text()


def diagrams() -> Iterator[Diagram]:
    """Those of all pages."""
    for page in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))):
        for shown in _SHOWN.finditer(page.read_text()):
            yield Diagram((page.parent / shown["picture"]).resolve(), shown["source"])


def main() -> None:
    stale = [diagram for diagram in diagrams() if not diagram.fresh]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=MERMAID)
        for diagram in stale:
            drawn = page.evaluate(_DRAW, [diagram.picture.stem, diagram.source])
            # Its lines are black; a page may be, too.
            white = drawn.replace("<svg ", '<svg style="background:#fff" ', 1)
            diagram.picture.write_text(f"{white}\n{diagram.mark}\n")
            sys.stdout.write(f"{diagram.picture.relative_to(REPOSITORY)}\n")
        browser.close()


if __name__ == "__main__":
    main()
