"""The front end without a browser: its JavaScript tests, its vendored files, its house rules."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from millrace.call_messages import Code
from millrace.errors import Reason
from millrace.upload_rules import CONTENT_TYPES

REPOSITORY = Path(__file__).resolve().parents[3]
FRONTEND = REPOSITORY / "frontend"
NODE = Path(sys.executable).with_name("node")
PAGES = sorted(FRONTEND.glob("*.html"))
SCRIPTS = sorted(
    path for path in FRONTEND.rglob("*.js") if "vendor" not in path.relative_to(FRONTEND).parts
)
JAVASCRIPT_TESTS = sorted(Path(__file__).parent.glob("*.test.js"))


def node(*arguments: str | Path) -> None:
    done = subprocess.run(
        [NODE, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode != 0:
        pytest.fail(f"{done.stdout[-6000:]}{done.stderr[-3000:]}", pytrace=False)


@pytest.mark.parametrize("path", JAVASCRIPT_TESTS, ids=lambda path: path.name)
def test_javascript_behaves(path: Path) -> None:
    node("--test", path)


def test_vendored_files_are_those_of_npm() -> None:
    node(FRONTEND / "build-vendor.mjs", "--check")


def test_front_end_is_formatted() -> None:
    node("node_modules/prettier/bin/prettier.cjs", "--check", ".")


def test_sheets_have_every_class_of_a_page_that_any_sheet_has() -> None:
    """A rule that moved to another sheet must not be missed where that one is not linked."""
    named = {
        path.relative_to(FRONTEND).as_posix(): set(re.findall(r"\.([a-z][\w-]*)", path.read_text()))
        for path in FRONTEND.rglob("*.css")
    }
    styled = set().union(*named.values())
    for page in PAGES:
        text = page.read_text()
        linked = re.findall(r'rel="stylesheet" href="([^"]+)"', text)
        classes = set(" ".join(re.findall(r'class="([^"]+)"', text)).split())
        assert classes & styled <= set().union(*(named[sheet] for sheet in linked)), page.name


def test_every_reason_code_has_words() -> None:
    source = (FRONTEND / "js" / "reasons.js").read_text()
    assert set(re.findall(r"^  ([A-Z_]+):", source, re.MULTILINE)) == set(Reason)


def test_every_refusal_of_a_call_that_a_person_meets_has_words() -> None:
    source = (FRONTEND / "js" / "chat" / "words.js").read_text()
    handled = {"NOT_JOINED", "ALREADY_JOINED", "PEER_AWAY"}
    bugs = {"MALFORMED", "TOO_LARGE"}
    assert set(re.findall(r"^  ([A-Z_]+):", source, re.MULTILINE)) == set(Code) - handled - bugs


def test_the_page_takes_what_the_api_takes() -> None:
    source = (FRONTEND / "js" / "upload" / "accept.js").read_text()
    listed = re.search(r"EXTENSIONS = \[(.*?)\]", source, re.DOTALL)
    assert listed is not None
    assert set(re.findall(r'"(\.\w+)"', listed[1])) == set(CONTENT_TYPES)


class Page(HTMLParser):
    """What the rules below look at."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.policy = ""
        self.links: list[str] = []
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attributes}
        if known.get("http-equiv") == "Content-Security-Policy":
            self.policy = " ".join(known["content"].split())
        self.links += [known[name] for name in ("href", "src") if name in known]
        self.ids += [known["id"]] if "id" in known else []
        self.inline += [name for name in known if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in known):
            self.inline.append(tag)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_holds_no_inline_script_or_style(path: Path) -> None:
    assert Page(path).inline == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_refers_to_files_that_exist_by_relative_paths(path: Path) -> None:
    for link in Page(path).links:
        parts = urlsplit(link)
        assert not parts.scheme, link
        assert not parts.netloc, link
        assert not link.startswith("/"), link
        assert not parts.path or (FRONTEND / parts.path).is_file(), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_uses_each_id_once(path: Path) -> None:
    ids = Page(path).ids
    assert sorted(ids) == sorted(set(ids))


def test_every_page_but_the_embedded_one_hides_in_frames() -> None:
    """theme-boot.js does it, before anything else runs; tests/e2e frames some."""
    boot = "js/theme-boot.js"
    first = {
        path.name: re.findall(r'<script[^>]*\bsrc="([^"]+)"', path.read_text()) for path in PAGES
    }
    assert {name for name, scripts in first.items() if scripts[0] != boot} == {"embed.html"}
    assert "window.top !== window.self" in (FRONTEND / boot).read_text()


SOCKETS = " wss://*.amazonaws.com ws://127.0.0.1:* ws://localhost:*"


def test_all_pages_share_one_strict_policy() -> None:
    # The call page may open sockets besides.
    policies = {Page(path).policy.replace(SOCKETS, "") for path in PAGES}
    assert len(policies) == 1
    assert [path.name for path in PAGES if SOCKETS in Page(path).policy] == ["chat.html"]
    policy = dict(rule.strip().split(" ", 1) for rule in policies.pop().split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["worker-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert not any("unsafe" in sources for sources in policy.values())
    # hls.js makes a text track with an empty file of its own; nowhere else is data a source.
    assert [name for name, sources in policy.items() if "data:" in sources] == ["media-src"]
    # Bare schemes or stars would let a page send anything anywhere.
    assert not any({"*", "http:", "https:"} & set(sources.split()) for sources in policy.values())


FORBIDDEN = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|setHTMLUnsafe)"
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(FRONTEND)))
def test_script_parses_no_markup_and_fetches_through_the_client(path: Path) -> None:
    source = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)
    assert FORBIDDEN.search(source) is None
    if path.relative_to(FRONTEND) != Path("js/api.js"):
        assert not re.search(r"(?<![\w.])fetch\(", source)
