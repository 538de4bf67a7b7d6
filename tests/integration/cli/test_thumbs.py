"""`millrace thumbs` where some of its files are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.media.exits import Exit
from tests.harness import media

pytestmark = pytest.mark.needs_engine


def thumbs(*arguments: str | Path) -> Result:
    words = ["thumbs", str(media.BUNNY), *map(str, arguments)]
    return CliRunner().invoke(main, words, prog_name="millrace")


@pytest.mark.parametrize("there", ["still-01.jpg", "still-02.jpg", "still-03.jpg"])
def test_only_missing_stills_are_made_when_some_are_there(there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("mine")
    assert thumbs("-o", tmp_path, "--size", "160x90").exit_code == Exit.USAGE
    assert [path.name for path in tmp_path.iterdir()] == [there]
    result = thumbs("-o", tmp_path, "--size", "160x90", "--skip-existing")
    assert result.exit_code == Exit.DONE, result.output
    made = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(made) == {f"still-0{number}.jpg" for number in (1, 2, 3)}
    assert {name for name, size in made.items() if size == len("mine")} == {there}
    assert there not in result.stderr
    again = thumbs("-o", tmp_path, "--size", "160x90", "--skip-existing")
    assert "all there already" in again.stderr
