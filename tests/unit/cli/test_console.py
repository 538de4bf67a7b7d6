"""What others wrote is printed as text: it neither styles the output nor commands the terminal."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from cli import logs
from cli.console import THEME, escape


def printed(text: str) -> str:
    out = io.StringIO()
    console = Console(file=out, theme=THEME, force_terminal=True, color_system=None, width=200)
    console.print(text, highlight=False)
    return out.getvalue()


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b]0;renamed\x07",
        "\x1b[2J\x1b[H",
        "\x9b2J",
        "a\rb",
        "a\x08b",
        "\x1b]52;c;cm0gLXJmIH4=\x07",
    ],
)
def test_no_control_reaches_the_terminal_when_a_name_holds_some(hostile: str) -> None:
    shown = printed(escape(f"film{hostile}.mp4"))
    assert not [char for char in shown.rstrip("\n") if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0]
    assert shown.startswith("film�" if not hostile.startswith("a") else "filma�")


def test_markup_stays_text_when_a_title_holds_some() -> None:
    assert printed(escape("[bold red]x[/] [link=file:///]y")) == "[bold red]x[/] [link=file:///]y\n"


def test_log_line_is_harmless_when_the_engine_quoted_a_hostile_file() -> None:
    record = {"level": "INFO", "message": "engine.log", "text": "title: \x1b]0;renamed\x07"}
    shown = logs._readable(json.dumps(record))
    assert shown is not None
    assert "\x1b" not in printed(shown)
