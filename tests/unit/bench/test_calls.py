"""When a measurement of a call is a failure."""

from __future__ import annotations

import pytest

from bench.calls.__main__ import CASES, Result


def _result(delays_ms: list[float]) -> Result:
    way = {"roundTrip_ms": 1.0, "lost_percent": 0.0}
    return Result(["host", "host"], delays_ms, 0, {"encoding": 8.0}, way)


@pytest.mark.parametrize(
    ("delays_ms", "missed"),
    [
        ([149.0] * 95 + [499.0] * 5, []),
        ([150.0] * 100, ["median 150 ms"]),
        ([100.0] * 90 + [500.0] * 10, ["p95 500 ms"]),
        ([700.0] * 10, ["median 700 ms", "p95 700 ms"]),
        ([], ["median inf ms", "p95 inf ms"]),
    ],
)
def test_targets_are_missed_when_pictures_come_late(
    delays_ms: list[float], missed: list[str]
) -> None:
    for name in ("direct", "relay"):
        told = CASES[name].judge(_result(delays_ms))
        assert [line.split(",")[0] for line in told] == missed


def test_delay_under_loss_is_told_and_not_judged_when_pictures_arrive() -> None:
    assert CASES["loss"].judge(_result([700.0])) == []
    assert CASES["loss"].judge(_result([])) == ["no picture could be read"]
    assert "| 700 | 700 |" in _result([700.0]).row("loss")
