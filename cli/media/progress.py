"""How far a piece of work is: a bar on a terminal, a line for every tenth elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from cli.console import console, escape, size_text
from cli.media.units import clock, rate_text
from cli.media.voice import Voice

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

_PATIENCE_S = 1.5
"""Before this, speed says nothing: encoders fill their look-ahead first."""
_MEMORY_S, _MEMORY_PART = 8.0, 0.3
"""What speed is averaged over: so many seconds, or this part of the time it has taken so far."""
_BAR = 24
_REST_OF_LINE = _BAR + len("100% 1:00:00 left") + 4
"""Characters of what always stands beside a name, with the spaces between."""
_BETTER = {
    "STARTS_AT_KEY_FRAME": "The copy begins here, at the last key frame before --start; "
    "without --codec copy it begins exactly there."
}
"""What is said of a warning in place of the engine's words, which are those of its job."""
_COUNT_PART = 2 / 3
"""Weight of the number of pictures beside the time they are shown for, where their rate varies."""
_UNKNOWN_EVERY_S = 10.0
"""Between two lines where the length is not known."""


def _mixed(counted: float, shown: float) -> float:
    """A picture costs about the same however long it is shown, but more the more has changed since
    the one before it."""
    return _COUNT_PART * counted + (1 - _COUNT_PART) * shown


class Forecast:
    """When a piece of work will be done, by how fast it went lately.

    Lately is a part of the time it has taken so far: a scene that is hard to encode does not make
    the forecast jump, and a film whose second half is harder is not promised too early for long.
    """

    def __init__(self) -> None:
        self._begin: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._speed: float | None = None

    def update(self, fraction: float, now_s: float) -> None:
        """Args:
        fraction: of the whole work, 0 to 1.
        now_s: of a clock that never goes back.
        """
        if self._begin is None:
            self._begin = self._last = (fraction, now_s)
            return
        done, before_s = self._last
        step_s = now_s - before_s
        if step_s <= 0:
            return
        self._last = (fraction, now_s)
        elapsed_s = now_s - self._begin[1]
        if elapsed_s < _PATIENCE_S:
            return
        average = (fraction - self._begin[0]) / elapsed_s
        if self._speed is None:
            self._speed = average
            return
        weight = min(1.0, step_s / max(_MEMORY_S, _MEMORY_PART * elapsed_s))
        self._speed += weight * ((fraction - done) / step_s - self._speed)

    @property
    def left_s(self) -> float | None:
        """None while nobody can know."""
        if not self._speed or self._speed <= 0:
            return None
        return (1 - self._last[0]) / self._speed


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a piece of work, such as the first of two passes."""

    name: str
    weight: float = 1.0
    """Its share of the time, beside the other stages'."""


@dataclass(slots=True)
class Now:
    """What the engine says of a moment, and what follows for the whole work."""

    stage: str
    fraction: float | None
    left_s: float | None
    frames: int
    fps: float
    speed: float
    size_bytes: int
    bitrate_bps: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "fraction": None if self.fraction is None else round(self.fraction, 4),
            "eta_s": None if self.left_s is None else round(self.left_s, 1),
            "frames": self.frames,
            "fps": round(self.fps, 1),
            "speed": round(self.speed, 2),
            "bytes": self.size_bytes,
            "bitrate_bps": None if self.bitrate_bps is None else round(self.bitrate_bps),
        }

    @property
    def parts(self) -> list[str]:
        """In words, but for percent and time left."""
        words = [self.stage] if self.stage else []
        words += [f"frame {self.frames}", f"{self.fps:.0f} fps", f"{self.speed:.2g}×"]
        words += [rate_text(self.bitrate_bps)] if self.bitrate_bps else []
        return words + ([size_text(self.size_bytes)] if self.size_bytes else [])


class Progress:
    """Of one file. To be used in a `with`; then `line` takes the engine's progress lines.

    Args:
        name: the file's.
        stages: in their order; `stage` goes on to the next.
        pictures: so many are to be made, where they measure the work better than the time does.
    """

    def __init__(
        self,
        voice: Voice,
        name: str,
        stages: Sequence[Stage] = (Stage(""),),
        pictures: int | None = None,
    ) -> None:
        self._voice, self._name, self._stages = voice, name, stages
        self._pictures = pictures
        self._index = 0
        self._forecast = Forecast()
        self._told = 0.0
        self._told_at_s = time.monotonic()
        self._bars: Bars | None = None
        self._task: TaskID

    def __enter__(self) -> Self:
        if console.is_terminal and not (self._voice.quiet or self._voice.as_json):
            # A quarter of the time that a command takes to start, where nobody sees a bar.
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bars

            columns = (
                TextColumn("[busy]{task.description}[/]"),
                BarColumn(bar_width=_BAR, complete_style="cyan", pulse_style="cyan"),
                TextColumn("{task.fields[percent]}"),
                TextColumn("{task.fields[left]}"),
                TextColumn("[faint]{task.fields[about]}[/]"),
            )
            self._bars = Bars(*columns, console=console, transient=True)
            self._task = self._bars.add_task(
                escape(_short(self._name)), total=None, percent="", about="", left=""
            )
            self._bars.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def stage(self, name: str) -> None:
        """Go on to the stage of that name."""
        self._index = next(n for n, stage in enumerate(self._stages) if stage.name == name)

    def line(self, line: Mapping[str, Any]) -> None:
        """Take a line of the engine's; warnings are told, other kinds than progress ignored."""
        if line["type"] == "warning":
            place = {
                name: line[name] for name in ("stream", "time_s") if line.get(name) is not None
            }
            message = located(line) + _BETTER.get(line["code"], line["message"])
            self._voice.warn(line["code"], message, file=self._name, **place)
        if line["type"] == "progress":
            self._show(self._now(line))

    def _now(self, line: Mapping[str, Any]) -> Now:
        percent = line.get("percent")
        fraction = line.get("fraction") if percent is None else percent / 100
        if self._pictures:
            counted = line.get("frames", 0) / self._pictures
            fraction = counted if fraction is None else _mixed(counted, fraction)
        if fraction is not None:
            fraction = self._whole(min(1.0, max(0.0, fraction)))
            self._forecast.update(fraction, time.monotonic())
        size, made_s = line.get("bytes") or 0, line.get("time_s")
        return Now(
            stage=self._stages[self._index].name,
            fraction=fraction,
            left_s=None if fraction is None else self._forecast.left_s,
            frames=line.get("frames") or 0,
            fps=line.get("fps") or 0.0,
            speed=line.get("speed") or 0.0,
            size_bytes=size,
            bitrate_bps=size * 8 / made_s if size and made_s else None,
        )

    def _whole(self, fraction: float) -> float:
        """Of all stages."""
        weights = [stage.weight for stage in self._stages]
        before = sum(weights[: self._index])
        return (before + fraction * weights[self._index]) / sum(weights)

    def _show(self, now: Now) -> None:
        self._voice.event("progress", file=self._name, **now.to_json())
        if self._bars is not None:
            self._show_bar(self._bars, now)
        elif self._due(now):
            self._voice.say(f"{_short(self._name)}: {', '.join(_sentence(now))}")

    def _show_bar(self, bars: Bars, now: Now) -> None:
        known = now.fraction is not None
        bars.update(
            self._task,
            total=1.0 if known else None,
            completed=now.fraction or 0.0,
            percent=f"{now.fraction:4.0%}" if now.fraction is not None else "",
            about=_fitting(now.parts, console.width - len(_short(self._name)) - _REST_OF_LINE),
            left=_left(now),
        )

    def _due(self, now: Now) -> bool:
        """A line for every tenth; by the clock where nobody knows what a tenth is."""
        if now.fraction is not None:
            due = int(now.fraction * 10) > int(self._told * 10)
            self._told = max(self._told, now.fraction)
            return due
        now_s = time.monotonic()
        due = now_s - self._told_at_s >= _UNKNOWN_EVERY_S
        self._told_at_s = now_s if due else self._told_at_s
        return due


def located(line: Mapping[str, Any]) -> str:
    """Where in a file a warning of the engine's is about: `stream 1, at 0:02.1: `, or nothing."""
    where = [f"stream {line['stream']}"] if line.get("stream") is not None else []
    where += [f"at {clock(line['time_s'])}"] if line.get("time_s") is not None else []
    return f"{', '.join(where)}: " if where else ""


def _short(name: str) -> str:
    """The file's own name, its middle left out if it is long."""
    name = name.rpartition("/")[2]
    return name if len(name) <= 32 else f"{name[:18]}…{name[-13:]}"


def _fitting(parts: Sequence[str], room: int) -> str:
    """As many of the parts as a line has room for: rich would take the bar away before them."""
    fitting = ""
    for part in parts:
        longer = f"{fitting}, {part}" if fitting else part
        if len(longer) > room:
            break
        fitting = longer
    return fitting


def _sentence(now: Now) -> list[str]:
    percent = [] if now.fraction is None else [f"{now.fraction:.0%}"]
    left = _left(now)
    return [*percent, *now.parts, *([left] if left else [])]


def _left(now: Now) -> str:
    return "" if now.left_s is None else f"{clock(now.left_s, tenths=False)} left"
