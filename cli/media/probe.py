"""`millrace probe`: what is in a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from cli.console import Page, escape, size_text
from cli.media import facts, ffprobe
from cli.media.command import LocalCommand, examples, said, voice_of
from cli.media.facts import Facts
from cli.media.failures import Failure
from cli.media.units import clock, rate_text
from cli.media.voice import write_line

_COLUMNS = ("#", "kind", "codec", "what", "rate", "language", "title")
_WIDE = 200
"""Characters of a line where nobody sees its end."""
_HDR = {"pq": "HDR10 (PQ)", "hlg": "HLG"}


@click.command(
    cls=LocalCommand,
    epilog=examples(
        ("millrace probe film.mkv", "a table"),
        ("millrace probe --json *.mp4", "one JSON object a file, with ffprobe's field names"),
    ),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@said
@click.pass_context
def probe(context: click.Context, /, files: tuple[Path, ...], as_json: bool, **_: Any) -> None:
    """Tell a file's codecs, rates, times, shape, HDR, rotation and streams.

    With --json, each file is one line as `ffprobe -show_format -show_streams -show_chapters -of
    json` has it; what that has no name for is below `millrace`.
    """
    ended = 0
    for file in files:
        try:
            found = facts.of(file)
        except Failure as failure:
            voice_of(context).fail(failure)
            ended = ended or failure.exit
            continue
        if as_json:
            write_line(ffprobe.document(found, file))
        else:
            _show(found, file)
    context.exit(ended)


def _show(found: Facts, file: Path) -> None:
    out = Page(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    container = found["format"]
    duration = container["duration_s"]
    about = [
        container["container"],
        clock(duration) if duration else "of unknown length",
        size_text(container["bytes"]),
        rate_text(container["bitrate_bps"]),
    ]
    out.print(f"[bold]{escape(str(file))}[/]  {' · '.join(part for part in about if part)}")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    rows = list(_rows(found))
    filled = [n for n in range(len(_COLUMNS)) if any(row[n] for row in rows)]
    for n in filled:
        table.add_column(_COLUMNS[n])
    for row in rows:
        table.add_row(*(escape(row[n]) for n in filled))
    out.print(table)
    if found["chapters"]:
        out.print(f"{len(found['chapters'])} chapters", style="dim")
    for warning in found["warnings"]:
        out.print(f"[bold yellow]![/] {escape(warning['message'])}")


def _rows(found: Facts) -> Iterable[tuple[str, ...]]:
    kinds = (
        ("cover" if stream["attached_picture"] else "video", stream, picture_text(stream))
        for stream in found["video"]
    )
    sounds = (("audio", stream, sound_text(stream)) for stream in found["audio"])
    texts = (
        ("subtitles", stream, _flags(stream) if stream["text"] else "pictures")
        for stream in found["subtitles"]
    )
    for kind, stream, what in sorted([*kinds, *sounds, *texts], key=lambda row: row[1]["stream"]):
        language = "" if stream["language"] == "und" else stream["language"]
        rate = rate_text(stream.get("bitrate_bps"))
        codec = " ".join(filter(None, (stream["codec"], stream.get("profile"))))
        number = str(stream["stream"])
        yield number, kind, codec, what, rate, language, stream["title"] or ""
    for stream in found["others"]:
        yield str(stream["stream"]), stream["type"], stream["codec"], "", "", "", ""


def picture_text(stream: Mapping[str, Any]) -> str:
    """`1920×1080 25 fps yuv420p10le HDR10 (PQ) rotated 90°`"""
    parts = [f"{stream['width']}×{stream['height']}"]
    shown = (stream["display_width"], stream["display_height"])
    if shown != (stream["width"], stream["height"]):
        parts.append(f"shown as {shown[0]}×{shown[1]}")
    rate = stream["avg_frame_rate"]
    if rate["den"] and rate["num"]:
        vary = " varying" if stream["variable_frame_rate"] else ""
        parts.append(f"{rate['num'] / rate['den']:.4g} fps{vary}")
    parts.append(stream["pixel_format"])
    parts.append(_HDR[stream["hdr"]] if stream["hdr"] else "SDR")
    parts += ["Dolby Vision"] if stream["dolby_vision"] else []
    parts += ["interlaced"] if stream["interlaced"] else []
    parts += [f"rotated {stream['rotation']}°"] if stream["rotation"] else []
    return ", ".join(parts)


def sound_text(stream: Mapping[str, Any]) -> str:
    """`5.1, 48 kHz`"""
    layout = stream["channel_layout"] or f"{stream['channels']} channels"
    return f"{layout}, {stream['sample_rate_hz'] / 1000:g} kHz"


def _flags(stream: Mapping[str, Any]) -> str:
    return ", ".join(name for name in ("default", "forced") if stream[name])
