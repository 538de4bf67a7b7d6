"""One console for the whole command line: people read standard error, programs standard output."""

from __future__ import annotations

import sys
from typing import NoReturn

from rich import markup
from rich.console import Console
from rich.theme import Theme

THEME = Theme(
    {
        "good": "green",
        "bad": "bold red",
        "busy": "cyan",
        "faint": "dim",
        "link": "bold cyan underline",
    }
)
console = Console(stderr=True, theme=THEME, highlight=False, soft_wrap=True, emoji=False)


class Page(Console):
    """Of standard output."""

    def on_broken_pipe(self) -> None:
        """Rich would end with 1."""
        raise BrokenPipeError


_CONTROLS = {code: 0xFFFD for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
"""C0 and C1: in a terminal they move the cursor, rename the window, paste."""


def escape(text: str) -> str:
    """Text of others (names, titles, logs) as it may be printed: no markup, no command to the
    terminal."""
    return markup.escape(text.translate(_CONTROLS))


def fail(message: str, code: int = 1) -> NoReturn:
    """Print what is wrong and what to do, and leave."""
    console.print(f"[bad]✗[/] {message}", markup=True)
    sys.exit(code)


def size_text(size_bytes: float) -> str:
    """Bytes as people read them: 1.4 MB (powers of ten, as disks and networks count)."""
    for unit in ("B", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.2f} GB"
