from __future__ import annotations

from pathlib import Path

from local.persistence.s3_bodies import Bodies


def test_bodies_nobody_refers_to_are_removed_when_collected(tmp_path: Path) -> None:
    bodies = Bodies(tmp_path)
    kept, lost = bodies.new_name(), bodies.new_name()
    for name in (kept, lost):
        bodies.path(name).write_bytes(b"x")
    assert bodies.collect({kept}) == 1
    assert bodies.path(kept).exists()
    assert not bodies.path(lost).exists()
