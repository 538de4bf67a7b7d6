"""`./millrace logs --video`: one video's story out of all logs."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import logs as module
from cli.state import State
from local.executor import logs as written

VIDEO, OTHER = "a" * 26, "b" * 26


def line(at: str, message: str, video_id: str, **more: Any) -> str:
    stamp = f"2026-01-01 00:00:{at}+0000"
    return json.dumps(
        {"level": "INFO", "message": message, "timestamp": stamp, "video_id": video_id, **more}
    )


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    state.function_logs.mkdir(parents=True)
    (state.function_logs / "millrace-transcode.log").write_text(
        "\n".join(
            [
                line("03,000", "task.started", VIDEO, task_id="transcode-00000"),
                line("03,500", "task.started", OTHER),
                line("04,000", "engine.log", VIDEO, text="[h264] a bit late"),
                "START RequestId: 1",
                f'{{"half": "{VIDEO}',
            ]
        )
        + "\n"
    )
    (state.function_logs / "millrace-probe.log").write_text(line("02,000", "task.done", VIDEO))
    (state.function_logs / "millrace-probe.log.1").write_text(line("01,000", "first", VIDEO))
    return state


def printed(state: State, *arguments: str) -> list[str]:
    result = CliRunner().invoke(module.logs, arguments, obj=state)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_story_is_in_order_of_time_when_it_is_spread_over_functions(state: State) -> None:
    told = [json.loads(text)["message"] for text in printed(state, "--video", VIDEO, "--raw")]
    assert told == ["first", "task.done", "task.started", "engine.log"]


def test_story_has_the_engines_words_and_not_its_own_id_when_it_is_for_people(
    state: State,
) -> None:
    lines = printed(state, "--video", VIDEO)
    assert "a bit late" in lines[-1]
    assert not [text for text in lines if VIDEO in text or OTHER in text]


def test_looks_at_a_video_are_no_part_of_its_story_when_it_is_for_people(state: State) -> None:
    with (state.function_logs / "millrace-api.log").open("a") as log:
        for method, status in (("GET", 200), ("GET", 404), ("DELETE", 202)):
            log.write(line("08,000", "request", VIDEO, method=method, status=status) + "\n")
    told = [text for text in printed(state, "--video", VIDEO) if "request" in text]
    assert ["method=GET" in text for text in told] == [True, False]


def test_story_goes_on_when_it_is_followed(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_more(seconds: float) -> None:
        monkeypatch.setattr(time, "sleep", interrupt)
        with (state.function_logs / "millrace-publish.log").open("a") as log:
            log.write(line("09,000", "video.completed", VIDEO) + "\n")

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    (state.function_logs / "millrace-publish.log").touch()
    monkeypatch.setattr(time, "sleep", write_more)
    result = CliRunner().invoke(module.logs, ["--video", VIDEO, "--raw", "-f"], obj=state)
    told = [json.loads(text)["message"] for text in result.output.splitlines() if VIDEO in text]
    # The end of the probe's log is not a whole line yet.
    assert told == ["first", "task.started", "engine.log", "video.completed"]


def stop() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("options", [[], ["--video", VIDEO]])
def test_following_goes_on_when_the_log_is_put_aside(
    state: State, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setattr(written, "_FILE_BYTES", 400)
    log = written.LogFile(state.function_logs, "millrace-publish")
    lines = [line(f"{second:02},000", f"line-{second}", VIDEO) for second in range(10, 19)]
    moments = [partial(log.write, lines[start : start + 3]) for start in (0, 3, 6)]
    monkeypatch.setattr(time, "sleep", lambda _: moments.pop(0)() if moments else stop())
    arguments = ["publish", "--raw", "-f", *options]
    told = CliRunner().invoke(module.logs, arguments, obj=state).output.splitlines()
    log.close()
    assert (state.function_logs / "millrace-publish.log.1").exists()
    assert [text for text in told if text.startswith("{")] == lines


def test_line_is_printed_whole_when_it_is_followed_as_it_is_written(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = line("10,000", "half … and half", VIDEO).replace("\\u2026", "…").encode()
    cut = whole.index("…".encode()) + 1  # in the middle of a character
    path = state.function_logs / "millrace-publish.log"
    path.touch()
    with path.open("ab", buffering=0) as log:
        moments = [partial(log.write, whole[:cut]), partial(log.write, whole[cut:] + b"\n")]
        monkeypatch.setattr(time, "sleep", lambda _: moments.pop(0)() if moments else stop())
        arguments = ["publish", "--raw", "-f"]
        told = CliRunner().invoke(module.logs, arguments, obj=state).output.splitlines()
    assert [text for text in told if "half" in text] == [whole.decode()]
