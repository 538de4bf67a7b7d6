"""`millrace verify`: whether a file decodes to its end, whether a package keeps the rules."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from cli.media import engine, facts, hls_measured, hls_rules, hls_text
from cli.media.command import LocalCommand, examples, said, voice_of
from cli.media.effort import Effort, effort_options
from cli.media.exits import Exit
from cli.media.facts import Facts
from cli.media.failures import Failure
from cli.media.hls_measured import Measured
from cli.media.hls_rules import Playlist
from cli.media.job import Audio, Job, Video, convert
from cli.media.progress import Progress, located
from cli.media.segments import MalformedError
from cli.media.units import clock
from cli.media.voice import Voice

_TINY_SIDE = 64
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

    What a package promises, such as sizes, codecs and lengths, is compared with what decodes.
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
    if not decode:
        return
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="millrace-") as scratch:
        for name, playlist in playlists.items():
            told = _Rendition(master.parent / name, playlist, found)
            yield from _decoded_playlist(told, Path(scratch), effort, voice)
    lines, _ = hls_text.check(master.name, master.read_bytes())
    yield from map(str, hls_measured.check(master.name, lines, found))


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
    """What is found wrong while decoding a film to its end.

    Args:
        name: what it is called in messages.
    """
    yield from _decoded_film(facts.of(path), path, name, effort, voice)


def _decoded_film(
    found: Facts, path: Path, name: Path, effort: Effort, voice: Voice
) -> Iterator[str]:
    stream = facts.pictures(found, name)
    sounds = tuple(_sound(sound["stream"]) for sound in found["audio"])
    told, warnings = _decode(path, name, Job("mkv", _pictures(stream), sounds), effort, voice)
    yield from (f"{name}: {warning['message']}" for warning in found["warnings"])
    yield from warnings
    yield from _counted(stream, told["video"]["frames"], name)


def _pictures(stream: Mapping[str, Any]) -> Video:
    """Decoding is what is wanted; of what is made of it as little as can be."""
    wide = stream["display_width"] >= stream["display_height"]
    video = Video(stream["stream"], "h264", preset="ultrafast", crf=51)
    return replace(video, width=_TINY_SIDE) if wide else replace(video, height=_TINY_SIDE)


def _sound(stream: int) -> Audio:
    return Audio(stream, "opus", 6_000, channels=1)


def _decode(
    path: Path, name: Path, job: Job, effort: Effort, voice: Voice
) -> tuple[engine.Line, list[str]]:
    """The engine's result, and what it complained about."""
    warnings: dict[str, None] = {}
    with (
        tempfile.TemporaryDirectory(prefix="millrace-") as folder,
        Progress(voice, name.name) as progress,
    ):

        def take(line: engine.Line) -> None:
            if line["type"] == "warning":
                warnings[f"{name}, {located(line)}{line['message']}"] = None
            else:
                progress.line({**line, "bytes": 0})  # of no use to anybody

        scratch = Path(folder)
        told = convert(
            path, job, scratch / "o.mkv", scratch=scratch, effort=effort, on_line=take, name=name
        )
    voice.detail(f"{name}: decoded, {clock(told['duration_s'])}")
    return told, list(warnings)


def _counted(stream: Mapping[str, Any], frames: int, name: Path) -> Iterator[str]:
    """As many pictures as the container counts, where they come at a steady rate."""
    rate = stream["avg_frame_rate"]
    steady = not stream["variable_frame_rate"] and rate["num"] <= 60 * rate["den"] and rate["num"]
    if steady and abs(frames - stream["frames"]) > max(2, stream["frames"] // 500):
        yield f"{name}: {frames} pictures decode, its container counts {stream['frames']}"


@dataclass(frozen=True, slots=True)
class _Rendition:
    path: Path
    playlist: Playlist
    found: dict[str, Measured]
    """What was measured, of all renditions by their names."""

    def measure(self, about: Facts | None) -> None:
        self.found[self.playlist.name] = hls_measured.measured(self.playlist, about)


def _decoded_playlist(
    rendition: _Rendition, scratch: Path, effort: Effort, voice: Voice
) -> Iterator[str]:
    """A rendition as a player gets it: its init file and its segments, one after the other.

    I-frame playlists name pictures of the renditions again; texts are judged by the rules.
    """
    playlist, name = rendition.playlist, rendition.path
    parts = playlist.segments
    if playlist.iframes_only or not parts or parts[0].path.suffix == ".vtt":
        return
    joined = scratch / f"joined{parts[0].path.suffix if playlist.init is None else '.mp4'}"
    with joined.open("wb") as out:
        for part in [*([playlist.init] if playlist.init else []), *parts]:
            out.write(part.content())
    try:
        yield from map(str, hls_measured.lengths(playlist))
        found = facts.of(joined)
        rendition.measure(found)
        yield from _decoded_film(found, joined, name, effort, voice)
    except Failure as failure:
        if failure.reason == "NO_VIDEO_STREAM":
            rendition.measure(None)
            yield from _decoded_sound(joined, name, effort, voice)
        else:
            yield f"{name}: {failure.message}"
    except MalformedError as error:
        yield f"{name}: {error}"
    finally:
        joined.unlink(missing_ok=True)


def _decoded_sound(path: Path, name: Path, effort: Effort, voice: Voice) -> Iterator[str]:
    """A rendition has one stream."""
    try:
        _, warnings = _decode(path, name, Job("mkv", None, (_sound(0),)), effort, voice)
        yield from warnings
    except Failure as failure:
        yield f"{name}: {failure.message}"
