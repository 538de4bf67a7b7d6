"""The documentation as a site: built strictly, complete, refused when something leads nowhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from docs import diagrams, rest_page, site
from tests.harness.media import REPOSITORY

PAGES = ("README.md", *(page.source for page in site.pages()))

# MyST calls what Sphinx 11 will not have; 9.0 is pinned.
pytestmark = pytest.mark.filterwarnings("ignore:'myst_parser")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site; a warning would have ended it."""
    output = tmp_path_factory.mktemp("site")
    site.build(output)
    return output / "html"


def test_site_is_built_without_a_warning_when_all_pages_are_read(html: Path) -> None:
    for page in site.pages():
        made = (html / page.place).with_suffix(".html")
        assert "</article>" in made.read_text(), page.source


def test_every_call_and_object_is_in_the_site_when_openapi_has_it(html: Path) -> None:
    openapi = json.loads(rest_page.OPENAPI.read_text())
    made = (html / "reference/rest.html").read_text()
    for path, operations in openapi["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in made
    for name in openapi["components"]["schemas"]:
        assert f'id="{name.lower()}"' in made


def test_call_is_told_whole_when_it_has_parameters_a_body_and_refusals() -> None:
    section = (
        rest_page.text().split("### POST /uploads/{video_id}/complete\n")[1].split("\n### ")[0]
    )
    assert "It needs a token." in section
    assert "| `video_id` | path | [VideoId](#videoid) |" in section
    assert "Body: [PartList](#partlist)." in section
    assert "| 202 |" in section
    assert "[Video](#video) |" in section
    assert "`upload-not-open`" in section


def test_site_needs_nobody_elses_server_when_it_is_opened(html: Path) -> None:
    index = (html / "ARCHITECTURE.html").read_text()
    assert 'src="_images/parts.svg"' in index
    assert "stateDiagram-v2" in index
    assert 'src="http' not in index
    assert '<link rel="stylesheet" href="http' not in index


def staged(tmp_path: Path, text: str, source: str = "docs/how-to/x.md") -> str:
    page = site.Page(source, source.removeprefix("docs/"))
    places = {page.source: page.place for page in site.pages()}
    return site._relinked(text, page, places, tmp_path)


@pytest.mark.parametrize(
    ("link", "there"),
    [
        ("../ARCHITECTURE.md#states", "../ARCHITECTURE.md#states"),
        ("../../CHANGELOG.md", "../project/changelog.md"),
        ("../README.md", "../index.md"),
        ("#here", "#here"),
        ("https://example.org/a.md", "https://example.org/a.md"),
        ("../../LICENSE", "../LICENSE"),
    ],
)
def test_link_leads_to_the_copy_when_it_is_in_the_site(
    tmp_path: Path, link: str, there: str
) -> None:
    assert staged(tmp_path, f"[x]({link}) `[y](gone.md)`") == f"[x]({there}) `[y](gone.md)`"


def test_file_is_copied_when_a_page_leads_to_it(tmp_path: Path) -> None:
    staged(tmp_path, "[x](../reference/openapi.json)")
    copied = (tmp_path / "reference/openapi.json").read_bytes()
    assert copied == (REPOSITORY / "docs/reference/openapi.json").read_bytes()


def test_link_is_refused_when_it_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(site.BrokenLinkError, match=r"docs/how-to/x\.md: gone\.md is not there"):
        staged(tmp_path, "[x](gone.md)")


_OURS = (
    *("app.py", "bench", "cdk", "cli", "docs", "engine", "frontend", "functions"),
    *("layers", "local", "tests", ".github", ".ci"),
)
_PATH = re.compile(r"`((?:\.?/?[\w.-]+/)+[\w.-]+)`")


@pytest.mark.parametrize("page", site.pages(), ids=lambda page: page.source)
def test_file_exists_when_a_page_names_it(page: site.Page) -> None:
    made = ("build/", "cli/bin", "functions/code")
    for path in _PATH.findall((REPOSITORY / page.source).read_text()):
        if path.split("/")[0] in _OURS and not path.startswith(made):
            assert (REPOSITORY / path).exists(), path


def test_picture_is_seen_when_it_is_committed() -> None:
    shown = {
        (REPOSITORY / page).parent.joinpath(link[0]).resolve()
        for page in PAGES
        for link in site.links((REPOSITORY / page).read_text())
    }
    pictures = set((REPOSITORY / "docs/images").iterdir())
    assert len(pictures) > 10
    assert sorted(path.name for path in pictures - shown) == []


def test_diagram_is_drawn_anew_when_its_source_changed() -> None:
    """`python -m docs.diagrams` draws those that are out of date."""
    drawn = list(diagrams.diagrams())
    texts = [(REPOSITORY / name).read_text() for name in PAGES]
    assert len(drawn) == sum(text.count("```mermaid") for text in texts) > 5
    assert [diagram.picture.name for diagram in drawn if not diagram.fresh] == []


def test_links_hold_when_a_page_is_outside_of_the_site() -> None:
    for name in ("README.md", "engine/fuzz/README.md", "tests/media/clips/README.md"):
        path = REPOSITORY / name
        if path.exists():
            for link in site.links(path.read_text()):
                target = link[0].partition("#")[0]
                assert ":" in target or (path.parent / target).exists(), f"{name}: {link[0]}"
