"""`./millrace logs --video`: one video's story out of all logs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import logs as module
from cli.state import State

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
    assert json.loads(result.output.splitlines()[4])["message"] == "video.completed"
