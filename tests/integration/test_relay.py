"""What a running relay lets its callers reach."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import turn
from cli.turn import TurnConfig
from tests.harness.pipeline import free_port

pytestmark = pytest.mark.needs_relay
SECRET = "of this test alone"
NEVER_EXPIRES = "4000000000"


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[TurnConfig]:
    config = TurnConfig(state_dir=tmp_path, log_file=tmp_path / "turn.log", port=free_port())
    config.secret_file.write_text(SECRET)
    running = turn.start(config)
    yield config
    running.stop()


def _ask(relay: TurnConfig, peer: str) -> str:
    """What coturn's own client says of the way to a peer. Where there is one it goes on sending."""
    client = ["turnutils_uclient", "-W", SECRET, "-u", f"{NEVER_EXPIRES}:{peer}", "-n", "1"]
    command = [*client, "-e", peer, "-r", "9", "-p", str(relay.port), relay.address]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=4, check=False)
    except subprocess.TimeoutExpired as sending:
        return (sending.stdout or b"").decode()
    return ended.stdout + ended.stderr


def test_relay_refuses_every_way_inside_when_a_member_asks_for_it(relay: TurnConfig) -> None:
    for inside in ("169.254.169.254", "10.1.2.3", "192.168.1.1", "127.0.0.2"):
        assert "403 (Forbidden IP)" in _ask(relay, inside), inside
    for wanted in (relay.address, "203.0.113.9"):
        said = _ask(relay, wanted)
        assert "start_mclient" in said, said
        assert "403" not in said, wanted
