"""Tables and their places in the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import scale_model
from bench.markdown import put_between_marks, table


def test_table_is_markdown_when_it_has_rows() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n|---|---|\n| 1 | 2 |"


def test_only_what_stands_between_the_marks_is_replaced_when_it_is_written_twice(
    tmp_path: Path,
) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n\n<!-- x -->\nold\n<!-- /x -->\n\nafter\n")
    for text in ("new\nlines", "newer"):
        put_between_marks(page, "x", text)
    assert page.read_text() == "before\n\n<!-- x -->\nnewer\n<!-- /x -->\n\nafter\n"


def test_page_is_left_alone_when_it_has_no_such_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- x -->\nnever closed\n")
    with pytest.raises(ValueError, match=r"page\.md has no place for x"):
        put_between_marks(page, "x", "new")
    assert page.read_text() == "<!-- x -->\nnever closed\n"


@pytest.mark.parametrize("name", ["taken", "validation", "makespan", "speed", "cost", "day"])
def test_page_has_a_place_when_the_simulation_makes_a_table(name: str) -> None:
    text = scale_model.PAGE.read_text()
    assert text.count(f"<!-- {name} -->\n") == text.count(f"\n<!-- /{name} -->") == 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.34, "12.3 s"), (245, "4 min 05 s"), (3720, "1 h 02 min")]
)
def test_time_is_told_in_fitting_units_when_it_is(seconds: float, text: str) -> None:
    assert scale_model.clock(seconds) == text
