"""Times, sizes and rates as people write them."""

from __future__ import annotations

import pytest

from cli.media import units


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("90", 90),
        ("1.5s", 1.5),
        ("250ms", 0.25),
        ("2m", 120),
        ("1:30", 90),
        ("1:02:03.5", 3723.5),
        (" 0:07 ", 7),
    ],
)
def test_time_is_read_when_written_in_any_usual_way(text: str, expected_s: float) -> None:
    assert units.seconds(text) == pytest.approx(expected_s)


@pytest.mark.parametrize("text", ["", "-1", "1:2:3:4", "soon", "1h30", "nan"])
def test_time_is_refused_when_it_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        units.seconds(text)


def test_size_is_decimal_when_not_written_with_an_i() -> None:
    assert units.size_bytes("25MB") == 25_000_000
    assert units.size_bytes("25M") == 25_000_000
    assert units.size_bytes("1.5GiB") == 1_610_612_736
    assert units.size_bytes("800") == 800


@pytest.mark.parametrize("text", ["0", "MB", "-3MB", "3TB", "25 MB!"])
def test_size_is_refused_when_it_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        units.size_bytes(text)


def test_rate_is_read_when_written_with_or_without_bps() -> None:
    assert units.bits_per_second("2.5M") == 2_500_000
    assert units.bits_per_second("800kbps") == 800_000
    assert units.bits_per_second("800 kbit/s") == 800_000


@pytest.mark.parametrize(
    ("time_s", "shown"), [(0, "0:00.0"), (12.34, "0:12.3"), (59.96, "1:00.0"), (3723, "1:02:03.0")]
)
def test_time_is_shown_as_a_clock_when_told(time_s: float, shown: str) -> None:
    assert units.clock(time_s) == shown
    assert units.seconds(shown) == pytest.approx(time_s, abs=0.05)
