from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from local.persistence import saver
from local.persistence.saver import Saver

LONG_S = 60.0


class Disk:
    """Takes and writes; each can be made to wait or to fail."""

    def __init__(self) -> None:
        self.state: dict[str, bytes] = {}
        self.written: dict[str, list[bytes]] = {}
        self.failures = 0
        self.may_write = threading.Event()
        self.may_write.set()

    def take(self, service: str) -> bytes:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("dictionary changed size during iteration")
        return self.state[service]

    def write(self, service: str, data: bytes) -> None:
        self.may_write.wait(LONG_S)
        self.written.setdefault(service, []).append(data)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def running(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Saver]:
    monkeypatch.setattr(saver, "SETTLE_S", (0.01,))
    made = Saver(disk.take, disk.write)
    made.start()
    yield made
    made.stop()


def test_change_is_on_disk_when_waited_for(disk: Disk, running: Saver) -> None:
    disk.state["iam"] = b"1"
    assert running.wait("iam", running.mark("iam"), LONG_S)
    assert disk.written["iam"] == [b"1"]


def test_wait_gives_up_when_the_disk_is_slow(disk: Disk, running: Saver) -> None:
    disk.state["iam"] = b"1"
    disk.may_write.clear()
    assert not running.wait("iam", running.mark("iam"), 0.01)
    disk.may_write.set()


def test_changes_are_saved_together_when_they_come_at_once(disk: Disk, running: Saver) -> None:
    disk.state["iam"] = b"0"
    disk.may_write.clear()
    running.mark("iam")
    disk.state["iam"] = b"1"
    tickets = [running.mark("iam") for _ in range(100)]
    disk.may_write.set()
    assert all(running.wait("iam", ticket, LONG_S) for ticket in tickets)
    assert len(disk.written["iam"]) <= 3


def test_nothing_is_written_when_nothing_changed(disk: Disk, running: Saver) -> None:
    disk.state["iam"] = b"1"
    for _ in range(3):
        running.wait("iam", running.mark("iam"), LONG_S)
    assert disk.written["iam"] == [b"1"]


def test_state_is_taken_again_when_it_changed_meanwhile(disk: Disk, running: Saver) -> None:
    disk.state["iam"] = b"1"
    disk.failures = 3
    running.wait("iam", running.mark("iam"), LONG_S)
    assert disk.written["iam"] == [b"1"]


def test_later_change_is_found_when_nobody_marks_it(disk: Disk, running: Saver) -> None:
    seen = threading.Event()
    write = disk.write

    def note(service: str, data: bytes) -> None:
        write(service, data)
        if data == b"2":
            seen.set()

    running._write = note
    disk.state["lambda"] = b"1"
    running.wait("lambda", running.mark("lambda"), LONG_S)
    disk.state["lambda"] = b"2"  # e.g. a function becomes active
    assert seen.wait(LONG_S)


def test_other_services_are_saved_when_one_cannot_be(disk: Disk, running: Saver) -> None:
    disk.state["iam"] = b"1"
    assert running.wait("broken", running.mark("broken"), LONG_S)
    assert running.wait("iam", running.mark("iam"), LONG_S)
    assert disk.written == {"iam": [b"1"]}


def test_outstanding_changes_are_saved_when_stopped(disk: Disk) -> None:
    made = Saver(disk.take, disk.write)
    disk.state.update(iam=b"1", sqs=b"2")
    made.mark("iam")
    made.mark("sqs")
    made.start()
    made.stop()
    assert disk.written == {"iam": [b"1"], "sqs": [b"2"]}
