"""`millrace ladder`: one film in several sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cli.media import conversion, facts, hls_rules, output, package
from cli.media.command import LocalCommand, examples, said, voice_of
from cli.media.conversion import Conversion
from cli.media.effort import Effort, effort_options
from cli.media.failures import Failure, of_output
from cli.media.hls_text import APPLE
from cli.media.package import Wishes
from cli.media.units import clock
from cli.media.voice import Voice
from cli.media.wishes import Scale
from cli.media.wishes import Wishes as FileWishes
from millrace.plan import Container

_SPEEDS = ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"]


@click.command(
    cls=LocalCommand,
    epilog=examples(
        ("millrace ladder a.mp4 out", "a-1080p.mp4 … a-360p.mp4 in out"),
        ("millrace ladder a.mp4 site/a --hls", "an HLS and DASH package in site/a"),
        ("millrace ladder a.mp4 site/a --hls --ladder av1", "the same in AV1"),
        ("millrace ladder a.mp4 site/a --hls --per-title", "the ladder fitted to the film"),
    ),
)
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.argument("folder", type=click.Path(path_type=Path, readable=False))
@click.option("--hls", is_flag=True, help="A package to serve; files of their own if not.")
@click.option(
    "--ladder", "rungs", default="default", help="default, hevc, av1, multi, or a JSON file."
)
@click.option(
    "--speed",
    type=click.Choice(_SPEEDS),
    default="medium",
    help="Slower makes files smaller; medium.",
)
@click.option(
    "--segment", "segment_s", type=click.IntRange(1, 30), default=4, help="Seconds of each; 4."
)
@click.option("--mpegts", is_flag=True, help="MPEG-TS segments, for old players; no DASH.")
@click.option("--surround", is_flag=True, help="Keep 5.1 sound beside the stereo one.")
@click.option("--per-title", is_flag=True, help="Fit sizes and rates to this film first.")
@click.option("--no-pictures", is_flag=True, help="No poster, no storyboard.")
@effort_options
@output.existing_options
@said
@click.pass_context
def ladder(context: click.Context, /, file: Path, folder: Path, **chosen: Any) -> None:
    """Make FILE in several sizes, for players that choose by the connection.

    Without --hls, one MP4 file for each size, all sound and subtitles in each. With it, the package
    in FOLDER is what a web server needs: master.m3u8 (HLS), manifest.mpd (DASH), CMAF segments,
    subtitles, poster.jpg and storyboard.vtt. It appears when it is whole.
    """
    voice = voice_of(context)
    choice = {name: chosen[name] for name in ("overwrite", "skip_existing")}
    if not chosen["hls"]:
        _require_nothing_of_packages(context)
        _files(file, folder, _wishes(chosen), voice, choice)
    elif output.wanted(file, folder, **choice):
        _package(file, folder, _wishes(chosen), voice)
    else:
        voice.event("result", file=str(file), output=str(folder), skipped=True)
        voice.good(f"{folder}: there already")


def _require_nothing_of_packages(context: click.Context) -> None:
    """Raises:
    Failure: an option was given that only packages know.
    """
    for name in ("segment_s", "mpegts", "surround", "per_title", "no_pictures"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = "--" + name.removesuffix("_s").replace("_", "-")
            message = f"{option} is about packages, and files of their own are made."
            raise Failure("USAGE", message, advice=f"add --hls, or leave out {option}")


def _wishes(chosen: dict[str, Any]) -> Wishes:
    return Wishes(
        rungs=package.rungs_of(chosen["rungs"]),
        preset=chosen["speed"],
        segment_s=chosen["segment_s"],
        container=Container.MPEG_TS if chosen["mpegts"] else Container.CMAF,
        surround=chosen["surround"],
        per_title=chosen["per_title"],
        pictures=not chosen["no_pictures"],
        effort=Effort(chosen["threads"], chosen["niceness"]),
    )


def _package(file: Path, folder: Path, wishes: Wishes, voice: Voice) -> None:
    with output.unfinished(folder) as made:
        try:
            told = package.make(file, made, wishes, voice)
        except Failure as failure:
            raise of_output(failure, folder) from failure
        for breach in hls_rules.check(made / package.MASTER)[0]:
            if breach.rule != APPLE:
                message = f"What was made is not right, and was removed: {breach}."
                raise Failure("INTERNAL", message, file=folder)
            voice.warn("WRONG", str(breach), file=str(folder))
        output.publish(made, folder)
    voice.event("result", file=str(file), output=str(folder), **told)
    length = clock(float(told["duration_s"]))
    voice.good(f"{folder / package.MASTER}: {len(told['renditions'])} sizes, {length}")


def _files(file: Path, folder: Path, wanted: Wishes, voice: Voice, choice: dict[str, bool]) -> None:
    """One after the other, the largest first."""
    for rendition in package.planned(facts.of(file), file, wanted).video.renditions:
        target = folder / f"{file.stem}-{rendition.name}.mp4"
        if not output.wanted(file, target, **choice):
            voice.good(f"{target}: there already")
            continue
        wishes = FileWishes(
            codec=rendition.codec,
            crf=rendition.crf,
            speed=wanted.preset,
            scale=Scale(box=(rendition.width, rendition.height), exact=True),
            effort=wanted.effort,
        )
        conversion.run(Conversion(file, target, wishes, voice), dry=False)
