"""A whole Millrace on a pretended AWS in this process: the real handlers, fed as SQS would feed
them, a fake engine behind them, and a clock that tests move. No socket is opened."""

from __future__ import annotations

import importlib.util
import itertools
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock
from urllib.parse import quote_plus

import moto.s3.models
import moto.sqs.models

from millrace import clients, clock, config, keys, model, tasks, videos
from millrace.events import TaskMessage
from millrace.model import Item, Tally, Task, TaskKind, Transaction, Video, Worker
from tests.harness.quick_moto import quick_moto
from tests.unit.core.database import ACCOUNT, REGION, Database
from tests.unit.core.fake_engine import FakeEngine
from tests.unit.core.wire import Crash, Wire

REPOSITORY = Path(__file__).resolve().parents[3]
TABLE = "millrace"
UPLOADS, SITE = "millrace-uploads-test", "millrace-site-test"
QUEUES = ("ingest", "probe", "transcode", "thumbnail", "publish", "notify")
VISIBILITY_S = {
    **{"ingest": 180, "probe": 720, "transcode": 5400, "thumbnail": 1800},
    **{"publish": 360, "notify": 360},
}
BATCH = {"ingest": 10}
VIDEO_ID = "a" * 26


_MOTO_SQS: Any = moto.sqs.models


@dataclass
class Context:
    """What Lambda tells a handler about the invocation."""

    function_name: str
    aws_request_id: str
    remaining_ms: int = 60_000
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:millrace"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass
class Cloud:
    """The pretended AWS and the functions in it."""

    wire: Wire
    database: Database
    engine: FakeEngine
    environment: dict[str, str]
    offset_s: float = 0.0
    crashes: int = 0
    invocations: list[str] = field(default_factory=list)
    _handlers: dict[str, ModuleType] = field(default_factory=dict)
    _requests: int = 0

    def __post_init__(self) -> None:
        self.s3, self.sqs = clients.s3(), clients.sqs()

    def pass_time(self, seconds: float) -> None:
        """Move the clock; messages held back until then are visible again."""
        self.offset_s += seconds

    def settings(self, function: str) -> config.Settings:
        return config.load(function, self.environment)

    def put_object(self, key: str, body: bytes = b"a film") -> str:
        """Store an upload without telling anybody. Returns its ETag."""
        answer = self.s3.put_object(Bucket=UPLOADS, Key=key, Body=body)
        return str(answer["ETag"]).strip('"')

    def upload(
        self,
        video_id: str = VIDEO_ID,
        body: bytes = b"a film",
        settings: Mapping[str, Any] | None = None,
        *,
        notify: bool = True,
    ) -> None:
        """The whole way of a client: create the video, store the object, S3 tells."""
        key = keys.upload_key(video_id, ".mp4")
        videos.create(
            video_id=video_id,
            title="A film",
            filename="film.mp4",
            upload_key=key,
            declared_bytes=len(body),
            settings=settings,
        )
        etag = self.put_object(key, body)
        if notify:
            self.notify(key, etag, len(body))

    def notify(self, key: str, etag: str, size: int) -> None:
        self.send("ingest", json.dumps({"Records": [s3_record(key, etag, size)]}))

    def send(self, queue: str, body: str) -> None:
        url = self.environment[f"MILLRACE_{queue.upper()}_QUEUE_URL"]
        extra: dict[str, Any] = {}
        if url.endswith(".fifo"):
            extra = {"MessageGroupId": "test", "MessageDeduplicationId": str(self._next())}
        self.sqs.send_message(QueueUrl=url, MessageBody=body, **extra)

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """One invocation of a function's handler."""
        context = Context(f"millrace-{function}", f"request-{self._next()}")
        self.invocations.append(function)
        module = self._handler(function)
        with self.wire.function(), warnings.catch_warnings():
            # pytest undoes the filter of `millrace.metrics`.
            warnings.filterwarnings("ignore", message="No application metrics to publish")
            return module.handler(event, context)

    def deliver(self, queue: str) -> bool:
        """Give one batch of a queue to its function, as Lambda does. Returns whether there was
        one. A killed function acknowledges nothing."""
        url = self.environment[f"MILLRACE_{queue.upper()}_QUEUE_URL"]
        backend = moto.sqs.models.sqs_backends[ACCOUNT][REGION]
        if not backend.queues[url.rpartition("/")[2]].messages:
            return False  # nothing visible; asking moto directly is much quicker
        answer = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH.get(queue, 1),
            VisibilityTimeout=VISIBILITY_S[queue],
            MessageSystemAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return False
        try:
            result = self.invoke(queue, {"Records": [sqs_record(m, queue) for m in messages]})
        except Crash:
            self.crashes += 1
            return True
        failed = {item["itemIdentifier"] for item in result["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return True

    def drain(self) -> None:
        """Deliver until every queue is empty or holds everything back."""
        while sum(self.deliver(queue) for queue in QUEUES):
            pass

    def monitor(self, event: Mapping[str, Any] | None = None) -> Any:
        try:
            return self.invoke("monitor", event or {})
        except Crash:
            self.crashes += 1
            return None

    def heal(self, rounds: int = 12) -> None:
        """Let minutes pass, the monitor look, and the queues deliver, until nothing is due."""
        self.drain()
        for _ in range(rounds):
            if not self.due():
                return
            self.pass_time(61)
            self.monitor()
            self.drain()

    def due(self) -> list[str]:
        """Keys of all items the monitor must look at, now or later."""
        return [f"{item.pk} {item.sk}" for item in self.items() if item.due_at is not None]

    def items(self) -> list[Item]:
        """All but the counters and what workers tell of themselves."""
        found = [Item.from_raw_data(item) for item in self.database.items(TABLE)]
        return [item for item in found if not isinstance(item, Tally | Worker)]

    def video(self, video_id: str = VIDEO_ID) -> Video:
        video = videos.get(video_id)
        assert video is not None
        return video

    def task(self, kind: TaskKind, index: int = 0, video_id: str = VIDEO_ID) -> Task:
        task = tasks.get(TaskMessage(video_id, kind, index))
        assert task is not None
        return task

    def log(self, video_id: str = VIDEO_ID) -> list[Transaction]:
        found = Item.query(keys.video_pk(video_id), Item.sk.startswith("LOG#"))
        return [item for item in found if isinstance(item, Transaction)]

    def events(self, video_id: str = VIDEO_ID) -> list[str]:
        return [line.event for line in self.log(video_id)]

    def dead_letters(self, queue: str) -> list[dict[str, Any]]:
        """Everything in a dead-letter queue; taken off it."""
        url = self.environment[f"MILLRACE_{queue.upper()}_DLQ_URL"]
        letters: list[dict[str, Any]] = []
        while found := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            letters += [json.loads(message["Body"]) for message in found]
            for message in found:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return letters

    def waiting(self, queue: str) -> int:
        """Messages in a queue, visible or not."""
        answer = self.sqs.get_queue_attributes(
            QueueUrl=self.environment[f"MILLRACE_{queue.upper()}_QUEUE_URL"],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(int(value) for value in answer["Attributes"].values())

    def clear(self) -> None:
        """Nothing was ever uploaded."""
        self.database.clear(TABLE)
        for bucket in (UPLOADS, SITE):
            _bucket(bucket).keys.clear()
        for queue in QUEUES:
            self.forget_messages(queue)

    def lose_messages(self) -> None:
        """Every message in every queue is gone, as after the emulator was killed; a minute
        passes, because SQS does this once a minute only."""
        self.pass_time(61)
        for queue in QUEUES:
            url = self.environment[f"MILLRACE_{queue.upper()}_QUEUE_URL"]
            self.sqs.purge_queue(QueueUrl=url)

    def forget_messages(self, queue: str) -> None:
        """Those of one queue are gone, at once."""
        url = self.environment[f"MILLRACE_{queue.upper()}_QUEUE_URL"]
        forgetful = moto.sqs.models.sqs_backends[ACCOUNT][REGION].queues[url.rpartition("/")[2]]
        forgetful._messages, forgetful._pending_messages = [], set()

    def objects(self, bucket: str) -> dict[str, bytes]:
        return {key: stored.value for key, stored in _bucket(bucket).keys.items()}

    def playlist(self, path: str, video_id: str = VIDEO_ID) -> str:
        answer = self.s3.get_object(Bucket=SITE, Key=keys.media_key(video_id, path))
        return str(answer["Body"].read().decode())

    def _next(self) -> int:
        self._requests += 1
        return self._requests

    def _handler(self, function: str) -> ModuleType:
        """The function's module, loaded as Lambda loads it: once, under its environment."""
        if function not in self._handlers:
            path = REPOSITORY / "functions" / function / "handler.py"
            spec = importlib.util.spec_from_file_location(f"{function}_handler", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            self._handlers[function] = module
        return self._handlers[function]


@contextmanager
def pretended_aws(
    engine: FakeEngine, setenv: Callable[[str, str], None], make_database: type[Database] = Database
) -> Iterator[Cloud]:
    """A cloud with its table, buckets and queues. `setenv` is pytest's."""
    database = make_database()
    wire = Wire(database)
    cloud: Cloud | None = None
    begin, ticks = clock.now(), itertools.count()

    def now() -> datetime:
        # Time stands still but for a microsecond a look: the log's lines keep their order.
        return begin + timedelta(seconds=cloud.offset_s if cloud else 0, microseconds=next(ticks))

    def seconds() -> float:
        return begin.timestamp() + (cloud.offset_s if cloud else 0)

    with (
        quick_moto(),
        wire.attached(),
        clock.source(now),
        mock.patch.object(_MOTO_SQS, "unix_time", seconds),
        mock.patch.object(_MOTO_SQS, "unix_time_millis", lambda: 1000 * seconds()),  # noqa: PT008
    ):
        _use_clients_of_the_last_test(TABLE)
        environment = _resources(engine)
        for name, value in environment.items():
            setenv(name, value)
        cloud = Cloud(wire, database, engine, environment)
        cloud.settings("publish")  # moves that a test makes by itself are announced, too
        Item.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        database.learn_tables()
        yield cloud
        database.close()


_last_connection: Any = None


def _use_clients_of_the_last_test(table: str) -> None:
    """If there are any that were made for here: making clients takes longer than most tests."""
    global _last_connection  # noqa: PLW0603 - outlives every fixture on purpose
    if _last_connection is None or Item._connection is not _last_connection:
        clients.reset()
        model.bind(table)
        _last_connection = Item._connection


def _bucket(name: str) -> Any:
    return moto.s3.models.s3_backends[ACCOUNT]["aws"].buckets[name]


def _resources(engine: FakeEngine) -> dict[str, str]:
    s3, sqs = clients.s3(), clients.sqs()
    for bucket in (UPLOADS, SITE):
        s3.create_bucket(Bucket=bucket)
    environment = {
        "MILLRACE_TABLE": TABLE,
        "MILLRACE_UPLOADS_BUCKET": UPLOADS,
        "MILLRACE_SITE_BUCKET": SITE,
        "MILLRACE_SITE_URL": "https://site.example",
        "MILLRACE_ENGINE": str(engine.path),
        "MILLRACE_MAX_UPLOAD_BYTES": "1000000",
        "MILLRACE_CHUNK_SEGMENTS": "2",
        "MILLRACE_WEBHOOK_PLAIN_HTTP": "true",
        "MILLRACE_CALLBACK_URL": "https://sockets.example/signal",
        "MILLRACE_TURN_SECRET_PARAMETER": "/millrace/turn-secret",
        "MILLRACE_TOPIC_ARN": clients.sns().create_topic(Name="millrace-events")["TopicArn"],
    }
    for queue in QUEUES:
        suffix = ".fifo" if queue == "publish" else ""
        fifo: Any = {"Attributes": {"FifoQueue": "true"}} if suffix else {}
        for kind, name in (("QUEUE", queue), ("DLQ", f"{queue}-dlq")):
            made = sqs.create_queue(QueueName=f"millrace-{name}{suffix}", **fifo)
            environment[f"MILLRACE_{queue.upper()}_{kind}_URL"] = made["QueueUrl"]
    return environment


def s3_record(key: str, etag: str, size: int, bucket: str = UPLOADS) -> dict[str, Any]:
    """As S3 writes it: the key URL-encoded."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": {"name": bucket},
            "object": {"key": quote_plus(key), "size": size, "eTag": etag, "sequencer": "0A"},
        },
    }


def sqs_record(message: Mapping[str, Any], queue: str) -> dict[str, Any]:
    """A received message as Lambda hands it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:millrace-{queue}",
        "awsRegion": "us-east-1",
    }
