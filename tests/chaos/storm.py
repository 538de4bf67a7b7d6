"""One storm: videos are uploaded, everything goes wrong for a while, then it must come right."""

from __future__ import annotations

import json
import random
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import requests
from botocore.exceptions import BotoCoreError, ClientError

from tests.chaos.faults import CALM, STORM, Faults
from tests.chaos.killer import DISK_MIB, Killer, disk_folder, namespace
from tests.chaos.proxy import Proxy
from tests.chaos.verdict import UPLOADS, Rest, Verdict, unfinished
from tests.harness import media
from tests.harness.pipeline import REPOSITORY, TERMINAL, Pipeline, eventually, free_port
from tests.harness.receiver import Receiver, registered

Result = TypeVar("Result")
LAUNCHER = (sys.executable, "-m", "tests.chaos.up")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a storm is to be like."""

    seed: int
    videos: int = 24
    bad: int = 2
    in_flight: int = 20
    """As many must not have come to their end when the last file arrives, in the midst of it."""
    storm_s: float = 30.0
    emulator_kills: int = 1
    calm_s: float = 360.0
    """After the storm all must have come right within this time."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One announced to the pipeline."""

    created: dict[str, Any]
    path: Path
    status: str
    """The one its video is to end with."""

    @property
    def video_id(self) -> str:
        return str(self.created["video_id"])


@dataclass
class Outcome:
    plan: Plan
    struck: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    wall_s: float = 0.0
    in_flight: int = 0
    completed: int = 0
    failed: int = 0


@contextmanager
def exposed_pipeline(state_dir: Path, seed: int) -> Iterator[tuple[Pipeline, Faults]]:
    """A Millrace of its own, its functions behind a proxy that is calm yet."""
    shutil.rmtree(state_dir, ignore_errors=True)
    faults, port = Faults(seed), free_port()
    with Proxy(port, faults).running() as proxy:
        settings = {
            "MILLRACE_CHAOS_ENDPOINT": proxy.url,
            "MILLRACE_CHUNK_SEGMENTS": "1",
            "MILLRACE_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "MILLRACE_WEBHOOK_PLAIN_HTTP": "true",
        }
        pipeline = Pipeline(
            state_dir, port=port, settings=settings, command=(*namespace(), *LAUNCHER)
        )
        if namespace():
            settings["MILLRACE_CHAOS_DISK"] = str(disk_folder(pipeline).resolve())
            settings["MILLRACE_CHAOS_DISK_MIB"] = str(DISK_MIB)
        try:
            yield pipeline.start(), faults
        finally:
            if pipeline.process is not None and pipeline.process.poll() is None:
                pipeline.stop()


def good_sources() -> list[Path]:
    """Short, one to three chunks of one segment each."""
    return [
        media.clip("one.mp4", 2, "320x180"),
        media.clip("three.mp4", 9, "320x180"),
        media.silent_clip("silent.mp4"),
        media.clip("old.avi", 5, "320x180", "-c:v", "mpeg4", "-c:a", "libmp3lame"),
    ]


def bad_sources() -> list[Path]:
    return [
        media.written("chaos-text.mp4", b"This is no video, whatever its name says.\n" * 200),
        media.written("chaos-noise.mp4", random.Random(0).randbytes(50_000)),
    ]


def run(pipeline: Pipeline, faults: Faults, plan: Plan) -> Outcome:
    """Upload and disturb at the same time, calm down, judge."""
    began, outcome = time.monotonic(), Outcome(plan)
    with registered(pipeline) as receiver:
        uploads = _announce_all(pipeline, plan)
        killer = Killer(pipeline, plan.seed, plan.emulator_kills)
        faults.rates = STORM
        stop = threading.Event()
        beside = [
            threading.Thread(target=_repeat_events, args=(pipeline, plan, stop, outcome)),
            threading.Thread(target=_send_all, args=(pipeline, uploads, outcome)),
        ]
        for thread in beside:
            thread.start()
        try:
            killer.rage(plan.storm_s, stop)
        finally:
            stop.set()
            for thread in beside:
                thread.join()
            faults.rates = CALM
        _come_right(pipeline, uploads, receiver, outcome)
    outcome.struck += killer.struck + faults.struck
    outcome.wall_s = time.monotonic() - began
    return outcome


def _announce_all(pipeline: Pipeline, plan: Plan) -> list[Upload]:
    """In an order that follows from the seed; nothing is sent yet."""
    good, bad, chance = good_sources(), bad_sources(), random.Random(f"uploads-{plan.seed}")
    chosen = [(good[n % len(good)], "completed") for n in range(plan.videos)]
    chosen += [(bad[n % len(bad)], "failed") for n in range(plan.bad)]
    chance.shuffle(chosen)
    types = {".avi": "video/x-msvideo", ".mp4": "video/mp4"}
    return [
        Upload(pipeline.announce(path, content_type=types[path.suffix]), path, status)
        for path, status in chosen
    ]


def _send_all(pipeline: Pipeline, uploads: list[Upload], outcome: Outcome) -> None:
    """Eight at a time, each until it is there; then count what is under way."""
    with ThreadPoolExecutor(8) as pool:
        for upload in uploads:
            pool.submit(_send, pipeline, upload, outcome)
    ids = {upload.video_id for upload in uploads}
    outcome.in_flight = eventually(
        "an answer of the table", lambda: _while_up(lambda: len(unfinished(pipeline, ids))), 180
    )
    if outcome.in_flight < outcome.plan.in_flight:
        outcome.breaches.append(f"only {outcome.in_flight} videos were in flight in the storm")


def _send(pipeline: Pipeline, upload: Upload, outcome: Outcome) -> None:
    def sent() -> bool:
        try:
            pipeline.send(upload.created, upload.path)
        except (requests.RequestException, AssertionError):
            return False  # the emulator is just dead
        return True

    try:
        eventually(f"{upload.path.name} uploaded", sent, 180, 0.5)
    except AssertionError as error:
        outcome.breaches.append(str(error))


def _come_right(
    pipeline: Pipeline, uploads: list[Upload], receiver: Receiver, outcome: Outcome
) -> None:
    wanted = {upload.video_id: upload.status for upload in uploads}
    deadline = time.monotonic() + outcome.plan.calm_s
    try:
        pipeline.wait_ready()
        for video_id in wanted:
            left_s = max(1.0, deadline - time.monotonic())
            video = pipeline.wait(video_id, *TERMINAL, timeout_s=left_s)
            outcome.completed += video["status"] == "completed"
            outcome.failed += video["status"] == "failed"
        left_s = max(30.0, deadline - time.monotonic())
        eventually("everybody was told", lambda: _are_told(receiver, wanted), left_s, 1.0)
        left_s = max(30.0, deadline - time.monotonic())
        rest = Rest(pipeline)
        eventually("rest", lambda: _while_up(rest.reached), left_s, 1.0)
    except AssertionError as error:
        outcome.breaches.append(str(error))
    outcome.breaches += Verdict(pipeline, wanted, receiver).judge()


def _are_told(receiver: Receiver, wanted: dict[str, str]) -> bool:
    return all(receiver.ids(video_id, f"video.{status}") for video_id, status in wanted.items())


def _while_up(look: Callable[[], Result]) -> Result | None:
    try:
        return look()
    except (BotoCoreError, ClientError):
        return None  # the emulator is just dead


def _repeat_events(pipeline: Pipeline, plan: Plan, stop: threading.Event, outcome: Outcome) -> None:
    """S3's notifications again, in any order: S3 itself promises neither once nor in order."""
    chance = random.Random(f"events-{plan.seed}")
    while not stop.wait(chance.uniform(0.2, 1.0)):
        try:
            stored = pipeline.client("s3").list_objects_v2(Bucket=UPLOADS, Prefix="uploads/")
            found = chance.choice(stored.get("Contents") or [None])
            if found is not None:
                _notify(pipeline, found)
                outcome.struck["an S3 event came again, out of order"] += 1
        except (BotoCoreError, ClientError):
            continue  # the emulator is just dead


def _notify(pipeline: Pipeline, found: dict[str, Any]) -> None:
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "awsRegion": "us-east-1",
        "s3": {
            "bucket": {"name": UPLOADS},
            "object": {
                "key": found["Key"],
                "size": found["Size"],
                "eTag": found["ETag"].strip('"'),
                "sequencer": "00",
            },
        },
    }
    sqs = pipeline.client("sqs")
    url = sqs.get_queue_url(QueueName="millrace-ingest")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record]}))


def delete_all(pipeline: Pipeline) -> None:
    """Between storms, so that each begins with nothing; the deletion is judged by the next."""
    while videos := pipeline.api("GET", "/videos?limit=100").json()["videos"]:
        for video in videos:
            pipeline.api("DELETE", f"/videos/{video['id']}")
        time.sleep(1)


def markdown(outcome: Outcome) -> str:
    lines = [f"- {count} × {what}" for what, count in sorted(outcome.struck.items())]
    lines += [f"- **BREACH** {breach}" for breach in outcome.breaches]
    head = (
        f"Seed {outcome.plan.seed}: {outcome.in_flight} in flight, {outcome.completed} completed, "
        f"{outcome.failed} failed, {len(outcome.breaches)} breaches, {outcome.wall_s:.0f} s."
    )
    return "\n".join([head, *lines])


def next_seed(plan: Plan) -> Plan:
    return replace(plan, seed=plan.seed + 1)


WORK = REPOSITORY / "build" / "chaos"
