"""What must hold when the storm is over; each breach is a line of text."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests

from millrace import counters, keys, tally
from millrace.model import Item, Transaction, Video, VideoStatus
from millrace.replay import observed, replay
from tests.harness import media
from tests.harness.counted import states
from tests.harness.hls import attributes
from tests.harness.pipeline import Pipeline
from tests.harness.receiver import Receiver

UPLOADS, SITE = "millrace-uploads-local", "millrace-site-local"
QUEUES = ("ingest", "probe", "transcode", "thumbnail", "publish.fifo", "notify")
TASK_LETTERS = ("probe-dlq", "transcode-dlq", "thumbnail-dlq")
_UNFINISHED = (VideoStatus.AWAITING_UPLOAD, VideoStatus.QUEUED, VideoStatus.PROCESSING)
_KEY_URI = ("#EXT-X-MAP:", "#EXT-X-MEDIA:", "#EXT-X-I-FRAME-STREAM-INF:")


@dataclass
class Verdict:
    """Over the videos of one storm."""

    pipeline: Pipeline
    wanted: Mapping[str, str]
    """The status each video must have, by its id."""
    receiver: Receiver
    """Of a webhook that was there all the time."""
    breaches: list[str] = field(default_factory=list)

    def judge(self) -> list[str]:
        for video_id, status in self.wanted.items():
            video = self.pipeline.video(video_id)
            if video["status"] != status:
                self._breach(video_id, f"{video['status']} ({video.get('reason')}), not {status}")
            self._judge_log(video_id, status)
            self._judge_told(video_id, status)
            self._judge_objects(video_id, video)
        self._judge_strangers()
        self._judge_letters()
        self._judge_counters()
        return self.breaches

    def _breach(self, video_id: str, what: str) -> None:
        self.breaches.append(f"{video_id}: {what}")

    def _judge_log(self, video_id: str, status: str) -> None:
        items = items_of(self.pipeline, video_id)
        log = [item for item in items if isinstance(item, Transaction)]
        told, seen = replay(sorted(log, key=lambda line: str(line.sk))), observed(items)
        if told != seen:
            self._breach(video_id, f"its log tells {told}, its items are {seen}")
        completions = 1 if status == "completed" else 0
        if told.completions != completions:
            self._breach(video_id, f"completed {told.completions} times")
        done = [line.task_id for line in log if line.event == "task.done"]
        if len(done) != len(set(done)):
            self._breach(video_id, f"tasks were done twice: {sorted(map(str, done))}")

    def _judge_told(self, video_id: str, status: str) -> None:
        """Of its end the outside was told once: by one event, however often that was delivered."""
        for end in ("completed", "failed"):
            found = self.receiver.ids(video_id, f"video.{end}")
            if len(found) != (end == status):
                self._breach(video_id, f"{status}, and told of by video.{end} {sorted(found)}")

    def _judge_objects(self, video_id: str, video: dict[str, Any]) -> None:
        stored = set(keys_below(self.pipeline, SITE, f"videos/{video_id}/"))
        if video["status"] != "completed":
            playlists = {key for key in stored if key.endswith((".m3u8", ".mpd"))}
            if playlists:
                self._breach(video_id, f"is not completed and has playlists: {sorted(playlists)}")
            return
        base = video["hls_url"].removesuffix(f"videos/{video_id}/master.m3u8")
        named = {url.removeprefix(base) for url in urls_of(video)}
        if stored - named:
            self._breach(video_id, f"orphans: {sorted(stored - named)}")
        if named - stored:
            self._breach(video_id, f"named, but not there: {sorted(named - stored)}")
        if complaint := media.decode_errors(video["hls_url"]):
            self._breach(video_id, f"does not decode: {complaint[:300]}")

    def _judge_strangers(self) -> None:
        """No object of a video that nobody knows; no upload that was begun and left."""
        for bucket, prefix in ((SITE, "videos/"), (UPLOADS, "uploads/")):
            owners = {key.split("/")[1] for key in keys_below(self.pipeline, bucket, prefix)}
            for stranger in sorted(owners - set(self.wanted)):
                if self.pipeline.api("GET", f"/videos/{stranger}").status_code != 200:
                    self._breach(stranger, f"objects in {bucket}, but no such video")
        left = self.pipeline.client("s3").list_multipart_uploads(Bucket=UPLOADS).get("Uploads", [])
        for upload in left:
            self._breach(upload["Key"], "its multipart upload was left")

    def _judge_counters(self) -> None:
        """They say what the items say; looked at twice, as other videos may be under way."""
        for left in (1, 0):
            raw = everything_of(self.pipeline)
            seen = states([Item.from_raw_data(item) for item in raw])
            told = Counter[str]()
            for item in raw:
                if item["sk"]["S"] == keys.TALLY_TOTAL_SK and "TALLY" in item["pk"]["S"]:
                    told.update(counters.held(item).counts)
            told = Counter({name: told[name] for name in tally.STATES if told[name]})
            if told == seen:
                return
            if left:
                time.sleep(3)
        self._breach("the counters", f"tell {dict(told)}, the items {dict(seen)}")

    def _judge_letters(self) -> None:
        """A dead letter of a task is of a video that was to fail; every such video has one."""
        failed = {video_id for video_id, status in self.wanted.items() if status == "failed"}
        letters = {letter["video_id"] for letter in dead_letters(self.pipeline, *TASK_LETTERS)}
        for video_id in sorted((letters & set(self.wanted)) - failed):
            self._breach(video_id, "has a dead letter")
        for video_id in sorted(failed - letters):
            self._breach(video_id, "failed without a dead letter")
        for letter in dead_letters(self.pipeline, "notify-dlq"):
            if "attempts" in letter:
                self._breach(letter["event_id"], "its delivery was given up")


def everything_of(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Every item of the table."""
    pages = pipeline.client("dynamodb").get_paginator("scan").paginate(TableName="millrace")
    return [item for page in pages for item in page["Items"]]


def unfinished(pipeline: Pipeline, video_ids: set[str]) -> list[str]:
    """Those of some videos that have not come to their end."""
    found = [Item.from_raw_data(item) for item in everything_of(pipeline)]
    return [
        str(item.video_id)
        for item in found
        if isinstance(item, Video) and item.video_id in video_ids and item.status in _UNFINISHED
    ]


def items_of(pipeline: Pipeline, video_id: str) -> list[Item]:
    """All items of a video, read from the table itself."""
    pages = (
        pipeline.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName="millrace",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"VIDEO#{video_id}"}},
            ConsistentRead=True,
        )
    )
    return [Item.from_raw_data(item) for page in pages for item in page["Items"]]


def keys_below(pipeline: Pipeline, bucket: str, prefix: str) -> Iterator[str]:
    pages = pipeline.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            yield found["Key"]


def dead_letters(pipeline: Pipeline, *queues: str) -> Iterator[dict[str, Any]]:
    """Looked at, and left there."""
    sqs = pipeline.client("sqs")
    for queue in queues:
        url = sqs.get_queue_url(QueueName=f"millrace-{queue}")["QueueUrl"]
        while True:
            answer = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=20, WaitTimeSeconds=0
            )
            if not answer.get("Messages"):
                break
            for message in answer["Messages"]:
                yield json.loads(message["Body"])


@dataclass
class Rest:
    """Tells, look by look, when nothing happens any more: no message waits, no engine works, and
    as many messages are hidden as in the looks before.

    Hidden, and in nobody's hands, may be that of a function which was killed before it claimed
    anything: it comes back when its queue's visibility timeout is over, up to 90 minutes later. Its
    task was sent again by the monitor meanwhile, and it will find nothing to do.
    """

    pipeline: Pipeline
    looks: int = 5
    _hidden: deque[int] = field(default_factory=deque)

    def reached(self) -> bool:
        waiting, hidden = depths(self.pipeline)
        if waiting or self.pipeline.processes("millrace-engine"):
            self._hidden.clear()
            return False
        self._hidden.append(hidden)
        last = list(self._hidden)[-self.looks :]
        return len(last) == self.looks and len(set(last)) == 1


def depths(pipeline: Pipeline) -> tuple[int, int]:
    """Messages in all queues: how many wait, and how many are hidden."""
    sqs, waiting, hidden = pipeline.client("sqs"), 0, 0
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for queue in QUEUES:
        url = sqs.get_queue_url(QueueName=f"millrace-{queue}")["QueueUrl"]
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        waiting += int(answer[names[0]])
        hidden += int(answer[names[1]])
    return waiting, hidden


def urls_of(video: dict[str, Any]) -> set[str]:
    """Every file that a completed video offers, found as a player would find it."""
    urls = {video["hls_url"], video["poster_url"], video["storyboard_url"]}
    urls |= {video["dash_url"]} | {still["url"] for still in video["thumbnails"]}
    urls |= {urljoin(video["storyboard_url"], name) for name in _pictures(video["storyboard_url"])}
    for playlist in _named(video["hls_url"]):
        urls |= {playlist} | _named(playlist)
    return urls | {url.replace("index.m3u8", "subtitles.vtt") for url in urls if _is_text(url)}


def _is_text(url: str) -> bool:
    """A track of subtitles also lies there as the one file that DASH takes."""
    return url.endswith("/index.m3u8") and "/subtitles-" in url


def _pictures(storyboard_url: str) -> set[str]:
    text = requests.get(storyboard_url, timeout=30).text
    return {line.partition("#xywh=")[0] for line in text.splitlines() if "#xywh=" in line}


def _named(playlist_url: str) -> set[str]:
    lines = requests.get(playlist_url, timeout=30).text.splitlines()
    names = {line for line in lines if line and not line.startswith("#")}
    names |= {attributes(line)["URI"] for line in lines if line.startswith(_KEY_URI)}
    return {urljoin(playlist_url, name) for name in names}
