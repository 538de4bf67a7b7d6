from __future__ import annotations

import subprocess
import sys
import time

from millrace.load import Meter


def test_meter_reads_memory_and_cpu_when_this_process_works() -> None:
    meter = Meter()
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    load = meter.read()
    assert load.memory_bytes is not None
    assert load.memory_bytes > 1_000_000
    assert load.cpu_percent is not None
    assert load.cpu_percent > 0


def test_meter_counts_the_engine_when_it_is_told_of_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input(x := bytearray(50_000_000))"], stdin=subprocess.PIPE
    ) as process:
        meter = Meter()
        alone = meter.read().memory_bytes or 0
        meter.watch(process.pid)
        together = meter.read().memory_bytes or 0
        process.communicate(b"\n")
        meter.watch(None)
    assert together > alone
    assert (meter.read().cpu_percent or 0) >= 0


def test_meter_goes_on_when_the_engine_is_gone() -> None:
    meter = Meter()
    meter.watch(2**22 + 1)
    assert meter.read().memory_bytes is not None
