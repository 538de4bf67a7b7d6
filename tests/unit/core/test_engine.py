from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from millrace.engine import UNCONFINED, Engine, Stop, journal
from millrace.errors import MillraceError, PermanentError, Reason, RetryableError, Stopped
from tests.harness.media import REPOSITORY
from tests.harness.pipeline import eventually
from tests.unit.core.fake_engine import FakeEngine

SAMPLED = """
import sys
from types import SimpleNamespace
from aws_lambda_powertools import Logger
from millrace.engine import Engine, Stop

LOG = Logger()

@LOG.inject_lambda_context(clear_state=True)
def handler(event, context):
    Engine(sys.argv[1]).run(["probe", "https://source.example/film"], timeout_s=30, stop=Stop())
    LOG.info("done")

context = SimpleNamespace(function_name="f", memory_limit_in_mb=512, aws_request_id="r")
context.invoked_function_arn = "arn"
handler({}, context)
"""
"""A function that does nothing but run the engine."""


def run(fake: FakeEngine, *, timeout_s: float = 30, stop: Stop | None = None, **more: Any) -> Any:
    return Engine(str(fake.path)).run(
        ["probe", "https://source.example/film"], timeout_s=timeout_s, stop=stop or Stop(), **more
    )


def test_result_is_returned_when_the_engine_succeeds(engine: FakeEngine) -> None:
    assert run(engine)["format"]["container"] == "mp4"


def test_engine_gets_no_credentials_when_it_is_started(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    run(engine)
    assert "AWS_SECRET_ACCESS_KEY" not in engine.environment("probe")
    assert "PATH" in engine.environment("probe")


def test_every_line_but_no_signature_is_logged_when_the_invocation_is_sampled(
    engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    assert (
        logging.getLogger(journal.name).level == logging.NOTSET
    )  # its parent's counts, which samples
    source = "https://source.example/film?X-Amz-Signature=secret"
    for level in (logging.INFO, logging.DEBUG):
        with caplog.at_level(level, logger=journal.name):
            Engine(str(engine.path)).run(["probe", source], timeout_s=30, stop=Stop())
        said = [record for record in caplog.records if record.levelno == logging.DEBUG]
        assert bool(said) == (level == logging.DEBUG)
    assert said[0].__dict__["arguments"] == ["probe", "https://source.example/film"]


@pytest.mark.parametrize(("rate", "said"), [("1.0", True), ("0.0", False)])
def test_engines_lines_are_in_the_functions_log_when_all_or_no_invocations_are_sampled(
    engine: FakeEngine, rate: str, said: bool
) -> None:
    """In a process of its own, as Lambda begins one: the variable is read once."""
    environment = {**os.environ, "POWERTOOLS_LOGGER_SAMPLE_RATE": rate, "LOG_LEVEL": "INFO"}
    environment["POWERTOOLS_SERVICE_NAME"] = "probe"
    arguments = [sys.executable, "-c", SAMPLED, str(engine.path)]
    done = subprocess.run(
        arguments, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["message"] for record in records if record["level"] == "INFO"] == ["done"]
    debugged = [record["message"] for record in records if record["level"] == "DEBUG"]
    assert ("engine.started" in debugged) == said


def test_missing_wall_stands_out_in_the_log_when_the_engine_tells_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"{UNCONFINED}: no Landlock here"
    program = tmp_path / "engine"
    program.write_text(f"""#!/bin/sh
echo '{said}' >&2
echo 'something else' >&2
echo '{{"type": "result"}}'
""")
    program.chmod(0o755)
    with caplog.at_level(logging.INFO, logger=journal.name):
        Engine(str(program)).run(["probe", "film"], timeout_s=30, stop=Stop())
    (warned,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert (warned.message, warned.__dict__["text"]) == ("engine.unconfined", said)


def test_engine_says_so_in_these_words_when_a_wall_is_missing() -> None:
    source = (REPOSITORY / "engine/src/main.cpp").read_text()
    assert f'"{UNCONFINED}: no %s here' in source


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, PermanentError) for code in ("EMPTY_FILE", "NOT_A_VIDEO", "CORRUPT")),
        *((code, PermanentError) for code in ("UNSUPPORTED_CONTAINER", "UNSUPPORTED_CODEC")),
        *((code, PermanentError) for code in ("NO_VIDEO_STREAM", "EXTERNAL_REFERENCE")),
        *((code, PermanentError) for code in ("SOURCE_CHANGED", "SOURCE_MISSING")),
        ("LIMIT_EXCEEDED", PermanentError),
        ("SOURCE_UNREADABLE", RetryableError),
        ("OUTPUT_FAILED", RetryableError),
        ("INTERNAL", RetryableError),
    ],
)
def test_error_has_the_engines_reason_when_it_gives_one(
    engine: FakeEngine, code: str, kind: type[MillraceError]
) -> None:
    engine.fails("probe", code=code, message="What is wrong.")
    with pytest.raises(kind) as caught:
        run(engine)
    assert (caught.value.reason, caught.value.message) == (Reason(code), "What is wrong.")
    assert "the engine's log" in caught.value.engine_log


def test_error_is_internal_when_the_engines_reason_is_unknown(engine: FakeEngine) -> None:
    engine.fails("probe", code="NEVER_HEARD_OF")
    with pytest.raises(RetryableError) as caught:
        run(engine)
    assert caught.value.reason is Reason.INTERNAL


def test_error_names_the_signal_when_the_engine_is_killed(engine: FakeEngine) -> None:
    engine.fails("probe", do="kill")
    with pytest.raises(RetryableError, match="SIGKILL") as caught:
        run(engine)
    assert caught.value.reason is Reason.ENGINE_CRASHED
    assert "a last word" in caught.value.engine_log


def test_error_is_a_crash_when_the_engine_ends_without_a_word(engine: FakeEngine) -> None:
    engine.fails("probe", do="silence")
    with pytest.raises(RetryableError) as caught:
        run(engine)
    assert caught.value.reason is Reason.ENGINE_CRASHED


def test_engine_is_killed_when_its_output_is_no_json(engine: FakeEngine) -> None:
    engine.fails("probe", do="garbage")
    started = time.monotonic()
    with pytest.raises(RetryableError) as caught:
        run(engine)
    assert caught.value.reason is Reason.INTERNAL
    assert time.monotonic() - started < 30


def test_engine_is_killed_when_it_takes_too_long(engine: FakeEngine) -> None:
    engine.fails("probe", do="hang")
    pids: list[int | None] = []
    with pytest.raises(RetryableError, match="longer") as caught:
        run(engine, timeout_s=0.3, on_start=pids.append)
    assert caught.value.reason is Reason.ENGINE_CRASHED
    assert_gone(pids)


def assert_gone(pids: list[int | None]) -> None:
    assert pids[0] is not None
    assert pids[-1] is None
    stat = Path(f"/proc/{pids[0]}/stat")
    # It has ended, but is not buried yet.
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
    eventually("buried", lambda: not stat.exists(), 60)


def test_engine_is_killed_when_somebody_asks_to_stop(engine: FakeEngine) -> None:
    engine.fails("probe", do="hang")
    stop, pids = Stop(), []

    def started(pid: int | None) -> None:
        pids.append(pid)
        if pid is not None:
            threading.Thread(target=stop.set, args=("the video is DELETING",)).start()

    with pytest.raises(Stopped, match="DELETING"):
        run(engine, stop=stop, on_start=started)
    assert_gone(pids)


def test_engine_does_not_run_on_when_it_was_stopped_before(engine: FakeEngine) -> None:
    stop = Stop()
    stop.set("first")
    stop.set("second")
    engine.fails("probe", do="hang")
    with pytest.raises(Stopped, match="first"):
        run(engine, stop=stop)


def test_engine_is_killed_when_a_line_cannot_be_handled(engine: FakeEngine, tmp_path: Path) -> None:
    pids: list[int | None] = []

    def refuse(line: Any) -> None:
        raise OSError("disk full")

    plan = tmp_path / "plan.json"
    plan.write_text(PLAN)
    with pytest.raises(OSError, match="disk full"):
        Engine(str(engine.path)).run(
            ["transcode", "url", "--plan", str(plan), "--output", str(tmp_path), "--audio", "0"],
            timeout_s=30,
            stop=Stop(),
            on_line=refuse,
            on_start=pids.append,
        )
    assert_gone(pids)


PLAN = """{"frame_rate": {"num": 25, "den": 1}, "segment_frames": 100, "duration_s": 8,
           "audio": [{"name": "audio-0"}]}"""


def test_error_is_retryable_when_the_engine_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RetryableError, match="cannot be started"):
        Engine(str(tmp_path / "none")).run([], timeout_s=1, stop=Stop())


def test_engine_steps_back_when_others_are_more_urgent(engine: FakeEngine) -> None:
    priorities: list[int] = []

    def started(pid: int | None) -> None:
        if pid is not None:
            priorities.append(os.getpriority(os.PRIO_PROCESS, pid))

    for niceness in (0, 5):
        run(engine, niceness=niceness, on_start=started)
    usual, stepped_back = priorities
    assert stepped_back == usual + 5
