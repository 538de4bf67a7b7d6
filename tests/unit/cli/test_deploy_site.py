from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.deploy_site import content_type, publish_site

BUCKET = "site"
ADDRESSES = {
    "apiUrl": "http://127.0.0.1:4566/_aws/execute-api/abc/api",
    "signalUrl": "ws://127.0.0.1:4567/signal",
}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    for name in (
        *(
            "index.html",
            "js/api.js",
            "player/vendor/hls/hls.min.mjs",
            "player/vendor/hls/hls.min.d.mts",
        ),
        *(
            "build-vendor.mjs",
            ".hidden/secret.js",
            "player/sample/index.html",
            "img/logo.svg",
            "font.woff2",
        ),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def _keys(s3: Any) -> set[str]:
    return {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def test_pages_and_configuration_are_there_when_published(s3: Any, frontend: Path) -> None:
    publish_site(s3, BUCKET, frontend, ADDRESSES)
    assert _keys(s3) == {
        *("index.html", "js/api.js", "player/vendor/hls/hls.min.mjs", "img/logo.svg", "font.woff2"),
        "config.json",
    }
    config = json.load(s3.get_object(Bucket=BUCKET, Key="config.json")["Body"])
    assert config == ADDRESSES


def test_browsers_revalidate_code_and_keep_pictures_when_published(s3: Any, frontend: Path) -> None:
    publish_site(s3, BUCKET, frontend, ADDRESSES)

    def headers(key: str) -> tuple[str, str]:
        answer = s3.head_object(Bucket=BUCKET, Key=key)
        return answer["ContentType"], answer["CacheControl"]

    assert headers("index.html") == ("text/html; charset=utf-8", "no-cache")
    assert headers("player/vendor/hls/hls.min.mjs") == (
        "text/javascript; charset=utf-8",
        "no-cache",
    )
    assert headers("config.json") == ("application/json", "no-cache")
    assert headers("img/logo.svg") == ("image/svg+xml", "public, max-age=86400")


def test_old_pages_go_and_media_stay_when_published_again(s3: Any, frontend: Path) -> None:
    for key in ("old.html", "js/old/gone.js", "videos/1/master.m3u8"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    publish_site(s3, BUCKET, frontend, ADDRESSES)
    assert {"old.html", "js/old/gone.js"}.isdisjoint(_keys(s3))
    assert "videos/1/master.m3u8" in _keys(s3)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a/style.css", "text/css; charset=utf-8"),
        ("poster.jpg", "image/jpeg"),
        ("LICENSE", "text/plain; charset=utf-8"),
    ],
)
def test_content_type_follows_the_ending_when_asked(key: str, expected: str) -> None:
    assert content_type(key) == expected
