"""An HLS package of a film: planned as in the cloud, made by the engine in one go."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.media import engine, facts
from cli.media.effort import ALL_OF_IT, Effort
from cli.media.engine import Line
from cli.media.facts import Facts
from cli.media.failures import Failure
from cli.media.progress import Progress, Stage
from cli.media.voice import Voice
from millrace import ladder, media, plan
from millrace.errors import MillraceError
from millrace.fitting import fitted
from millrace.ladder import Rung
from millrace.plan import Container, Plan

_ENCODE, _PICTURES, _ANALYSE = "encode", "pictures", "analyse"
_STAGES = {_ANALYSE: 1.0, _ENCODE: 12.0, _PICTURES: 0.3}
"""Each one's share of the time."""
MASTER = "master.m3u8"
POSTER = "poster.jpg"
_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says of a package."""

    rungs: Sequence[Rung]
    preset: str = "medium"
    segment_s: int = 4
    container: Container = Container.CMAF
    surround: bool = False
    per_title: bool = False
    pictures: bool = True
    """Poster and storyboard."""
    effort: Effort = ALL_OF_IT


def rungs_of(name: str) -> Sequence[Rung]:
    """A ladder by its name, or out of a JSON file (docs/reference/ladders.md).

    Raises:
        Failure: there is no such ladder or file, or the file is wrong; it says where.
    """
    if name in ladder.LADDERS:
        return ladder.LADDERS[name]
    try:
        return ladder.from_json(json.loads(Path(name).read_text()))
    except OSError as error:
        names = ", ".join(ladder.LADDERS)
        raise Failure(
            "USAGE", f"no ladder and no file: {name}", advice=f"{names}, or a JSON file"
        ) from error
    except ValueError as error:
        raise Failure("USAGE", str(error), file=name, advice="docs/reference/ladders.md") from error


def planned(found: Facts, file: Path, wishes: Wishes) -> Plan:
    """Raises:
    Failure: nothing can be made of this file.
    """
    try:
        return plan.make(
            media.parse(found),
            chunk_segments=8,
            preset=wishes.preset,
            rungs=wishes.rungs,
            segment_s=wishes.segment_s,
            keep_surround=wishes.surround,
            container=wishes.container,
        )
    except MillraceError as error:
        raise Failure(error.reason.value, error.message, file=file) from error
    except ValueError as error:
        raise Failure("USAGE", f"{error}.", file=file, advice="choose another ladder") from error


def make(file: Path, folder: Path, wishes: Wishes, voice: Voice) -> dict[str, Any]:
    """Make a package in a folder that is not there yet.

    Returns:
        What was made, for `--json`.

    Raises:
        Failure: with the engine's reason.
    """
    found = facts.of(file)
    the_plan = planned(found, file, wishes)
    folder.mkdir()
    chosen = [_ANALYSE] * wishes.per_title + [_ENCODE] + [_PICTURES] * wishes.pictures
    stages = [Stage(name, _STAGES[name]) for name in chosen]
    with Progress(voice, file.name, stages) as progress:
        if wishes.per_title:
            the_plan = _fitted(file, the_plan, wishes, progress)
        _tell(voice, file, the_plan)
        progress.stage(_ENCODE)
        made = _run("transcode", file, the_plan, wishes, progress, "--output", str(folder))
        if wishes.pictures:
            progress.stage(_PICTURES)
            _draw(file, folder, the_plan, wishes.effort)
    return {name: made[name] for name in ("frames", "duration_s", "renditions", "audio")}


def _run(
    command: str, file: Path, the_plan: Plan, wishes: Wishes, progress: Progress, *more: str
) -> Line:
    with tempfile.TemporaryDirectory(prefix="millrace-") as scratch:
        path = Path(scratch) / "plan.json"
        path.write_text(json.dumps(the_plan.to_json()))
        arguments = [command, str(file), "--plan", str(path), *more, *wishes.effort.arguments]
        niceness = wishes.effort.niceness
        return engine.run(arguments, file=file, on_line=progress.line, niceness=niceness)


def _fitted(file: Path, the_plan: Plan, wishes: Wishes, progress: Progress) -> Plan:
    progress.stage(_ANALYSE)
    target = ["--target-vmaf", str(ladder.TARGET_VMAF)]
    return fitted(the_plan, _run("analyse", file, the_plan, wishes, progress, *target))


def _tell(voice: Voice, file: Path, the_plan: Plan) -> None:
    renditions = the_plan.video.renditions
    voice.event("plan", file=str(file), plan=the_plan.to_json())
    sizes = ", ".join(f"{each.name} ({each.width}×{each.height})" for each in renditions)
    voice.say(f"{file.name}: {sizes}")


def _draw(file: Path, folder: Path, the_plan: Plan, effort: Effort) -> None:
    """The poster and the storyboard, which players find by convention of the cloud's packages."""
    from PIL import Image

    poster = the_plan.poster
    box = ["--width", str(poster.width), "--height", str(poster.height), "--skip-black"]
    times = ["--times", f"{poster.time_s:g}", *box]
    arguments = ["thumbnail", str(file), *times, "--storyboard", "--output", str(folder)]
    engine.run([*arguments, *effort.arguments], file=file, niceness=effort.niceness)
    still = folder / "00.png"
    with Image.open(still) as picture:
        picture.convert("RGB").save(folder / POSTER, quality=_QUALITY, optimize=True)
    still.unlink()
