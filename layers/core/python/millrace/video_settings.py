"""What the uploader chose for a video: kept with it, obeyed when it is planned.

What is not chosen is the usual, or, for what a deployment may decide (preset, container, surround
sound), the deployment's. `settings_rules` reads choices from requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from millrace import ladder
from millrace.grid import SEGMENT_S
from millrace.ladder import LADDERS, Rung
from millrace.plan import USUAL_STILLS, Container, StillsWanted
from millrace.renditions import RateControl


class Priority(StrEnum):
    """Whose work goes first, most urgent first."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """The choices for one video."""

    ladder: str | tuple[Rung, ...] = "default"
    """A name in `LADDERS`, or one of the uploader's own."""
    rate_control: RateControl = RateControl.CRF
    segment_s: int = SEGMENT_S
    thumbnails: StillsWanted = USUAL_STILLS
    priority: Priority = Priority.NORMAL
    preset: str | None = None
    container: Container | None = None
    keep_surround: bool | None = None

    @property
    def rungs(self) -> Sequence[Rung]:
        return LADDERS[self.ladder] if isinstance(self.ladder, str) else self.ladder

    def to_json(self) -> dict[str, Any]:
        """As requests write it, every member there; null is for what was left to the deployment."""
        named = isinstance(self.ladder, str)
        return {
            "ladder": self.ladder if named else ladder.to_json(self.rungs),
            "rate_control": self.rate_control.value,
            "segment_s": self.segment_s,
            "thumbnails": _thumbnails_json(self.thumbnails),
            "priority": self.priority.value,
            "preset": self.preset,
            "container": self.container and self.container.value,
            "keep_surround": self.keep_surround,
        }


USUAL = VideoSettings()


def from_json(stored: Mapping[str, Any] | None) -> VideoSettings:
    """What `to_json` gave; the usual for a video without, such as one that nobody announced."""
    if stored is None:
        return USUAL
    chosen, stills = stored["ladder"], dict(stored["thumbnails"])
    if "times_s" in stills:
        stills["times_s"] = tuple(stills["times_s"])
    container = stored["container"]
    return VideoSettings(
        ladder=chosen if isinstance(chosen, str) else ladder.from_json(chosen),
        rate_control=RateControl(stored["rate_control"]),
        segment_s=int(stored["segment_s"]),
        thumbnails=StillsWanted(**stills),
        priority=Priority(stored["priority"]),
        preset=stored["preset"],
        container=Container(container) if container else None,
        keep_surround=stored["keep_surround"],
    )


def _thumbnails_json(wanted: StillsWanted) -> dict[str, Any]:
    which: dict[str, Any] = {}
    if wanted.times_s is not None:
        which["times_s"] = list(wanted.times_s)
    if wanted.count is not None:
        which["count"] = wanted.count
    return {**which, "storyboard": wanted.storyboard}
