"""Bars on a terminal: nested ones of a batch, the single one of a file."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest
from rich.console import Console

from cli.console import THEME
from cli.media import board, progress
from cli.media.board import Board
from cli.media.progress import Progress
from cli.media.queue import Queue, State
from cli.media.voice import Voice

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BAR = re.compile(r"\x1b\[([0-9;]+)m[━╸]")


class Screen:
    """What stands on a terminal."""

    def __init__(self) -> None:
        self._written = io.StringIO()
        self.console = Console(
            file=self._written,
            force_terminal=True,
            width=100,
            theme=THEME,
            color_system="truecolor",
            _environ={},
        )

    def line(self, name: str, *parts: str) -> str:
        """The last line with that name, as soon as it has all the parts."""
        for _ in range(50):
            lines = re.split(r"[\r\n]|\x1b\[2K", self._written.getvalue())
            line = next((it for it in reversed(lines) if name in it), "")
            if all(part in words(line) for part in parts) and line:
                return line
            time.sleep(0.1)
        raise AssertionError((name, parts, self._written.getvalue()))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    made = Screen()
    monkeypatch.setattr(board, "console", made.console)
    monkeypatch.setattr(progress, "console", made.console)
    return made


def words(line: str) -> str:
    return " ".join(re.sub("[━╸╺]", "", _ESCAPES.sub("", line)).split())


def pulses(line: str) -> bool:
    """A bar has two colours at most, done and to do; one that pulses has shades."""
    return len(set(_BAR.findall(line))) > 2


def event(fraction: float | None, left_s: float | None) -> dict[str, object]:
    return {"fraction": fraction, "eta_s": left_s, "fps": 24.7, "speed": 1.5}


def test_bars_are_nested_when_a_batch_is_at_work(screen: Screen, tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    for name in ("a.mov", "b.mov", "c.mov"):
        (tmp_path / name).write_text(name)
        queue.add(tmp_path / name, tmp_path / f"{name}.mp4", "")
    first = queue.claim()
    assert first is not None
    queue.end(first, State.SKIPPED)
    with (
        Board(Voice()) as one,
        one.file("/in/b.mov") as show_b,
        one.file("/in/c.mov") as show_c,
    ):
        one.total(queue)
        show_b(event(0.25, 61))
        show_c(event(0.5, None))
        assert words(screen.line("all files", "33%")) == "all files 33% 1 of 3"
        assert words(screen.line("b.mov", "25%")) == "b.mov 25% 25 fps, 1.5×, 1:01 left"
        assert words(screen.line("c.mov", "50%")) == "c.mov 50% 25 fps, 1.5×"
        assert not pulses(screen.line("b.mov", "25%"))
    queue.close()


def test_bar_pulses_when_nobody_knows_how_long_a_file_is(screen: Screen) -> None:
    with Board(Voice()) as one, one.file("/in/live.ts") as show:
        assert pulses(screen.line("live.ts"))
        show(event(None, None))
        line = screen.line("live.ts", "fps")
        assert pulses(line)
        assert words(line) == "live.ts 25 fps, 1.5×"


def test_bar_of_one_file_stands_or_pulses_when_its_length_is_known_or_not(screen: Screen) -> None:
    line = {"type": "progress", "frames": 50, "fps": 25.0, "speed": 1.5}
    with Progress(Voice(), "known.mp4") as known:
        known.line({**line, "fraction": 0.5})
        shown = screen.line("known.mp4", "50%")
        assert not pulses(shown)
        assert words(shown) == "known.mp4 50% frame 50, 25 fps, 1.5×"
    with Progress(Voice(), "live.ts") as live:
        live.line(line)
        shown = screen.line("live.ts", "frame")
        assert pulses(shown)
        assert words(shown) == "live.ts frame 50, 25 fps, 1.5×"


@pytest.mark.parametrize("voice", [Voice(quiet=True), Voice(as_json=True)], ids=["-q", "--json"])
def test_no_bar_is_drawn_when_nobody_wants_one(screen: Screen, voice: Voice) -> None:
    with screen.console.capture() as drawn, Board(voice) as one, one.file("a.mov") as show:
        show(event(0.5, None))
        time.sleep(0.2)
    assert drawn.get() == ""
