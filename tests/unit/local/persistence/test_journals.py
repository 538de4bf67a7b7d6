"""What the journals of objects and messages know when they are opened again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from local.persistence.database import FormatError
from local.persistence.s3_journal import Journal
from local.persistence.sqs_journal import MessageJournal


def test_objects_are_known_when_opened_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.save_bucket("b", "0", "us-east-1", b"settings")
    journal.save_object("b", "k", "", b"1")
    journal.save_object("b", "k", "", b"2")
    journal.save_object("b", "gone", "", b"3")
    journal.drop_object("b", "gone", "")
    again = Journal(tmp_path / "j")
    assert again.buckets() == [("b", "0", "us-east-1", b"settings")]
    assert again.objects() == [("b", b"2")]


def test_versions_keep_their_order_when_opened_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for version in ("null", "v1", "v2"):
        journal.save_object("b", "k", version, version.encode())
    journal.save_object("b", "k", "v1", b"changed")
    assert [value for _, value in Journal(tmp_path / "j").objects()] == [b"null", b"changed", b"v2"]


def test_upload_ends_with_its_object_when_it_is_committed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for upload in ("u1", "u2"):
        journal.save_upload("b", upload, b"upload")
        journal.save_part(upload, 1, b"part")
    journal.save_object("b", "k", "", b"object", "u1")
    assert journal.uploads() == [("u2", "b", b"upload")]
    assert journal.parts() == [("u2", 1, b"part")]


def test_everything_goes_when_the_bucket_is_dropped(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.save_bucket("b", "0", "us-east-1", b"settings")
    journal.save_object("b", "k", "", b"1")
    journal.save_upload("b", "u", b"upload")
    journal.save_part("u", 1, b"part")
    journal.drop_bucket("b")
    assert (journal.buckets(), journal.objects(), journal.uploads(), journal.parts()) == (
        [], [], [], [],
    )  # fmt: skip


def test_message_is_in_one_queue_when_it_moves(tmp_path: Path) -> None:
    journal = MessageJournal(tmp_path / "m")
    journal.add("work", "1", b"message")
    journal.add("dead", "1", b"message")
    journal.remove("work", "1")  # the queue it left removes it afterwards
    assert (journal.messages("work"), journal.messages("dead")) == ([], [b"message"])


def test_messages_keep_their_order_when_opened_again(tmp_path: Path) -> None:
    journal = MessageJournal(tmp_path / "m")
    for number in range(12):
        journal.add("q", str(number), str(number).encode(), f"d{number}")
    journal.remove("q", "3")
    again = MessageJournal(tmp_path / "m")
    assert again.messages("q") == [str(n).encode() for n in range(12) if n != 3]
    assert ("d3", b"3") in again.deduplication("q")


def test_messages_of_a_deleted_queue_are_forgotten_when_restored(tmp_path: Path) -> None:
    journal = MessageJournal(tmp_path / "m")
    journal.add("old", "1", b"1")
    journal.add("new", "2", b"2")
    journal.keep_only({"new"})
    assert (journal.messages("old"), journal.messages("new")) == ([], [b"2"])


def test_journal_is_refused_with_advice_when_another_version_wrote_it(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "x")
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(FormatError, match=r"format 99.*reset"):
        Journal(tmp_path / "x")
    with pytest.raises(FormatError, match=r"format 99.*reset"):
        MessageJournal(tmp_path / "x")
