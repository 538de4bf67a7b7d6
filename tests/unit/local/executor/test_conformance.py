"""The same functions and events under our Runtime API server and under AWS's own emulator of it,
the Runtime Interface Emulator: whoever calls must not be able to tell them apart."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness.emulator import EVENTS, SHORT_TIMEOUT_S, SOURCE, TIMEOUT_S, emulated, seen_of
from tests.unit.local.executor.conftest import MakeFunction
from tests.unit.local.executor.support import event

pytestmark = pytest.mark.needs_rie


def test_callers_see_the_same_when_aws_runs_the_function(
    function: MakeFunction, tmp_path: Path
) -> None:
    pool = function(SOURCE, memory_mb=512, timeout_s=float(TIMEOUT_S))
    with emulated(tmp_path, SOURCE, pool.spec.name) as emulator:
        for payload in EVENTS:
            ours = pool.invoke(event(payload, timeout_s=float(TIMEOUT_S)))
            assert seen_of(ours) == emulator.invoke(payload), payload


def test_callers_see_the_same_when_the_function_takes_too_long(
    function: MakeFunction, tmp_path: Path
) -> None:
    pool = function(SOURCE, memory_mb=512, timeout_s=float(SHORT_TIMEOUT_S))
    with (
        emulated(tmp_path, SOURCE, pool.spec.name, SHORT_TIMEOUT_S) as emulator,
        ThreadPoolExecutor(1) as beside,
    ):
        for payload in (b'"sleep"', b'"after the sleep"'):
            theirs = beside.submit(emulator.invoke, payload)
            ours = pool.invoke(event(payload, timeout_s=float(SHORT_TIMEOUT_S)))
            assert seen_of(ours) == theirs.result(), payload


def test_functions_lines_are_logged_alike_when_aws_runs_the_function(
    function: MakeFunction, tmp_path: Path
) -> None:
    pool = function(SOURCE, memory_mb=512, timeout_s=float(TIMEOUT_S))
    with emulated(tmp_path, SOURCE, pool.spec.name) as emulator:
        emulator.invoke(b'"something"')
        theirs = emulator.output
    ours = pool.invoke(event(b'"something"')).log_tail
    for line in ("it got something", "and complains"):
        assert line in ours
        assert line in theirs
    for mark in (r"START RequestId: \S+ Version: \$LATEST", r"END RequestId: \S+"):
        assert re.search(mark, ours)
        assert re.search(mark, theirs)
    durations = r"Duration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB"
    assert re.search(rf"REPORT RequestId: \S+\t.*{durations}", ours)
    assert re.search(rf"REPORT RequestId: \S+\t.*{durations}", theirs)


@pytest.mark.parametrize(
    "source",
    ["import nowhere_at_all", "def handler(:\n    pass", "x = 1", "raise OSError('disk')"],
    ids=["import", "syntax", "no handler", "raises"],
)
def test_reason_is_the_same_when_the_function_cannot_be_loaded(
    function: MakeFunction, tmp_path: Path, source: str
) -> None:
    ours = json.loads(function(source).invoke(event()).payload)
    with emulated(tmp_path, source, "f") as emulator:
        theirs = emulator.invoke(b"{}").payload
    assert (ours["errorType"], ours["errorMessage"]) == (
        theirs["errorType"],
        theirs["errorMessage"],
    )
