from __future__ import annotations

from pathlib import Path

import pytest

from local.persistence.files import SnapshotFiles, VersionError


def test_snapshot_is_read_back_when_written(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path, "4.13.1")
    files.write("iam", b"old")
    files.write("iam", b"line\nand more\n")
    assert files.services() == ["iam"]
    assert files.read("iam") == b"line\nand more\n"


def test_nothing_is_read_when_nothing_was_written(tmp_path: Path) -> None:
    assert SnapshotFiles(tmp_path, "4.13.1").read("iam") is None


def test_half_a_snapshot_is_ignored_when_the_process_died_writing_it(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path, "4.13.1")
    files.write("iam", b"whole")
    (tmp_path / ".iam.new").write_bytes(b'{"for')
    assert files.services() == ["iam"]
    assert files.read("iam") == b"whole"


def test_snapshot_is_refused_with_advice_when_another_version_wrote_it(tmp_path: Path) -> None:
    SnapshotFiles(tmp_path, "4.13.1").write("iam", b"data")
    with pytest.raises(VersionError, match=r"written by LocalStack 4\.13\.1.*reset"):
        SnapshotFiles(tmp_path, "4.14.0").read("iam")
