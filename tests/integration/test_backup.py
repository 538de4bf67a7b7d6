"""A backup of the running Millrace, restored beside it."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

import boto3
import pytest
import requests

from local import server
from tests.harness import media
from tests.harness.pipeline import REPOSITORY, Pipeline, eventually, free_port

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]

SITE = "millrace-site-local"
NAMED = re.compile(r'^(?!#)(\S+)$|URI="([^"]+)"', re.MULTILINE)
"""What a playlist names."""


class Copy:
    """The cloud on a restored state: its data alone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._objects = self.client("s3")

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # any service by its name
            service,
            endpoint_url=self._url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def read(self, key: str) -> bytes:
        """An object of the site, whole and as it was stored."""
        found = self._objects.get_object(Bucket=SITE, Key=key)
        body: bytes = found["Body"].read()
        assert found["ETag"].strip('"') == hashlib.md5(body).hexdigest(), key
        return body

    def play(self, key: str) -> set[str]:
        """Read every playlist that one leads to. Returns the keys of everything else they name."""
        names = {a or b for a, b in NAMED.findall(self.read(key).decode())}
        paths = [normpath(join(dirname(key), name.split("?")[0])) for name in names]
        lists = [path for path in paths if path.endswith(".m3u8")]
        return (set(paths) - set(lists)).union(*map(self.play, lists))

    def stored(self) -> set[str]:
        """Keys of all objects of the site."""
        pages = self._objects.get_paginator("list_objects_v2").paginate(Bucket=SITE)
        return {each["Key"] for page in pages for each in page.get("Contents", [])}


def millrace(state_dir: Path, *arguments: str | Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "MILLRACE_STATE_DIR": str(state_dir),
            "PYTHONPATH": f"{REPOSITORY}/layers/core/python:{REPOSITORY}",
        },
        check=True,
    )


@pytest.fixture
def restored(pipeline: Pipeline, sintel: dict[str, Any], tmp_path: Path) -> Iterator[Copy]:
    file, elsewhere = tmp_path / "backup.tar", tmp_path / "elsewhere"
    millrace(pipeline.state_dir, "backup", file)
    millrace(elsewhere, "restore", file)
    config = server.CloudConfig(
        state_dir=elsewhere / "cloud",
        port=free_port(),
        # No function runs: those it knows are still told the addresses of the other one.
        function_python=Path("/bin/false"),
    )
    cloud = server.start(config)
    try:
        cloud.wait_ready()
        yield Copy(config.endpoint_url)
    finally:
        cloud.kill()


def test_every_video_is_whole_when_a_backup_of_the_running_system_is_restored(
    pipeline: Pipeline, sintel: dict[str, Any], restored: Copy
) -> None:
    videos = {
        item["pk"]["S"]: item
        for page in restored.client("dynamodb").get_paginator("scan").paginate(TableName="millrace")
        for item in page["Items"]
        if item["kind"]["S"] == "video" and item["status"]["S"] == "COMPLETED"
    }
    key = {"pk": {"S": f"VIDEO#{sintel['id']}"}, "sk": {"S": "VIDEO"}}
    there = pipeline.client("dynamodb").get_item(TableName="millrace", Key=key)["Item"]
    assert videos[f"VIDEO#{sintel['id']}"] == there
    stored = restored.stored()
    for pk in videos:
        named = restored.play(f"videos/{pk.removeprefix('VIDEO#')}/master.m3u8")
        assert len(named) > 2
        assert named <= stored
    for path in restored.play(f"videos/{sintel['id']}/master.m3u8"):
        assert restored.read(path)
    assert pipeline.api("GET", "/health/ready").status_code == 200


@pytest.mark.exhaustive
def test_video_is_completed_when_a_backup_of_its_middle_is_restored_and_started(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    video_id = pipeline.upload(media.clip("backed-up.mp4", 60))
    eventually(
        "a first task that is done",
        lambda: "task.done" in [each["event"] for each in pipeline.events(video_id)],
        180,
    )
    file, elsewhere = tmp_path / "backup.tar", tmp_path / "elsewhere"
    millrace(pipeline.state_dir, "backup", file)
    taken_at = f"{datetime.datetime.now(datetime.UTC):%FT%T}"
    millrace(elsewhere, "restore", file)
    restored = Pipeline(elsewhere, settings={**pipeline.settings, "MILLRACE_TURN": "0"})
    try:
        video = restored.start().wait(video_id, "completed")
        completed = [e["at"] for e in restored.events(video_id) if e["event"] == "video.completed"]
        playlist = requests.get(video["hls_url"], timeout=30)
    finally:
        restored.stop()
    (at,) = completed
    assert at > taken_at  # by the restored one: the backup was of the middle
    assert "#EXTM3U" in playlist.text
