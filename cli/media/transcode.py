"""`millrace transcode`: a file in another form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.media import conversion, output, wishes
from cli.media.command import LocalCommand, examples, said, voice_of
from cli.media.conversion import Conversion
from cli.media.effort import effort_options


@click.command(
    cls=LocalCommand,
    epilog=examples(
        ("millrace transcode a.mkv a.mp4", "copies what it can"),
        ("millrace transcode a.mov a.mp4 --quality high", "to keep"),
        ("millrace transcode a.mov a.webm --size 8MB", "8 MB at most"),
        ("millrace transcode a.mov a.mkv --codec av1 --target-vmaf 95", "samples first"),
        ("millrace transcode a.mov b.mp4 --start 1:30 --end 2:00", "only this part"),
        ("millrace transcode a.mov a.m4a", "the sound alone"),
        ("millrace transcode a.mov a.mp4 --crf 20 --dry-run", "only tells the plan"),
    ),
)
@click.argument("source", type=click.Path(path_type=Path, readable=False))
@click.argument("target", type=click.Path(path_type=Path, readable=False))
@wishes.options
@click.option("--dry-run", is_flag=True, help="Tell the plan and an ffmpeg command; do nothing.")
@effort_options
@output.existing_options
@said
@click.pass_context
def transcode(context: click.Context, /, source: Path, target: Path, **chosen: Any) -> None:
    """Convert SOURCE to TARGET, whose suffix chooses the container: .mp4, .mkv or .webm; .m4a or
    .mka for sound alone.

    What needs no change is copied and not encoded again. All sound and subtitle tracks, chapters,
    titles, colours and rotation are carried over. TARGET appears when it is whole and was read
    back.
    """
    voice = voice_of(context)
    wanted = wishes.of(chosen)
    wishes.container_of(target)
    choice = {name: chosen[name] for name in ("overwrite", "skip_existing")}
    if not chosen["dry_run"] and not output.wanted(source, target, **choice):
        voice.event("result", file=str(source), output=str(target), skipped=True)
        voice.good(f"{target}: there already")
        return
    work = Conversion(source, target, wanted, voice)
    conversion.run(work, dry=chosen["dry_run"])
