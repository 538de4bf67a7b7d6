"""`millrace completion`: what a shell has to read to complete commands and options."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import get_completion_class

from cli.media.command import LocalCommand, examples


@click.command(
    cls=LocalCommand,
    epilog=examples(
        ('eval "$(millrace completion bash)"', "in ~/.bashrc"),
        ('eval "$(millrace completion zsh)"', "in ~/.zshrc"),
        ("millrace completion fish | source", "in ~/.config/fish/config.fish"),
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, /, shell: str, **_: Any) -> None:
    """Print what makes SHELL complete millrace's commands, options and files."""
    root = context.find_root()
    kind = get_completion_class(shell)
    assert kind is not None
    name = (root.info_name or "millrace").rpartition("/")[2]
    click.echo(kind(root.command, {}, name, f"_{name.upper()}_COMPLETE").source())
