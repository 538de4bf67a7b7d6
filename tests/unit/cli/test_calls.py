"""What is kept alive beside LocalStack, and how the relay is configured."""

from __future__ import annotations

import ipaddress
import threading
from pathlib import Path

import pytest

from cli import calls, turn
from cli.calls import Kept
from cli.turn import TurnConfig
from local.server_process import CloudError


class Program:
    """Lives until it is killed or stopped."""

    def __init__(self) -> None:
        self.killed = self.stopped = False

    def alive(self) -> bool:
        return not (self.killed or self.stopped)

    def stop(self) -> None:
        self.stopped = True


def test_program_is_begun_again_when_it_dies_and_ends_when_it_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "_LOOK_EVERY_S", 0.01)
    begun: list[Program] = []
    again = threading.Event()

    def begin() -> Program:
        begun.append(Program())
        if len(begun) == 2:
            again.set()
        return begun[-1]

    kept = Kept("program", begin)
    kept.start()
    begun[0].killed = True
    assert again.wait(5)
    kept.stop()
    assert begun[1].stopped
    assert len(begun) == 2


def test_start_fails_with_the_reason_when_the_program_does_not_come_up() -> None:
    def begin() -> Program:
        raise CloudError("no such program")

    kept = Kept("program", begin)
    with pytest.raises(CloudError, match="no such program"):
        kept.start()
    kept.stop()


def test_stop_does_nothing_when_it_was_never_started() -> None:
    Kept("program", Program).stop()


def _config(tmp_path: Path, address: str = "127.0.0.1") -> TurnConfig:
    return TurnConfig(state_dir=tmp_path, log_file=tmp_path / "turn.log", address=address)


def test_relay_serves_members_alone_and_nothing_else_when_configured(tmp_path: Path) -> None:
    lines = turn.configuration(_config(tmp_path), "hush").splitlines()
    assert {"use-auth-secret", "static-auth-secret=hush", "no-cli", "fingerprint"} <= set(lines)
    assert "listening-ip=127.0.0.1" in lines


@pytest.mark.parametrize(("address", "allowed"), [("127.0.0.1", True), ("192.168.1.10", False)])
def test_relay_leads_to_this_machine_only_when_it_is_for_this_machine(
    tmp_path: Path, address: str, allowed: bool
) -> None:
    lines = turn.configuration(_config(tmp_path, address), "hush").splitlines()
    assert ("allow-loopback-peers" in lines) is allowed


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.10", "fd00::7"])
def test_relay_is_not_a_way_inside_when_it_listens_anywhere(tmp_path: Path, address: str) -> None:
    lines = turn.configuration(_config(tmp_path, address), "hush").splitlines()
    denied = [
        [ipaddress.ip_address(end) for end in line.removeprefix("denied-peer-ip=").split("-")]
        for line in lines
        if line.startswith("denied-peer-ip=")
    ]
    for inside in (
        *("169.254.169.254", "10.0.0.1", "172.31.255.255", "192.168.1.11", "100.64.0.1"),
        *("127.0.0.2", "0.0.0.1", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"),
    ):
        peer = ipaddress.ip_address(inside)
        assert any(
            first.version == peer.version and int(first) <= int(peer) <= int(last)
            for first, last in denied
        ), inside
    # Of two callers that are both relayed, the other one's address is the relay's own.
    assert [line for line in lines if "allowed" in line] == [f"allowed-peer-ip={address}"]
    assert "no-tcp-relay" in lines


def test_browsers_are_told_both_transports_when_there_is_a_relay(tmp_path: Path) -> None:
    assert _config(tmp_path, "::1").urls == (
        "turn:[::1]:3478?transport=udp,turn:[::1]:3478?transport=tcp"
    )


def test_secret_stays_the_same_and_private_when_the_relay_starts_again(tmp_path: Path) -> None:
    config = _config(tmp_path)
    assert turn._secret(config) == turn._secret(config)
    assert config.secret_file.stat().st_mode & 0o077 == 0


def test_advice_is_given_when_coturn_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CloudError, match="apt-get install coturn"):
        turn.refuse_impossible(_config(tmp_path))
