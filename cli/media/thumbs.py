"""`millrace thumbs`: pictures of a film, for people and for players."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cli.console import size_text
from cli.media import engine, facts, output
from cli.media.command import LocalCommand, examples, said, voice_of
from cli.media.facts import Facts
from cli.media.failures import Failure
from cli.media.params import GRID, SIZE, TIME, Pair
from cli.media.probe import picture_text
from cli.media.units import clock

_STILLS = 3
_MOST_STILLS = 1000
_JPEG_QUALITY = 88
_SHEET, _STORYBOARD, _SPRITES = "sheet.jpg", "storyboard.vtt", "storyboard"


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the command line says."""

    times_s: tuple[float, ...]
    """Of the stills."""
    size: Pair
    png: bool
    skip_black: bool
    grid: Pair | None
    storyboard: bool
    interval_s: float | None

    @property
    def extension(self) -> str:
        return "png" if self.png else "jpg"


@click.command(
    cls=LocalCommand,
    epilog=examples(
        ("millrace thumbs a.mp4", "three stills in a-thumbs/"),
        ("millrace thumbs a.mp4 --at 1:30 --at 2:00", "stills at these times"),
        ("millrace thumbs a.mp4 --sheet 4x5", "a contact sheet"),
        ("millrace thumbs a.mp4 --storyboard", "pictures for a player's seek bar"),
    ),
)
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, readable=False),
    help="Folder; FILE-thumbs if not given.",
)
@click.option(
    "--stills", type=click.IntRange(1, _MOST_STILLS), help="So many stills, evenly spaced."
)
@click.option("--at", "at_s", type=TIME, multiple=True, help="A still at this time; repeatable.")
@click.option("--size", type=SIZE, default="1280x720", show_default=True, help="Most of a still.")
@click.option("--png", is_flag=True, help="Stills without loss; JPEG if not.")
@click.option("--skip-black", is_flag=True, help="Move on from pictures that are all but black.")
@click.option("--sheet", "grid", type=GRID, help="A contact sheet, sheet.jpg.")
@click.option("--storyboard", is_flag=True, help="storyboard.vtt (WebVTT) and its sprites.")
@click.option("--interval", "interval_s", type=TIME, help="Time between two of its pictures.")
@output.existing_options
@said
@click.pass_context
def thumbs(context: click.Context, /, file: Path, folder: Path | None, **chosen: Any) -> None:
    """Take stills of FILE, draw a contact sheet, make a storyboard.

    Without a choice, three stills. Players show a storyboard's pictures above the seek bar.
    """
    voice = voice_of(context)
    folder = folder or file.with_name(f"{file.stem}-thumbs")
    found = facts.of(file)
    facts.pictures(found, file)
    makers = _makers(file, found, _wishes(found, file, chosen))
    made: list[str] = []
    choice = {name: chosen[name] for name in ("overwrite", "skip_existing")}
    there = {
        name
        for names in makers
        for name in names
        if not output.wanted(file, folder / name, **choice)
    }
    wanted = [make for names, make in makers.items() if not there.issuperset(names)]
    if wanted:
        with tempfile.TemporaryDirectory(prefix=".millrace-", dir=folder) as scratch:
            taken = [path for make in wanted for path in make(Path(scratch))]
            made = [_moved(path, folder) for path in taken if path.name not in there]
    voice.event("result", file=str(file), output=str(folder), files=made)
    voice.good(f"{folder}: {', '.join(made) or 'all there already'}")


def _wishes(found: Facts, file: Path, chosen: Mapping[str, Any]) -> _Wishes:
    times_s: tuple[float, ...] = tuple(chosen["at_s"])
    alone = not (chosen["grid"] or chosen["storyboard"] or times_s)
    count = chosen["stills"] or (_STILLS if alone else 0)
    if count:
        times_s += _spread(count, found, file)
    return _Wishes(
        times_s=times_s,
        size=chosen["size"],
        png=chosen["png"],
        skip_black=chosen["skip_black"],
        grid=chosen["grid"],
        storyboard=chosen["storyboard"],
        interval_s=chosen["interval_s"],
    )


def _spread(count: int, found: Facts, file: Path) -> tuple[float, ...]:
    """Times in the middle of as many equal parts."""
    duration_s = facts.duration_s(found)
    if duration_s is None:
        message = "It does not tell how long it is."
        raise Failure("USAGE", message, file=file, advice="choose times with --at")
    return tuple(round(duration_s * (2 * n + 1) / (2 * count), 3) for n in range(count))


_Make = Callable[[Path], Sequence[Path]]
"""Makes files in a folder, and gives those to be kept."""


def _makers(file: Path, found: Facts, wishes: _Wishes) -> dict[tuple[str, ...], _Make]:
    """By the files whose being there tells that it was done."""
    makers: dict[tuple[str, ...], _Make] = {}
    if stills := tuple(_still(number, wishes) for number, _ in enumerate(wishes.times_s, 1)):
        makers[stills] = lambda scratch: _stills(file, wishes, scratch)
    if grid := wishes.grid:
        makers[_SHEET,] = lambda scratch: _sheet(file, found, grid, scratch)
    if wishes.storyboard:
        makers[_STORYBOARD,] = lambda scratch: _storyboard(file, wishes, scratch)
    return makers


def _still(number: int, wishes: _Wishes) -> str:
    return f"still-{number:02d}.{wishes.extension}"


def _stills(file: Path, wishes: _Wishes, scratch: Path) -> list[Path]:
    from PIL import Image

    skip = ["--skip-black"] if wishes.skip_black else []
    made = []
    for number, picture in enumerate(_taken(file, wishes.times_s, wishes.size, scratch, *skip), 1):
        path = scratch / _still(number, wishes)
        if wishes.png:
            picture.replace(path)
        else:
            with Image.open(picture) as opened:
                opened.convert("RGB").save(path, quality=_JPEG_QUALITY, optimize=True)
        made.append(path)
    return made


def _sheet(file: Path, found: Facts, grid: Pair, scratch: Path) -> list[Path]:
    from cli.media import sheet

    video, about = facts.pictures(found, file), found["format"]
    tile = sheet.tile_size(grid.across, (video["display_width"], video["display_height"]))
    times_s = _spread(grid.across * grid.down, found, file)
    pictures = _taken(file, times_s, Pair(*tile), scratch)
    length = f"{clock(about['duration_s'], tenths=False)}, {size_text(about['bytes'])}"
    shape = picture_text(video).replace("×", "x")  # Pillow's own font has no such sign
    head = (file.name, f"{length}, {video['codec']}, {shape}")
    path = scratch / _SHEET
    sheet.draw(pictures, times_s, grid.across, tile, head).save(path, quality=_JPEG_QUALITY)
    return [path]


def _taken(
    file: Path, times_s: Sequence[float], size: Pair, scratch: Path, *options: str
) -> list[Path]:
    """Pictures at these times, in their order."""
    folder = scratch / "taken"
    times = ["--times", ",".join(f"{time_s:g}" for time_s in times_s)]
    box = ["--width", str(size.across), "--height", str(size.down)]
    arguments = ["thumbnail", str(file), *times, *box, *options, "--output", str(folder)]
    images = engine.run(arguments, file=file)["images"]
    return [folder / image["path"] for image in images]


def _storyboard(file: Path, wishes: _Wishes, scratch: Path) -> list[Path]:
    interval = [] if wishes.interval_s is None else ["--interval-s", f"{wishes.interval_s:g}"]
    arguments = ["thumbnail", str(file), "--storyboard", *interval, "--output", str(scratch)]
    engine.run(arguments, file=file)
    return [scratch / _SPRITES, scratch / _STORYBOARD]


def _moved(path: Path, folder: Path) -> str:
    """What names others comes after them, and never before it is whole."""
    output.publish(path, folder / path.name)
    return path.name
