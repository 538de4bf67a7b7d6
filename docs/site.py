"""The documentation as a site: `python -m docs.site` writes build/docs/html.

The pages stay what they are, Markdown that reads well in a repository. They are put together below
build/docs/source, with the links that lead to pages elsewhere in the repository turned to their
copies, and built by Sphinx, which is strict: a broken link or anchor, or a page that no table of
docs/README.md lists, ends it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from docs import rest_page

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
OUTPUT = REPOSITORY / "build" / "docs"
ELSEWHERE = {
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "THIRD_PARTY_NOTICES.md": "project/third-party-notices.md",
    "frontend/README.md": "project/frontend.md",
    "frontend/player/README.md": "reference/player.md",
}
"""Pages outside of docs/, and where they stand in the site."""
KINDS = ("Tutorial", "How-to", "Reference", "Explanation")
GENERATED = {"reference/rest.md": ("Reference", rest_page.text)}
"""Pages that are made as the site is: under which caption, and by what."""
_LINK = re.compile(r"(?<=\]\()([^()\s]+)(?=\))")
_FENCE = re.compile(r"^(```+)(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_ROW = re.compile(r"^\| ([A-Z][\w-]+) \| (.+) \|$", re.MULTILINE)


class BrokenLinkError(Exception):
    """A page leads to what is not there."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the repository and its place in the site, both relative."""

    source: str
    place: str


def pages() -> list[Page]:
    """Every page of the site. docs/README.md is its beginning."""
    found = [
        Page(f"docs/{name}", "index.md" if name == "README.md" else name)
        for name in (path.relative_to(DOCS).as_posix() for path in sorted(DOCS.rglob("*.md")))
    ]
    return found + [Page(source, place) for source, place in ELSEWHERE.items()]


def links(text: str) -> Iterator[re.Match[str]]:
    """Targets of links in Markdown; what looks like one inside of code is none."""
    hidden = [match.span() for pattern in (_FENCE, _CODE) for match in pattern.finditer(text)]
    for link in _LINK.finditer(text):
        if not any(start <= link.start() < end for start, end in hidden):
            yield link


def stage(folder: Path) -> None:
    """Put the site's sources together.

    Raises:
        BrokenLinkError: a link leads to no file of the repository.
    """
    places = {page.source: page.place for page in pages()}
    for page in pages():
        text = (REPOSITORY / page.source).read_text()
        # A diagram's source is text here; no highlighter knows it.
        made = _relinked(text, page, places, folder).replace("```mermaid\n", "```none\n")
        if page.place == "index.md":
            made += _contents(made)
        _write(folder / page.place, made)
    for place, (_, make) in GENERATED.items():
        _write(folder / place, make())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _relinked(text: str, page: Page, places: dict[str, str], folder: Path) -> str:
    parts, done = [], 0
    for link in links(text):
        parts += [text[done : link.start()], _target(link[0], page, places, folder)]
        done = link.end()
    return "".join([*parts, text[done:]])


def _target(link: str, page: Page, places: dict[str, str], folder: Path) -> str:
    """A link as the site has it; a file that is no page is copied beside the pages."""
    url = urlsplit(link)
    if url.scheme or not url.path:
        return link
    source = os.path.normpath(f"{Path(page.source).parent}/{url.path}")
    place = places.get(source)
    if place is None:
        place = source.removeprefix("docs/")
        if not (REPOSITORY / source).is_file():
            raise BrokenLinkError(f"{page.source}: {link} is not there")
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / source, folder / place)
    relative = os.path.relpath(place, Path(page.place).parent)
    return f"{relative}#{url.fragment}" if url.fragment else relative


def _contents(index: str) -> str:
    """The navigation, from the tables of the first page."""
    trees = []
    rows = _ROW.findall(index)
    # The kinds first, in their order; then whatever else there is.
    for caption, cell in sorted(rows, key=lambda row: row[0] not in KINDS):
        listed = [link[0].removesuffix(".md") for link in links(cell) if link[0].endswith(".md")]
        listed += [
            place.removesuffix(".md") for place, (under, _) in GENERATED.items() if under == caption
        ]
        lines = ["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *listed, "```", ""]
        trees.append("\n".join(lines))
    return "".join(trees)


def _settings(version: str) -> dict[str, object]:
    return {
        "project": "Millrace",
        "version": version,
        "release": version,
        "extensions": ["myst_parser"],
        "myst_heading_anchors": 4,
        "html_theme": "furo",
        "html_title": f"Millrace {version}",
        "html_static_path": ["_static"],
        "html_css_files": ["site.css"],
        "html_copy_source": False,
        "html_show_copyright": False,
        "nitpicky": True,
        # Of --links: anchors are often made by scripts, and examples are nobody's.
        "linkcheck_anchors": False,
        "linkcheck_ignore": [r"https?://(127\.0\.0\.1|localhost|[\w.]*example(\.\w+)?)\b"],
        "linkcheck_retries": 3,
        # Text of the repository has single files and classes of JSON that no lexer knows.
        "highlight_language": "none",
    }


def build(output: Path, *, follow_links: bool = False) -> None:
    """Build the site into `output`/html.

    Args:
        follow_links: build nothing, but ask other sites whether what pages link to is there.

    Raises:
        BrokenLinkError: a page leads to no file of the repository.
        SphinxError: anything else that a page or the navigation has wrong.
    """
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    source = output / "source"
    shutil.rmtree(source, ignore_errors=True)
    stage(source)
    shutil.copytree(DOCS / "_static", source / "_static")
    app = Sphinx(
        srcdir=source,
        confdir=None,
        outdir=output / "html",
        doctreedir=output / "doctrees",
        buildername="linkcheck" if follow_links else "html",
        confoverrides=_settings(project["version"]),
        status=None,
        warning=sys.stderr,
        freshenv=True,
        warningiserror=True,
    )
    app.build()
    if app.statuscode:
        raise SphinxError("the site has warnings")
    if not follow_links:
        (output / "html" / ".nojekyll").touch()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder to build in")
    parser.add_argument(
        "--links", action="store_true", help="ask other sites for what is linked to"
    )
    chosen = parser.parse_args()
    try:
        build(chosen.output, follow_links=chosen.links)
    except (BrokenLinkError, SphinxError) as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    print(f"✓ {chosen.output / 'html' / ('output.txt' if chosen.links else 'index.html')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
