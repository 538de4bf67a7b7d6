"""What a local command says, and where: people read standard error, programs standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.console import console, escape
from cli.media.failures import Failure


@dataclass(frozen=True, slots=True)
class Voice:
    """How much is said."""

    quiet: bool = False
    """Errors only."""
    verbose: bool = False
    as_json: bool = False
    """Events on standard output, one JSON object a line; nothing for people but errors."""

    def event(self, kind: str, **members: Any) -> None:
        if self.as_json:
            write_line({"type": kind, **members})

    def say(self, text: str) -> None:
        """A line for a person; plain text."""
        if not (self.quiet or self.as_json):
            console.print(f"  {escape(text)}")

    def detail(self, text: str) -> None:
        """Shown with -v."""
        if self.verbose and not self.as_json:
            console.print(f"  [faint]{escape(text)}[/]")

    def good(self, text: str) -> None:
        if not (self.quiet or self.as_json):
            console.print(f"[good]✓[/] {escape(text)}")

    def warn(self, code: str, message: str, **where: Any) -> None:
        """Something that a person should know, though the work goes on."""
        self.event("warning", code=code, message=message, **where)
        if not (self.quiet or self.as_json):
            console.print(f"[bold yellow]![/] {escape(message)}")

    def fail(self, failure: Failure) -> None:
        if self.as_json:
            write_line(failure.to_json())
            return
        console.print(f"[bad]✗[/] {escape(failure.sentence)}")
        if failure.advice:
            console.print(f"  [faint]Try:[/] {escape(failure.advice)}.")
        if self.verbose and failure.log:
            console.print(f"[faint]{escape(failure.log.rstrip())}[/]")


def write_line(document: Mapping[str, Any]) -> None:
    """One JSON object on standard output, at once."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()
