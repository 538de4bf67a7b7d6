"""One console for the whole command line: people read standard error, programs standard output."""

from __future__ import annotations

import sys
from typing import NoReturn

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
