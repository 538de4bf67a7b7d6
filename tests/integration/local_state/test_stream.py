"""kill -9 in the middle of a stream of writes: what was acknowledged is there afterwards."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.integration.local_state.conftest import Machine

pytestmark = pytest.mark.needs_cloud

KEYS = 12  # few, so that objects and items are overwritten all the time


class Writer:
    """Writes numbered values to one key after another; knows the last acknowledged of each, and
    the one that was under way."""

    def __init__(self, write: Callable[[str, int], None], name: str) -> None:
        self._write = write
        self._name = name
        self.acknowledged: dict[str, int] = {}
        self.under_way: tuple[str, int] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for number in range(1_000_000):
            key = f"{self._name}-{number % KEYS}"
            self.under_way = (key, number)
            try:
                self._write(key, number)
            except (BotoCoreError, ClientError, OSError):
                return
            self.acknowledged[key] = number
            self.under_way = None

    def join(self) -> None:
        self._thread.join(30)

    def check(self, key: str, found: int | None) -> None:
        """The last acknowledged value, or the one that was being written, whole."""
        allowed = {self.acknowledged.get(key)}
        if self.under_way is not None and self.under_way[0] == key:
            allowed.add(self.under_way[1])
        assert found in allowed, key


@pytest.fixture(scope="module")
def written(machine: Machine) -> Machine:
    machine.start()
    machine.client("s3").create_bucket(Bucket="stream")
    machine.client("dynamodb").create_table(
        TableName="stream",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    machine.client("sqs").create_queue(QueueName="stream")
    return machine


def put_object(machine: Machine) -> Callable[[str, int], None]:
    s3 = machine.client("s3")

    def write(key: str, number: int) -> None:
        s3.put_object(
            Bucket="stream",
            Key=key,
            Body=f"{number:08}".encode() * 20_000,
            Metadata={"number": str(number)},
        )

    return write


def put_pair(machine: Machine) -> Callable[[str, int], None]:
    tables = machine.client("dynamodb")

    def write(key: str, number: int) -> None:
        tables.transact_write_items(
            TransactItems=[
                {
                    "Put": {
                        "TableName": "stream",
                        "Item": {"pk": {"S": f"{key}{side}"}, "n": {"N": str(number)}},
                    }
                }
                for side in "ab"
            ]
        )

    return write


def send(machine: Machine) -> Callable[[str, int], None]:
    sqs = machine.client("sqs")
    url = sqs.get_queue_url(QueueName="stream")["QueueUrl"]
    return lambda _key, number: sqs.send_message(QueueUrl=url, MessageBody=str(number))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_acknowledged_writes_are_there_when_killed_in_between(written: Machine, seed: int) -> None:
    machine = written
    objects = [Writer(put_object(machine), f"o{seed}{number}") for number in range(2)]
    pairs = [Writer(put_pair(machine), f"p{seed}{number}") for number in range(2)]
    sender = Writer(send(machine), f"q{seed}")
    time.sleep(1 + random.Random(seed).random())  # the moment of the crash, not a wait
    machine.kill()
    for writer in (*objects, *pairs, sender):
        writer.join()
    machine.start()
    for writer in objects:
        check_objects(machine, writer)
    for writer in pairs:
        check_pairs(machine, writer)
    check_messages(machine, sender)


def check_objects(machine: Machine, writer: Writer) -> None:
    s3 = machine.client("s3")
    assert writer.acknowledged
    for key in writer.acknowledged:
        found = s3.get_object(Bucket="stream", Key=key)
        number = int(found["Metadata"]["number"])
        assert found["Body"].read() == f"{number:08}".encode() * 20_000
        writer.check(key, number)


def check_pairs(machine: Machine, writer: Writer) -> None:
    tables = machine.client("dynamodb")
    assert writer.acknowledged

    def number_of(key: str) -> int:
        item: dict[str, Any] = tables.get_item(TableName="stream", Key={"pk": {"S": key}})["Item"]
        return int(item["n"]["N"])

    for key in writer.acknowledged:
        assert number_of(f"{key}a") == number_of(f"{key}b")
        writer.check(key, number_of(f"{key}a"))


def check_messages(machine: Machine, writer: Writer) -> None:
    sqs = machine.client("sqs")
    url = sqs.get_queue_url(QueueName="stream")["QueueUrl"]
    last = max(writer.acknowledged.values())
    found: list[int] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [int(message["Body"]) for message in messages]
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]}
                   for n, m in enumerate(messages)]  # fmt: skip
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    assert set(range(last + 1)) <= set(found)
    assert len(found) == len(set(found))
