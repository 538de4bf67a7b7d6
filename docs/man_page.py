"""Writes docs/man/millrace.1, which the wheel installs: `python docs/man_page.py`. A test compares
it with the commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from cli.__main__ import LOCAL, main
from cli.media.exits import MEANINGS
from cli.media.presets import AUDIO_BPS_PER_CHANNEL, MEANING, SETTINGS, Quality
from cli.media.reference import ENVIRONMENT, EVENTS, SHARED_OPTIONS
from millrace import __version__

PAGE = Path(__file__).resolve().parent / "man" / "millrace.1"
_ABOUT = """Output files appear when they are whole and were read back; a run that fails or is \
stopped leaves nothing behind. Existing files are kept unless --overwrite is given, inputs always. \
What people read is on standard error, but for what probe and presets tell; what programs read is \
on standard output."""
_SHARED = {"--json", "--quiet", "--verbose", "--help"}


def text() -> str:
    """The whole page, in roff's man macros."""
    lines = [
        '.\\" Made by `python docs/man_page.py`; do not edit.',
        f'.TH MILLRACE 1 "" "millrace {__version__}" "Millrace"',
        *_section("NAME"),
        "millrace \\- convert, package, check and serve video",
        *_section("SYNOPSIS"),
        ".B millrace",
        "\\fICOMMAND\\fR [\\fIOPTIONS\\fR] \\fIFILES\\fR",
        *_section("DESCRIPTION"),
        _plain(_ABOUT),
        *_section("OPTIONS OF ALL COMMANDS"),
        *_items(SHARED_OPTIONS),
        *_section("COMMANDS"),
        *(line for name in LOCAL for line in _command(name)),
        *_section("QUALITY PRESETS"),
        *_presets(),
        *_section("EVENTS"),
        _plain("With --json, by their member type:"),
        *_items(EVENTS),
        *_section("EXIT STATUS"),
        *_items({str(int(code)): meaning for code, meaning in MEANINGS.items()}),
        *_section("ENVIRONMENT"),
        *_items(ENVIRONMENT),
        *_section("SEE ALSO"),
        ".BR ffmpeg (1),",
        ".BR ffprobe (1)",
    ]
    return "\n".join(lines) + "\n"


def _plain(words: str) -> str:
    """A line of text that roff takes as it is."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def _section(title: str) -> tuple[str]:
    return (f".SH {title}",)


def _items(pairs: Mapping[str, str]) -> Iterator[str]:
    for term, words in pairs.items():
        yield ".TP"
        yield f"\\fB{_plain(term)}\\fR"
        yield _plain(words)


def _command(name: str) -> Iterator[str]:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    context = click.Context(command, info_name=f"millrace {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".SS millrace {name} {_plain(usage)}"
    for number, paragraph in enumerate((command.help or "").strip().split("\n\n")):
        yield from [".PP"] * (number > 0)
        yield _plain(" ".join(paragraph.split()))
    yield from _items(dict(_options(command, context)))
    yield from (".PP", "Examples:", ".EX")
    yield from (_plain(line) for line in (command.epilog or "").splitlines()[2:])
    yield ".EE"


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for option in command.get_params(context):
        if not isinstance(option, click.Option) or _SHARED & set(option.opts):
            continue
        record = option.get_help_record(context)
        assert record is not None
        yield record[0], re.sub(r"\s+", " ", record[1])


def _presets() -> Iterator[str]:
    yield from _items({quality.value: MEANING[quality] for quality in Quality})
    yield from (".PP", "CRF and speed, or kb/s a channel, of high, medium and low:", ".EX")
    for codec, settings in SETTINGS.items():
        cells = (f"{it.crf}, {it.speed}" for it in settings.values())
        yield _plain(f"  {codec:<6}" + "".join(f"{cell:<16}" for cell in cells).rstrip())
    for codec, rates in AUDIO_BPS_PER_CHANNEL.items():
        yield _plain(
            f"  {codec:<6}" + "".join(f"{bps // 1000:<16}" for bps in rates.values()).rstrip()
        )
    yield ".EE"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text())
