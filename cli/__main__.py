"""Entry point of `./millrace` and of an installed `millrace`; every command lives in a module of
its own, read when it is called: the local commands start fast and need nothing of AWS."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import click

from millrace import __version__

CHECKOUT = Path(__file__).resolve().parent.parent
IN_CHECKOUT = (CHECKOUT / "millrace").is_file() and (CHECKOUT / "cdk").is_dir()
"""An installed `millrace` has the local commands alone."""


class Entry(NamedTuple):
    module: str
    about: str
    """In the list of commands."""


LOCAL: Mapping[str, Entry] = {
    "transcode": Entry("cli.media.transcode", "Convert files to MP4, MKV or WebM."),
    "ladder": Entry("cli.media.ladder", "Make 1080p … 360p of a file, or an HLS package."),
    "thumbs": Entry("cli.media.thumbs", "Stills, a contact sheet, a storyboard."),
    "probe": Entry("cli.media.probe", "Tell what is in a file."),
    "verify": Entry("cli.media.verify", "Decode a file fully; check an HLS package by its rules."),
    "batch": Entry("cli.media.batch", "Convert folders: a queue that outlives crashes."),
    "presets": Entry("cli.media.presets", "Tell what high, medium and low mean."),
    "doctor": Entry("cli.media.doctor", "Tell what works here, and how to get what does not."),
    "completion": Entry("cli.media.completion", "Completion for bash, zsh and fish."),
}
CLOUD: Mapping[str, Entry] = {
    "up": Entry("cli.up", "Start everything; stays in the foreground until Ctrl-C."),
    "dev": Entry("cli.dev", "Have what runs follow this checkout, also under a debugger."),
    "deploy": Entry("cli.deploy_commands", "Deploy to AWS, or anew to what runs here."),
    "destroy": Entry("cli.deploy_commands", "Remove a deployment."),
    "down": Entry("cli.manage", "Stop from another terminal."),
    "reset": Entry("cli.manage", "Stop and delete every video and all state."),
    "status": Entry("cli.manage", "Tell what runs, what is queued."),
    "backup": Entry("cli.backup", "Write all state into a file, also while it runs."),
    "restore": Entry("cli.backup", "Take all state from such a file."),
    "logs": Entry("cli.logs", "Show what the functions wrote."),
    "token": Entry("cli.manage", "Show or make access tokens."),
    "test": Entry("cli.test", "Run every test and check."),
    "bench": Entry("cli.bench", "Put it under load, or under attack."),
    "player": Entry("cli.player", "The player alone, with a video to play."),
}


class Commands(click.Group):
    """Reads a command's module when it is called."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return [*LOCAL, *(CLOUD if IN_CHECKOUT else ())]

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        entry = LOCAL.get(name) or (CLOUD.get(name) if IN_CHECKOUT else None)
        if entry is None:
            return None
        command = getattr(import_module(entry.module), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except BrokenPipeError:
            from cli.media.exits import Exit

            # Its reader is gone: what is left in the buffer would be complained about at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            context.exit(Exit.NOT_READ)

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Without reading the modules."""
        parts = {"Files on this machine": LOCAL}
        if IN_CHECKOUT:
            parts["The pipeline"] = CLOUD
        for title, commands in parts.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.about) for name, entry in commands.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state-dir",
    envvar="MILLRACE_STATE_DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=CHECKOUT / ".millrace",
    show_default=False,
    hidden=not IN_CHECKOUT,
    help="Where the pipeline keeps videos, jobs and queues.",
)
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def main(context: click.Context, state_dir: Path) -> None:
    """Convert, package, check and serve video."""
    if context.invoked_subcommand in CLOUD:
        from cli.state import State

        context.obj = State(state_dir.resolve())


def run(name: str = "millrace") -> None:
    """Console script of the installed package."""
    try:
        main(prog_name=name)
    except RuntimeError as error:
        from cli.console import fail

        fail(str(error))


if __name__ == "__main__":
    run("./millrace")
