"""Commands in the pages: what a reader would type has to exist, as far as can be seen without
running it. The README's own upload is run as it stands in tests/integration/test_docs.py."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

import app
from cli.__main__ import CLOUD, LOCAL, main
from docs import site
from tests.harness.media import REPOSITORY

PAGES = [REPOSITORY / "README.md", *(REPOSITORY / page.source for page in site.pages())]
_BLOCK = re.compile(r"^[ \t]*```(?:bash|sh|console|)\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:\./)?millrace(?: [^`]+)?|python (?:-m )?[^`]+)`")
_ROUTE = re.compile(r"\$api(/[\w/${}.-]*)")
_ENDS = re.compile(r"\\?[|;&<>]|…|\\$")
"""Where a command ends; in a table's cell a bar has a backslash."""
_INLINE_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_UNQUOTED = re.compile(r"""("(?:\\.|[^"\\])*")|'[^']*'""")
"""Double quotes are kept; between single ones the shell looks for no variable."""
_HASH = re.compile(r"(?:^|\s)#.*")
_USED = r"\$\{?(?P<used>[A-Za-z_]\w*)"
_NAMES = re.compile(
    rf"{_USED}|(?:^|(?<=[\s;(]))(?:(?P<set>[A-Za-z_]\w*)=|for (?P<each>\w+) in"
    r"|read (?:-\w+ )*(?P<read>\w+))"
)
OF_THE_SHELL = ("HOME", "PATH", "PWD")
PASSED_ON = ("test",)
"""Commands that hand their arguments to another program."""


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command in a page that is ours."""
    lines = [
        line for block in _BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()
    ]
    for line in [*lines, *_INLINE.findall(text)]:
        bare = re.sub(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*", "", re.sub(r"(^|\s)#.*", "", line))
        if re.match(r"(?:\./)?millrace |python ", bare):
            yield words(_ENDS.split(bare)[0])


def words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # an apostrophe of the sentence around it
        return command.split()


@cache
def front_door() -> set[str]:
    """Commands that ./millrace itself answers, and Python never sees."""
    labels = re.findall(r"^  ([a-z|\s]+)\)", (REPOSITORY / "millrace").read_text(), re.MULTILINE)
    known = {name.strip() for label in labels for name in label.split("|")}
    return known - set(LOCAL) - set(CLOUD) | {"help", "player"}


@cache
def command_of(name: str) -> click.Command:
    context = click.Context(main)
    found = main.get_command(context, name)
    assert found is not None, f"there is no ./millrace {name}"
    return found


def check_millrace(arguments: list[str]) -> None:
    """The sub-command and its options exist."""
    name, *rest = arguments
    if name.startswith(("-", "[")) or name.isupper() or name in front_door():
        return
    command = command_of(name)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        inner = command.get_command(click.Context(command), rest.pop(0))
        assert inner is not None, arguments
        command = inner
    if name in PASSED_ON:
        return
    if command.context_settings.get("ignore_unknown_options"):
        return
    takes_value = {
        option: isinstance(each, click.Option) and not each.is_flag and not each.count
        for each in command.params
        for option in (*each.opts, *each.secondary_opts)
    }
    takes_value |= {"--help": False, "-h": False}
    waiting = iter(rest)
    for word in waiting:
        option, equals, _ = word.strip("[]").partition("=")
        if option.startswith("-") and option != "-":
            assert option in takes_value, f"{name} has no {option}: {' '.join(arguments)}"
            if takes_value[option] and not equals:
                next(waiting, None)


def check_python(arguments: list[str]) -> None:
    """The module or the script exists."""
    if arguments[0] == "-m":
        module = arguments[1]
        ours = REPOSITORY / module.replace(".", "/")
        there = ours.with_suffix(".py").exists() or (ours / "__main__.py").exists()
        others = not (REPOSITORY / module.split(".")[0]).exists()
        assert there or (others and find_spec(module.split(".")[0])), module
    elif arguments[0].endswith(".py"):
        assert (REPOSITORY / arguments[0]).exists(), arguments[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_command_exists_when_a_page_shows_it(page: Path) -> None:
    for command in commands(page.read_text()):
        program, *arguments = command
        if program.endswith("millrace") and arguments:
            check_millrace(arguments)
        elif program == "python" and arguments:
            check_python(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_address_exists_when_a_page_asks_the_api(page: Path) -> None:
    routes = [re.sub(r"{\w+}", "[^/]+", route) for route in app.app.routes]
    for block in _BLOCK.findall(page.read_text()):
        for path in _ROUTE.findall(block):
            assert any(re.fullmatch(route, path.rstrip("/.")) for route in routes), path


def unset(text: str) -> set[str]:
    """Variables that a page's commands use before any of them sets them."""
    missing: set[str] = set()
    known = set(OF_THE_SHELL)
    for line in [line for block in _BLOCK.findall(text) for line in block.splitlines()]:
        bare = _HASH.sub("", _UNQUOTED.sub(lambda match: match[1] or "", line))
        for found in _NAMES.finditer(bare):
            if found["used"] and found["used"] not in known:
                missing.add(found["used"])
            known |= {found[how] for how in ("set", "each", "read") if found[how]}
    told = [line for line in _INLINE_CODE.findall(text) if line.startswith("curl ")]
    return missing | {name for line in told for name in re.findall(_USED, line)} - known


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_variable_was_set_when_a_page_uses_it(page: Path) -> None:
    assert unset(page.read_text()) == set()


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("```bash\ncurl $api\n```", {"api"}),
        ("```bash\ncurl $api\napi=x\n```", {"api"}),
        ('```bash\napi=x\n```\n\n```bash\ncurl "${api}/$id"  # $gone\n```', {"id"}),
        ('and `curl "$api/videos"` says', {"api"}),
        ("```bash\nfor file in *; do echo $file; done; read -r line; echo '$x' $line\n```", set()),
    ],
)
def test_variable_is_missed_when_it_was_not_set_before(shown: str, missing: set[str]) -> None:
    assert unset(shown) == missing


def test_enough_is_looked_at_when_all_pages_are_read() -> None:
    found = [" ".join(command) for page in PAGES for command in commands(page.read_text())]
    assert len(found) > 60
    shown = {words[1] for words in map(str.split, found) if len(words) > 1}
    assert shown >= set(LOCAL) | (set(CLOUD) - {"down", "reset"})


@pytest.mark.parametrize(
    "command",
    [
        "./millrace upp",
        "./millrace ladder a b --nonsense",
        "./millrace bench lod",
        "python -m bench.nothing",
        "python docs/gone.py",
    ],
)
def test_command_is_refused_when_it_does_not_exist(command: str) -> None:
    (found,) = commands(f"```bash\n{command}   # about it\n```\n")
    program, *arguments = found
    with pytest.raises(AssertionError):
        (check_millrace if program.endswith("millrace") else check_python)(arguments)
