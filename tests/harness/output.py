"""What the engine makes of a whole file, with the plan it was given."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from millrace import hls, plan
from millrace.ladder import Rung
from millrace.media import parse
from millrace.outputs import Collector
from millrace.plan import Plan
from tests.harness import media

ENGINE = media.REPOSITORY / "build" / "engine" / "release" / "millrace-engine"


@dataclass(frozen=True)
class Output:
    folder: Path
    plan: Plan
    collector: Collector

    def published(self) -> hls.Playlists:
        """What the publisher makes of the same segments."""
        names = [rendition.name for rendition in self.plan.video.renditions]
        audio = {
            index: self.collector.tracks([track.name], 0, None)
            for index, track in enumerate(self.plan.audio)
        }
        made = hls.render(self.plan, {0: self.collector.tracks(names, 0, None)}, audio, final=True)
        assert made is not None
        return made


def engine(*arguments: str | Path) -> list[dict[str, object]]:
    """The JSON lines of a successful run."""
    command = [str(argument) for argument in (ENGINE, *arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def transcode(source: Path, folder: Path, rungs: Sequence[Rung]) -> Output:
    """The whole source, below `folder`."""
    facts = engine("probe", source)[-1]
    the_plan = plan.make(parse(facts), chunk_segments=8, preset="veryfast", rungs=rungs)
    plan_file = folder / "plan.json"
    plan_file.write_text(json.dumps(the_plan.to_json()))
    collector = Collector()
    for line in engine("transcode", source, "--plan", plan_file, "--output", folder / "made"):
        if line["type"] in ("init", "segment"):
            collector.add(line)
    return Output(folder / "made", the_plan, collector)
