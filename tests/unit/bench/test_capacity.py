"""The table of what one function instance does."""

from __future__ import annotations

import re

import pytest

from bench.scaling import capacity
from bench.scaling.measured import Measurements
from cdk.functions import API, FUNCTIONS


def test_page_has_the_table_that_the_measurements_give() -> None:
    assert capacity.text() in capacity.PAGE.read_text(), "run python -m bench.scaling.capacity"


def test_chunk_takes_its_cpu_seconds_over_the_cores_it_keeps_busy_when_it_is_made() -> None:
    service = Measurements.read().service
    (chunk,) = [one for one in capacity.work(service) if one.unit.startswith("chunk")]
    cpu_s = service.chunk.fixed_cpu_s + 32 * service.chunk.cpu_s_per_source_s
    cores = 4096 / 1769 * service.chunk_threads_used / 2
    assert chunk.seconds == pytest.approx(cpu_s / cores + service.task_overhead_s)
    assert chunk.hourly == pytest.approx(3600 / chunk.seconds)


def test_table_names_every_function_when_some_have_no_figures() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", capacity.text(), re.MULTILINE))
    assert named == {spec.name for spec in (*FUNCTIONS, API)}
    computed = {one.function for one in capacity.work(Measurements.read().service)}
    assert computed.isdisjoint(capacity.NOT_COMPUTED)
