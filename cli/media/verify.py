"""`millrace verify`: whether a file decodes to its end, whether a package keeps the rules."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cli.media import engine, facts, hls_rules
from cli.media.command import LocalCommand, examples, said, voice_of
from cli.media.effort import Effort, effort_options
from cli.media.exits import Exit
from cli.media.facts import Facts
from cli.media.failures import Failure
from cli.media.hls_rules import Playlist
from cli.media.progress import Progress
from cli.media.units import clock
from cli.media.voice import Voice
from millrace import media, plan
from millrace.errors import MillraceError
from millrace.ladder import Rung

_TINY = Rung("check", 32, 100_000)
"""Decoding is what is wanted; of what is made of it as little as can be."""
_MASTERS = ("master.m3u8", "index.m3u8")


@click.command(
    cls=LocalCommand,
    epilog=examples(
        ("millrace verify film.mp4", "decodes it to its end"),
        ("millrace verify site/film", "rules of HLS, and decodes all renditions"),
        ("millrace verify site/film --rules", "the rules alone"),
    ),
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--rules", is_flag=True, help="Of HLS packages: check the rules, decode nothing.")
@effort_options
@said
@click.pass_context
def verify(context: click.Context, /, paths: tuple[Path, ...], **chosen: Any) -> None:
    """Decode files to their end; check HLS packages by RFC 8216 and Apple's rules.

    A package is named by its folder or its playlist. Exit code 1 if anything is wrong.
    """
    voice = voice_of(context)
    effort = Effort(chosen["threads"], chosen["niceness"])
    worst = 0
    for path in paths:
        problems = []
        try:
            problems = list(_problems(path, effort, voice, decode=not chosen["rules"]))
        except Failure as failure:
            voice.fail(failure)
            worst = worst or failure.exit
            continue
        for problem in problems:
            voice.warn("WRONG", problem, file=str(path))
        voice.event("result", file=str(path), ok=not problems, problems=problems)
        if problems:
            voice.say(f"{path}: {len(problems)} problems")
            worst = worst or Exit.FOUND
        else:
            voice.good(f"{path}: nothing wrong")
    context.exit(worst)


def _problems(path: Path, effort: Effort, voice: Voice, *, decode: bool) -> Iterator[str]:
    master = _playlist_of(path)
    if master is None:
        yield from decoded(path, path, effort, voice)
        return
    breaches, playlists = hls_rules.check(master)
    yield from map(str, breaches)
    if decode:
        with tempfile.TemporaryDirectory(prefix="millrace-") as scratch:
            for name, playlist in playlists.items():
                yield from _decoded_playlist(
                    master.parent / name, playlist, Path(scratch), effort, voice
                )


def _playlist_of(path: Path) -> Path | None:
    """Raises:
    Failure: a folder without a playlist.
    """
    if path.suffix == ".m3u8":
        return path
    if not path.is_dir():
        return None
    for name in _MASTERS:
        if (path / name).is_file():
            return path / name
    message = "This folder has no master.m3u8 and no index.m3u8."
    raise Failure("MISSING", message, file=path, advice="name the playlist itself")


def decoded(path: Path, name: Path, effort: Effort, voice: Voice) -> Iterator[str]:
    """What is found wrong while decoding a file to its end.

    Args:
        name: what it is called in messages.
    """
    found = facts.of(path)
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
        scratch = Path(folder)
        (scratch / "plan.json").write_text(json.dumps(_tiny_plan(found, name)))
        warnings: list[str] = [warning["message"] for warning in found["warnings"]]
        with Progress(voice, name.name) as progress:

            def take(line: engine.Line) -> None:
                if line["type"] == "warning":
                    warnings.append(line["message"])
                else:
                    progress.line(line)

            command = ["transcode", str(path), "--plan", str(scratch / "plan.json")]
            command += ["--output", str(scratch / "o"), *effort.arguments]
            told = engine.run(command, file=name, on_line=take, niceness=effort.niceness)
    warnings += [warning["message"] for warning in told["warnings"]]
    yield from (f"{name}: {message}" for message in dict.fromkeys(warnings))
    yield from _counted(found, told, name)
    voice.detail(f"{name}: {told['frames']} pictures, {clock(told['duration_s'])}")


def _tiny_plan(found: Facts, name: Path) -> Mapping[str, Any]:
    try:
        made = plan.make(
            media.parse(found),
            chunk_segments=1000,
            preset="ultrafast",
            rungs=(_TINY,),
            segment_s=10,
        )
    except MillraceError as error:
        raise Failure(error.reason.value, error.message, file=name) from error
    return made.to_json()


def _counted(found: Facts, told: Mapping[str, Any], name: Path) -> Iterator[str]:
    """As many pictures as the container counts, where they come at a steady rate."""
    stream = facts.pictures(found, name)
    rate = stream["avg_frame_rate"]
    steady = not stream["variable_frame_rate"] and rate["num"] <= 60 * rate["den"] and rate["num"]
    if steady and abs(told["frames"] - stream["frames"]) > max(2, stream["frames"] // 500):
        yield f"{name}: {told['frames']} pictures decode, its container counts {stream['frames']}"


def _decoded_playlist(
    name: Path, playlist: Playlist, scratch: Path, effort: Effort, voice: Voice
) -> Iterator[str]:
    """A rendition as a player gets it: its init file and its segments, one after the other."""
    whole = [it for it in playlist.segments if it.path.stat().st_size == it.size_bytes]
    if len(whole) < len(playlist.segments) or not whole or whole[0].path.suffix == ".vtt":
        return
    joined = scratch / f"joined{whole[0].path.suffix if playlist.init is None else '.mp4'}"
    with joined.open("wb") as out:
        for part in [*([playlist.init] if playlist.init else []), *(it.path for it in whole)]:
            if part.is_file():
                with part.open("rb") as opened:
                    shutil.copyfileobj(opened, out)
    try:
        yield from decoded(joined, name, effort, voice)
    except Failure as failure:
        # Sound alone is no film; its segments are judged by the rules.
        if failure.reason != "NO_VIDEO_STREAM":
            yield f"{name}: {failure.message}"
    finally:
        joined.unlink(missing_ok=True)
