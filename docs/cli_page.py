"""Writes docs/reference/cli.md: `python docs/cli_page.py`. A test compares it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cli.__main__ import LOCAL, main
from cli.media.exits import MEANINGS
from cli.media.failures import ADVICE
from cli.media.presets import AUDIO_BPS_PER_CHANNEL, MEANING, SETTINGS, Quality
from cli.media.reference import ENVIRONMENT, EVENTS

PAGE = Path(__file__).resolve().parent / "reference" / "cli.md"
_SHARED = {"--json", "--quiet", "--verbose", "--help"}


def text() -> str:
    """The whole page."""
    commands = "\n".join(_command(name) for name in LOCAL)
    events = "\n".join(f"| `{name}` | {members} |" for name, members in EVENTS.items())
    exits = "\n".join(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())
    advice = "\n".join(f"| `{reason}` | {words} |" for reason, words in ADVICE.items())
    environment = "\n".join(f"| `{name}` | {words} |" for name, words in ENVIRONMENT.items())
    return f"""<!-- Made by `python docs/cli_page.py`; do not edit. -->

# The command line for files

`./millrace COMMAND` in a checkout, `millrace COMMAND` where it is installed
([how](../how-to/convert.md#install)). All commands take `--json` (events for programs on standard
output, one JSON object a line), `-q` (errors only), `-v` (more) and `-h`. What people read is on
standard error, but for what `probe` and `presets` tell. The same as a manual page, which an
installation brings: `man millrace` ([millrace.1](../man/millrace.1)).

{commands}
## Quality presets

{_presets()}
## Events of `--json`

| `type` | members |
|---|---|
{events}

## Exit codes

| code | meaning |
|---|---|
{exits}

`batch` runs each file as a `transcode`, and tries again what ended with 5 or 70 or by a signal.

## Environment

| variable | meaning |
|---|---|
{environment}

## Reasons, and what to try

| reason | what to try |
|---|---|
{advice}
"""


def _command(name: str) -> str:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    context = click.Context(command, info_name=f"millrace {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    examples = (command.epilog or "").partition("\n")[2].partition("\n")[2]
    examples = "\n".join(line.strip() for line in examples.splitlines())
    options = "\n".join(_options(command, context))
    table = f"\n| option | meaning |\n|---|---|\n{options}\n" if options else ""
    about = "\n".join(line.strip() for line in (command.help or "").splitlines())
    return f"""## {name}

`millrace {name} {usage}`

{about.strip()}

```console
{examples}
```
{table}"""


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for option in command.get_params(context):
        if not isinstance(option, click.Option) or _SHARED & set(option.opts):
            continue
        record = option.get_help_record(context)
        assert record is not None
        names, meaning = (cell.replace("|", "\\|") for cell in record)
        yield f"| `{names}` | {meaning} |"


def _presets() -> str:
    meanings = "\n".join(f"- **{quality}**: {MEANING[quality]}" for quality in Quality)
    video = "\n".join(
        f"| {codec} | " + " | ".join(f"{it.crf}, {it.speed}" for it in settings.values()) + " |"
        for codec, settings in SETTINGS.items()
    )
    audio = "\n".join(
        f"| {codec} | "
        + " | ".join(f"{rate // 1000} kb/s a channel" for rate in rates.values())
        + " |"
        for codec, rates in AUDIO_BPS_PER_CHANNEL.items()
    )
    return f"""{meanings}

| codec | high: CRF, speed | medium | low |
|---|---|---|---|
{video}
{audio}
"""


if __name__ == "__main__":
    PAGE.write_text(text())
