"""What all local commands share: options of what is said, the end of a failure, of Ctrl-C and of
SIGTERM as an exit code."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, TypeVar

import click

from cli.media.exits import Exit
from cli.media.failures import Failure
from cli.media.voice import Voice

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


class Terminated(BaseException):  # a request to end, like KeyboardInterrupt
    """SIGTERM or SIGHUP came."""


class LocalCommand(click.Command):
    """Ends with an exit code of `Exit`, having cleaned up, whatever happens."""

    def invoke(self, context: click.Context) -> Any:
        voice = voice_of(context)
        for number in (signal.SIGTERM, signal.SIGHUP):
            with suppress(ValueError):  # not in the main thread, as in tests
                signal.signal(number, _terminate)
        try:
            return super().invoke(context)
        except Failure as failure:
            voice.fail(failure)
            context.exit(failure.exit)
        except KeyboardInterrupt:
            voice.fail(Failure("INTERRUPTED", "Stopped. Unfinished files are removed."))
            context.exit(Exit.INTERRUPTED)
        except Terminated:
            voice.fail(Failure("TERMINATED", "Ended by a signal. Unfinished files are removed."))
            context.exit(Exit.TERMINATED)
        except (BrokenPipeError, click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - the edge: told to the user as what it is
            message = f"{type(error).__name__}: {error}"
            voice.fail(Failure("INTERNAL", message, log=traceback.format_exc()))
            context.exit(Exit.BUG)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def voice_of(context: click.Context) -> Voice:
    """As the command's options say."""
    chosen = context.params
    return Voice(
        quiet=bool(chosen.get("quiet")),
        verbose=bool(chosen.get("verbose")),
        as_json=bool(chosen.get("as_json")),
    )


def said(command: _Decorated) -> _Decorated:
    """The options of what is said."""
    json_help = "Events for programs on standard output, one JSON object a line."
    options = (
        click.option("--json", "as_json", is_flag=True, help=json_help),
        click.option("-q", "--quiet", is_flag=True, help="Errors only."),
        click.option(
            "-v", "--verbose", is_flag=True, help="More; after a failure, the engine's log."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def examples(*lines: tuple[str, str]) -> str:
    """A help page's end: commands, and what each is for."""
    width = max(len(line) for line, _ in lines)
    return "\b\nExamples:\n" + "\n".join(f"  {line:<{width}}  {why}" for line, why in lines)
