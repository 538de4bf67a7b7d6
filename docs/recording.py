"""Records the command line in a terminal of its own and draws it as an animated SVG, for the
README: `python docs/recording.py`. The engine has to be built. What is seen is what the commands
printed, when they printed it; only the typing is played.
"""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import pyte

REPOSITORY = Path(__file__).resolve().parent.parent
PICTURE = REPOSITORY / "docs" / "images" / "terminal.svg"
COMMANDS = (
    "millrace probe sintel.mp4",
    "millrace transcode sintel.mp4 mail.mp4 --end 0:08 --scale 360p --size 500kB",
    "millrace ladder bunny.mp4 site/bunny --hls --speed veryfast",
    "millrace verify site/bunny",
)
COLUMNS, ROWS = 92, 18
_KEY_S, _READ_S, _LONGEST_REST_S = 0.03, 1.2, 1.0
_FRAME_S = 0.15
"""Pictures come no faster."""
_CELL, _LINE, _MARGIN, _BAR = 8.4, 19, 16, 34
"""Pixels: a character's width, a line's height, the frame around, the window's title."""
_COLOURS = {
    "default": "#d7dde5",
    "green": "#7ddc8a",
    "red": "#ff7b7b",
    "cyan": "#5cc8e4",
    "brown": "#e6c35c",
    "brightblack": "#8792a2",
    "blue": "#7aa7ff",
    "magenta": "#d39bf0",
}

_BOLD = ' class="b"'

Event = tuple[float, bytes]
"""Seconds since the begin, and what was written."""
Row = tuple[tuple[int, str, str, bool], ...]
"""Runs of one style: column, text, colour, bold."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        events = list(record(Path(folder)))
    frames = list(screens(events))
    PICTURE.write_text(svg(frames))
    size = PICTURE.stat().st_size
    sys.stdout.write(f"{len(frames)} pictures, {frames[-1][0]:.0f} s, {size / 1000:.0f} kB\n")


def record(folder: Path) -> Iterator[Event]:
    """All commands, one after the other; long rests are cut short."""
    clips = REPOSITORY / "tests" / "media" / "clips"
    shutil.copy(clips / "sintel_trailer-720p.mp4", folder / "sintel.mp4")
    shutil.copy(clips / "bigbuckbunny.mp4", folder / "bunny.mp4")
    programs = folder / ".bin"
    programs.mkdir()
    (programs / "millrace").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
    (programs / "millrace").chmod(0o755)
    now_s = 0.5
    for command in COMMANDS:
        yield now_s, b"\x1b[32m$\x1b[0m "
        for key in command:
            now_s += _KEY_S
            yield now_s, key.encode()
        now_s += 0.3
        yield now_s, b"\r\n"
        last_s = 0.0
        for at_s, content in _run(command, folder, programs):
            now_s += min(at_s - last_s, _LONGEST_REST_S)
            last_s = at_s
            yield now_s, content
        now_s += _READ_S
    yield now_s, b"\x1b[32m$\x1b[0m "


def _run(command: str, folder: Path, programs: Path) -> Iterator[Event]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": f"{REPOSITORY / 'layers/core/python'}:{REPOSITORY}",
        "TERM": "xterm-256color",
    }
    begin_s = time.monotonic()
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    while content := _read(ours):
        yield time.monotonic() - begin_s, content
    os.close(ours)
    if process.wait():
        raise SystemExit(f"{command} ended with {process.returncode}")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how Linux says that nobody writes any more
        return b""


def screens(events: Sequence[Event]) -> Iterator[tuple[float, tuple[Row, ...]]]:
    """What the terminal shows, and from when on; the last is that of the end."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    shown: tuple[Row, ...] | None = None
    shown_s = -1.0
    for index, (at_s, content) in enumerate(events):
        stream.feed(content.replace(b"\x1b[2m", b"\x1b[90m"))  # pyte knows no faint
        last = index == len(events) - 1
        if not last and events[index + 1][0] - shown_s < _FRAME_S:
            continue
        now = tuple(_row(screen, number) for number in range(ROWS))
        if now != shown or last:
            yield at_s, now
            shown, shown_s = now, at_s


def _row(screen: pyte.Screen, number: int) -> Row:
    cells = [screen.buffer[number][column] for column in range(COLUMNS)]
    runs = []
    column = 0
    for (colour, bold), group in groupby(cells, key=lambda cell: (cell.fg, cell.bold)):
        text = "".join(cell.data for cell in group)
        if text.strip():
            runs.append((column, text.rstrip(), colour, bold))
        column += len(text)
    return tuple(runs)


def svg(frames: Sequence[tuple[float, tuple[Row, ...]]]) -> str:
    """All pictures below each other, of which one is seen at a time. Each line is drawn once."""
    width, height = COLUMNS * _CELL + 2 * _MARGIN, ROWS * _LINE + _MARGIN + _BAR
    end_s = frames[-1][0] + 3
    rows = {row: f"r{n}" for n, row in enumerate(dict.fromkeys(r for _, f in frames for r in f))}
    drawn = "".join(f'<g id="{name}">{_drawn(row)}</g>' for row, name in rows.items() if row)
    steps = "".join(
        f"{100 * at_s / end_s:.2f}%{{transform:translateY({-number * height:.0f}px)}}"
        for number, (at_s, _) in enumerate(frames)
    )
    pictures = "".join(
        f'<g transform="translate(0 {number * height:.0f})">{_placed(picture, rows)}</g>'
        for number, (_, picture) in enumerate(frames)
    )
    final = -(len(frames) - 1) * height
    return f"""<svg xmlns="http://www.w3.org/2000/svg" role="img" \
viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}">
<title>millrace in a terminal: {escape("; ".join(COMMANDS))}</title>
<style>
text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;\
white-space:pre}}
.b{{font-weight:bold}}
.film{{animation:film {end_s:.1f}s step-end infinite}}
@keyframes film{{0%{{transform:translateY(0)}}{steps}}}
@media (prefers-reduced-motion:reduce)\
{{.film{{animation:none;transform:translateY({final:.0f}px)}}}}
</style>
<defs>{drawn}<clipPath id="window"><rect width="{width:.0f}" height="{height - _BAR}"/></clipPath>\
</defs>
<rect width="{width:.0f}" height="{height}" rx="9" fill="#171c24"/>
<g fill="#4a5464"><circle cx="20" cy="17" r="5.5"/><circle cx="38" cy="17" r="5.5"/>\
<circle cx="56" cy="17" r="5.5"/></g>
<g transform="translate(0 {_BAR})" clip-path="url(#window)"><g class="film">{pictures}</g></g>
</svg>
"""


def _drawn(row: Row) -> str:
    return "".join(
        f'<text x="{_MARGIN + column * _CELL:.1f}" textLength="{len(text) * _CELL:.1f}" '
        f'lengthAdjust="spacingAndGlyphs" fill="{_hue(colour)}"'
        f"{_BOLD if bold else ''}>{escape(text)}</text>"
        for column, text, colour, bold in row
    )


def _hue(colour: str) -> str:
    """pyte names the first sixteen, and has the others in hexadecimal."""
    return _COLOURS.get(colour, f"#{colour}")


def _placed(picture: Sequence[Row], rows: dict[Row, str]) -> str:
    return "".join(
        f'<use href="#{rows[row]}" y="{_LINE * (number + 1) - 5}"/>'
        for number, row in enumerate(picture)
        if row
    )


if __name__ == "__main__":
    main()
